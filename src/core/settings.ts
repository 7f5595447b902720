import { config } from "./config.js";

/** Runs `body` with a setting of `config`, and puts back what it was. */
function withSetting<R>(
  name: "debugNans" | "debugInfs" | "disableJit" | "explainCacheMisses",
  value: boolean,
  body: () => R,
): R {
  const outer = config[name];
  config[name] = value;
  try {
    return body();
  } finally {
    config[name] = outer;
  }
}

/**
 * Runs `body` so that the first operation whose result has a NaN throws: the error names it, its operands and the user's line.
 * What is jitted is run again operation by operation where a result has a NaN. `config.update("debugNans", true)` is the same
 * for all that follows. Results are read at once, which a GPU does not offer: there it throws.
 * @throws FloatingPointError `nan-made`, DeviceError `debug-nans-device`.
 * @example
 * const y = debugNans(() => jit((x) => np.log(x))(2)); // of −2: "invalid value (nan) encountered in log"
 */
export const debugNans = <R>(body: () => R, enable = true): R => withSetting("debugNans", enable, body);

/**
 * As `debugNans`, for infinities.
 * @throws FloatingPointError `inf-made`, DeviceError `debug-nans-device`.
 * @example
 * const y = debugInfs(() => np.log(np.array(2))); // of 0: "invalid value (inf) encountered in log"
 */
export const debugInfs = <R>(body: () => R, enable = true): R => withSetting("debugInfs", enable, body);

/**
 * Runs `body` without compiling: jitted functions are called as they are, and control flow with values that are known is a
 * JavaScript loop or branch, so that breakpoints, `console.log` and `item()` work in them.
 * @example
 * const seen = [];
 * disableJit(() => lax.foriLoop(0, 3, (i, x) => (seen.push(x.item()), x.add(i)), 1)); // 4
 * seen; // [1, 1, 2]
 */
export const disableJit = <R>(body: () => R, disable = true): R => withSetting("disableJit", disable, body);

/**
 * Runs `body` and tells through `config.log`, for each call of a jitted function that is traced, what is new about it: compared
 * with the nearest call that was traced before.
 * @example
 * const f = jit((x) => x.mul(2));
 * explainCacheMisses(() => [f(np.ones([2])), f(np.ones([3]))]);
 */
export const explainCacheMisses = <R>(body: () => R, enable = true): R =>
  withSetting("explainCacheMisses", enable, body);
