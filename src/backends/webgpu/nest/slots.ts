import type { Slot } from "../../../kernel-ir/kernel.js";
import type { CombineOp, ScalarType } from "../../../kernel-ir/scalar.js";

/** What combines with x to x. */
export function identity(combine: CombineOp, type: ScalarType): number {
  const isFloat = type === "f32" || type === "f64";
  switch (combine) {
    case "add":
      return isFloat ? -0 : 0;
    case "mul":
      return 1;
    case "min":
      return isFloat ? Infinity : type === "i32" ? 2147483647 : type === "bool" ? 1 : 4294967295;
    case "max":
      return isFloat ? -Infinity : type === "i32" ? -2147483648 : 0;
    case "and":
      return type === "bool" ? 1 : type === "u32" ? 4294967295 : -1;
    case "or":
    case "xor":
      return 0;
  }
}

/** Combining this once more changes nothing: partial results may all start with it. */
function isNeutral({ combine, initial }: Slot): boolean {
  switch (combine) {
    case "add":
    case "xor":
      return initial === 0;
    case "mul":
      return initial === 1;
    default:
      return true;
  }
}

/** What partial results start with, and whether the initial value has still to be combined in, once. */
export function startOf(slot: Slot): { readonly start: number; readonly rest: number | undefined } {
  return isNeutral(slot)
    ? { start: slot.initial, rest: undefined }
    : { start: identity(slot.combine, slot.type), rest: slot.initial };
}
