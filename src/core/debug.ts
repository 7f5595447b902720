import { config } from "./config.js";

/**
 * The debug ladder (`TSAX_DEBUG`, or `config.update("debug", n)`): 1 traces and compiles with their times, 2 jaxprs, 3 kernels,
 * 4 the emitted code, 5 every operation that is bound.
 */
export type DebugLevel = 1 | 2 | 3 | 4 | 5;

/** Reports something if the ladder stands high enough; the text is made only then. */
export function debug(level: DebugLevel, text: () => string): void {
  if (config.debug >= level) config.log(`[tsax ${level}] ${text()}`);
}

/**
 * Runs `body` with the ladder at `level`.
 * @example
 * withDebug(2, () => jit((x) => np.sin(x))(1));
 */
export function withDebug<R>(level: number, body: () => R): R {
  const outer = config.debug;
  config.debug = level;
  try {
    return body();
  } finally {
    config.debug = outer;
  }
}
