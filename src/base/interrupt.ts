// SPDX-License-Identifier: Apache-2.0
import { EXIT } from '../errors/errors.js';
import { writeErr } from './terminal.js';

/** Ctrl-C for one command run: the first aborts `signal`, the second leaves at once. */
export interface Interrupt {
  readonly signal: AbortSignal;
  /** Stops listening; must be called when the run is over. */
  release(): void;
}

/** Starts to listen for Ctrl-C (and SIGTERM, which is treated the same). */
export function listenForInterrupt(quiet: boolean): Interrupt {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    if (!quiet) writeErr('\nstopping; what was measured is kept (Ctrl-C again leaves at once)\n');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    release: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
