import { ArgumentError } from "./errors.js";

/** Settings that users may change with `config.update`. */
export interface Config {
  /** Default float dtype is float64, as with JAX's x64 mode. */
  enableX64: boolean;
  /** What happens when a scalar boolean is computed under jit and never used: it was likely an `if`. */
  unreadPredicate: "ignore" | "warn" | "error";
  /**
   * Bytes of array storage a device holds at most before memory of dead arrays is looked for; grows with what is alive. By
   * default 512 MiB in Node, where looking is a garbage collection, and 256 MiB elsewhere, where it is copying.
   */
  memoryBudget: number;
  /**
   * Bytes of arrays that a device may hold whose arrays cannot be moved to ordinary memory (a GPU); beyond it, if dead ones
   * are not enough, an error says what is held. By default 4 GiB.
   */
  deviceMemoryLimit: number;
  /** Throw where an operation gives a NaN; see `debugNans`. */
  debugNans: boolean;
  /** Throw where an operation gives an infinity; see `debugInfs`. */
  debugInfs: boolean;
  /** Run jitted functions and control flow as JavaScript; see `disableJit`. */
  disableJit: boolean;
  /** Tell why jitted functions are traced; see `explainCacheMisses`. */
  explainCacheMisses: boolean;
  /** Debug ladder: 1 compiles and cache misses, 2 jaxprs, 3 kernels, 4 code, 5 every bind. */
  debug: number;
  /** Where what the debug ladder reports goes. */
  log: (message: string) => void;
  /** Where warnings go. */
  warn: (message: string) => void;
}

const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
const env = process?.env ?? {};
const isSet = (name: string): boolean => env[`TSAX_${name}`] === "1" || env[`JAX_${name}`] === "1";

/**
 * The settings of the library. `config.update(name, value)` checks what it is given; assigning works too.
 * @throws ArgumentError `config-unknown` from update.
 * @example
 * config.update("unreadPredicate", "warn");
 */
export const config: Config & { update<K extends keyof Config>(name: K, value: Config[K]): void } = {
  enableX64: isSet("ENABLE_X64"),
  unreadPredicate: "warn",
  memoryBudget: process ? 2 ** 29 : 2 ** 28,
  deviceMemoryLimit: 2 ** 32,
  debugNans: isSet("DEBUG_NANS"),
  debugInfs: isSet("DEBUG_INFS"),
  disableJit: isSet("DISABLE_JIT"),
  explainCacheMisses: isSet("EXPLAIN_CACHE_MISSES"),
  debug: Number(env["TSAX_DEBUG"] ?? 0) || 0,
  log: (message) => console.error(message),
  warn: (message) => console.warn(`tsax: ${message}`),
  update(name, value) {
    if (!(name in config) || typeof config[name] !== typeof value) {
      throw new ArgumentError({
        code: "config-unknown",
        message: `config has no setting ${JSON.stringify(name)} that takes ${String(value)}`,
        hint: `settings: ${Object.keys(config)
          .filter((k) => k !== "update")
          .join(", ")}`,
      });
    }
    (config as Config)[name] = value;
  },
};

// a setting that does not exist is an error, however it is written
Object.seal(config);

/** The dtype of a JS number that is not integral, and of creation functions that are given none. */
export const defaultFloat = (): "float32" | "float64" => (config.enableX64 ? "float64" : "float32");
