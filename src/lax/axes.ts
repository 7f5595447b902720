import { normalizeAxes } from "../core/aval.js";
import { ArgumentError } from "../core/errors.js";
import { describeValue } from "../core/literal.js";

/** Axes of the functions that name one operation of XLA: they count from the front, and negative ones are refused. */

/** Distinct axes that count from the front. @throws ArgumentError `axis-negative`, `axis-range`, `axis-duplicate`. */
export function frontAxes(axes: readonly number[], ndim: number, op: string): number[] {
  const positive = normalizeAxes(axes, ndim, op);
  const given: readonly number[] = typeof axes === "number" ? [axes] : (axes ?? []);
  const k = given.findIndex((axis) => axis < 0);
  if (k < 0) return positive;
  throw new ArgumentError({
    code: "axis-negative",
    message: `${op}: axis ${given[k]} is negative, but the axes of lax functions count from the front`,
    hint: `axis ${positive[k]} is the one meant here; np functions take both`,
  });
}

/** One axis that counts from the front. @throws ArgumentError `axis-negative`, `axis-range`. */
export const frontAxis = (axis: number, ndim: number, op: string): number => frontAxes([axis], ndim, op)[0]!;

/** Demands a list, of what only its reader can judge. @throws ArgumentError `list-needed`. */
export function listOf<T>(op: string, name: string, given: readonly T[]): readonly T[] {
  if (Array.isArray(given)) return given;
  throw new ArgumentError({ code: "list-needed", message: `${op}: ${name} is a list, not ${describeValue(given)}` });
}
