// What is there without an import. Time and randomness are the host's: Date and Math.random answer what a replay answers, too.

/** Writes to the author's log. */
declare const console: {
  debug(...parts: unknown[]): void;
  log(...parts: unknown[]): void;
  info(...parts: unknown[]): void;
  warn(...parts: unknown[]): void;
  error(...parts: unknown[]): void;
};
