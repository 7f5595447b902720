import { InternalError } from "../core/errors.js";

/** What the checks of kernels have in common. */

export const isCount = (n: number): boolean => Number.isInteger(n) && n >= 0;

export function require(condition: boolean, message: () => string): asserts condition {
  if (!condition) throw new InternalError(message());
}
