import type { NDArray } from "../core/array.js";
import type { Aval } from "../core/aval.js";
import type { JvpResult, Linear, Tangent } from "../core/primitive.js";
import { isZero, Zero } from "../core/zero.js";

/** The jvp rule of a primitive that is linear in its one operand: the same operation on the tangent. */
export function linearJvp<P>(apply: (x: NDArray, params: P) => NDArray) {
  return ([x]: readonly NDArray[], [t]: readonly Tangent[], params: P): JvpResult => {
    const y = apply(x!, params);
    return { outs: [y], tangents: [isZero(t) ? new Zero(y.aval) : apply(t!, params)] };
  };
}

/** The transpose rule of such a primitive: `pull` maps a cotangent of the result to one of the operand. */
export function linearTranspose<P>(pull: (ct: NDArray, operand: Aval, params: P) => NDArray) {
  return ([ct]: readonly Tangent[], [x]: readonly (NDArray | Linear)[], params: P): readonly (Tangent | null)[] => [
    isZero(ct) ? new Zero(x!.aval) : pull(ct!, x!.aval, params),
  ];
}
