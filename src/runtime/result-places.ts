import type { ConcreteArray } from "../core/array.js";
import { formatAval } from "../core/aval.js";
import { ArgumentError } from "../core/errors.js";
import { DeviceStorage, residenceOf } from "./device-storage.js";
import type { Ready } from "./ready.js";

/** Where a result lies: in a block of its own, in an operand's that it is the same as, or in a donated operand's. */
export type Place =
  { readonly kind: "own"; readonly from?: undefined } | { readonly kind: "same" | "taken"; readonly from: number };

export function placeOf(
  ready: Ready,
  k: number,
  inputs: readonly ConcreteArray[],
  donated: readonly boolean[] | undefined,
): Place {
  const same = ready.outputIsInput[k];
  if (same != null) return { kind: "same", from: same };
  const taken = ready.outputReusesInput[k];
  if (taken != null && donated?.[taken]) {
    const s = inputs[taken]!.storage;
    if (s instanceof DeviceStorage && s.slot.refs === 1) return { kind: "taken", from: taken };
  }
  return { kind: "own" };
}

/** @throws ArgumentError `donate-shared` where an array that a call takes over is its operand twice. */
export function refuseSharedDonation(inputs: readonly ConcreteArray[], donated: readonly boolean[]): void {
  for (let i = 0; i < inputs.length; i++) {
    if (!donated[i]) continue;
    const slot = residenceOf(inputs[i]!);
    if (slot && inputs.some((y, j) => j !== i && residenceOf(y) === slot)) {
      throw new ArgumentError({
        code: "donate-shared",
        message: `a donated array is passed to one call twice: ${formatAval(inputs[i]!.aval)}`,
        hint: "pass a copy, or leave the argument out of donateArgnums",
      });
    }
  }
}
