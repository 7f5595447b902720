import { ArgumentError } from "../core/errors.js";
import { describeValue } from "../core/literal.js";
import { dilated } from "../primitives/all.js";

/** [low, high] for each axis. */
export type PaddingPairs = readonly (readonly [number, number])[] | readonly (readonly number[])[];
/** "VALID": none. "SAME": ⌈length / stride⌉ windows, an odd element after; "SAME_LOWER": an odd element before. */
export type Padding = "VALID" | "SAME" | "SAME_LOWER" | PaddingPairs;

/** The elements that are added before and after each axis of `lengths` for windows of `spans` elements. */
export function paddingPairs(
  op: string,
  padding: Padding | string,
  lengths: readonly number[],
  spans: readonly number[],
  strides: readonly number[],
): (readonly [number, number])[] {
  if (typeof padding !== "string") {
    const valid =
      Array.isArray(padding) &&
      padding.length === lengths.length &&
      padding.every((p) => Array.isArray(p) && p.length === 2 && p.every((n) => Number.isInteger(n)));
    if (valid) return padding.map((p) => [p[0]!, p[1]!] as const);
    throw new ArgumentError({
      code: "window-padding",
      message: `${op}: padding must be "SAME", "SAME_LOWER", "VALID" or [low, high] for each of ${lengths.length} axes, not ${describeValue(padding)}`,
    });
  }
  const kind = padding.toUpperCase();
  if (kind === "VALID") return lengths.map(() => [0, 0]);
  if (kind === "SAME" || kind === "SAME_LOWER") {
    return lengths.map((n, k) => {
      const windows = Math.ceil(n / strides[k]!);
      const sum = Math.max(0, (windows - 1) * strides[k]! + spans[k]! - n);
      const less = Math.floor(sum / 2);
      return kind === "SAME" ? [less, sum - less] : [sum - less, less];
    });
  }
  throw new ArgumentError({
    code: "window-padding",
    message: `${op}: padding must be "SAME", "SAME_LOWER", "VALID" or [low, high] pairs, not "${padding}"`,
  });
}

/** Refuses a list that has not one whole number of at least `least` for each of `n` axes. */
export function requireList(op: string, name: string, given: readonly number[], n: number, least = 1): void {
  const valid = Array.isArray(given) && given.length === n && given.every((v) => Number.isInteger(v) && v >= least);
  if (valid) return;
  throw new ArgumentError({
    code: "window-list",
    message: `${op}: ${name} must have one whole number of at least ${least} for each of ${n} axes, not ${describeValue(given)}`,
  });
}

export const spansOf = (sizes: readonly number[], dilations: readonly number[]): number[] =>
  sizes.map((n, k) => dilated(n, dilations[k]!));
