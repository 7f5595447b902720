import { identity } from "../../../kernel-ir/combine.js";
import type { Slot } from "../../../kernel-ir/kernel.js";

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
