// SPDX-License-Identifier: Apache-2.0
// Where a program runs: on this machine or in the guest. Everything that starts programs goes through this seam.

/** How to run one program. */
export interface RunOptions {
  /** what the program reads on its standard input; nothing by default */
  stdin?: Uint8Array | string;
  /** the program is killed and the run fails when it takes longer; no limit by default */
  timeoutMs?: number;
  /** kills the program; the run rejects with `InterruptedError` */
  signal?: AbortSignal;
  /** on abort the program gets SIGINT instead and the run gives how it ended; it is killed if it goes on for 5 s */
  interruptible?: boolean;
  cwd?: string;
  /** added to the environment */
  env?: Readonly<Record<string, string>>;
  /** sees the output as it comes */
  onOutput?: (stream: 'stdout' | 'stderr', bytes: Uint8Array) => void;
}

/** How a program ended. */
export interface RunOutcome {
  /** what it exited with; 128 + n when signal n ended it */
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** A place where programs run and files are. */
export interface Executor {
  /** for messages: `this machine`, `the guest` */
  readonly place: string;
  /**
   * Runs `argv[0]` with the rest as arguments, without a shell. A program that exits with another code than 0 is an
   * outcome, not an error. Throws `MissingError` when there is no such program, `ContentError` (code `timeout`) when
   * the limit passed, `InterruptedError` on abort.
   */
  run(argv: readonly string[], options?: RunOptions): Promise<RunOutcome>;
  /** Whole content of a file. Throws `ContentError` when it cannot be read. */
  readFile(path: string): Promise<Uint8Array>;
  /** Writes a whole file; `mode` is applied to it. Its folder must exist. */
  writeFile(path: string, bytes: Uint8Array | string, mode?: number): Promise<void>;
  exists(path: string): Promise<boolean>;
}
