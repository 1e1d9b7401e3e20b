// SPDX-License-Identifier: Apache-2.0
import { stderrMoves, writeErr } from './terminal.js';

const FRAME_MS = 100;
const FRAMES = ['|', '/', '-', '\\'];

/** Tells on stderr how far a long run is. A moving line on a terminal, one plain line per phase elsewhere. */
export interface Progress {
  /** A new phase begins; `total` is the number of steps when it is known. */
  start(phase: string, total?: number): void;
  /** So many steps of the phase are done; a note (time left, say) stands behind. Cheap enough to be called often. */
  update(done: number, note?: string): void;
  /** The phase is over; the moving line goes away. */
  stop(): void;
}

class PlainProgress implements Progress {
  start(phase: string, total?: number): void {
    writeErr(total === undefined ? `${phase} ...\n` : `${phase} (${total}) ...\n`);
  }
  update(): void {}
  stop(): void {}
}

class MovingProgress implements Progress {
  #phase = '';
  #total: number | undefined;
  #drawnAt = 0;
  #frame = 0;

  start(phase: string, total?: number): void {
    this.stop();
    this.#phase = phase;
    this.#total = total;
    this.#drawnAt = 0;
    this.update(0);
  }

  update(done: number, note?: string): void {
    const now = Date.now();
    if (this.#phase === '' || now - this.#drawnAt < FRAME_MS) return;
    this.#drawnAt = now;
    const spin = FRAMES[this.#frame++ % FRAMES.length]!;
    const share = this.#total ? ` ${Math.floor((100 * done) / this.#total)} %` : '';
    writeErr(`\r\u001b[K${spin} ${this.#phase}${share}${note === undefined ? '' : `, ${note}`}`);
  }

  stop(): void {
    if (this.#phase !== '') writeErr('\r\u001b[K');
    this.#phase = '';
  }
}

class NoProgress implements Progress {
  start(): void {}
  update(): void {}
  stop(): void {}
}

/** The right kind of progress for this stderr; none at all when `quiet`. */
export function createProgress(quiet: boolean): Progress {
  if (quiet) return new NoProgress();
  return stderrMoves() ? new MovingProgress() : new PlainProgress();
}
