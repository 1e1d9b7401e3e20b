// SPDX-License-Identifier: Apache-2.0
// The ways in which homa-nic may fail, one class per exit code. A leaf: every folder may throw these, and it imports nothing.

/** Exit codes of the command line (design section 7). */
export const EXIT = {
  ok: 0,
  content: 1,
  usage: 2,
  threshold: 3,
  missing: 4,
  bug: 70,
  interrupted: 130,
} as const;

export interface ErrorOptionsWithAdvice {
  /** Stable word for programs that read the envelope; the class has a default. */
  code?: string;
  /** What to type next, most likely remedy first. */
  suggestions?: readonly string[];
  /** The error that led here; never printed unless HOMA_NIC_DEBUG is set. */
  cause?: unknown;
}

/** Base of every failure that the user is meant to read. */
export class HomaNicError extends Error {
  readonly exitCode: number;
  readonly code: string;
  readonly suggestions: readonly string[];

  constructor(message: string, exitCode: number, code: string, options: ErrorOptionsWithAdvice = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.exitCode = exitCode;
    this.code = options.code ?? code;
    this.suggestions = options.suggestions ?? [];
  }
}

/** Bad content, or a run that failed: exit 1. */
export class ContentError extends HomaNicError {
  constructor(message: string, options?: ErrorOptionsWithAdvice) {
    super(message, EXIT.content, 'content', options);
  }
}

/** Wrong flag, missing input, unwritable output; seen before any work starts: exit 2. */
export class UsageError extends HomaNicError {
  constructor(message: string, options?: ErrorOptionsWithAdvice) {
    super(message, EXIT.usage, 'usage', options);
  }
}

/** A threshold was crossed, or a comparison found a regression: exit 3. */
export class ThresholdError extends HomaNicError {
  constructor(message: string, options?: ErrorOptionsWithAdvice) {
    super(message, EXIT.threshold, 'threshold', options);
  }
}

/** A device or an outside tool is not there: exit 4. */
export class MissingError extends HomaNicError {
  constructor(message: string, options?: ErrorOptionsWithAdvice) {
    super(message, EXIT.missing, 'missing', options);
  }
}

/** A fault in homa-nic itself: exit 70. Anything thrown that is not a HomaNicError ends as one of these. */
export class BugError extends HomaNicError {
  constructor(message: string, options?: ErrorOptionsWithAdvice) {
    super(message, EXIT.bug, 'bug', options);
  }
}

/** Ctrl-C before there was anything to keep: exit 130. */
export class InterruptedError extends HomaNicError {
  constructor(message = 'interrupted', options?: ErrorOptionsWithAdvice) {
    super(message, EXIT.interrupted, 'interrupted', options);
  }
}
