import { constant, type Expr, op } from "../../../kernel-ir/scalar.js";

/**
 * max or min of what differs from lane to lane and what does not, by the instruction that takes one of them by a comparison. Of a
 * NaN in `x` it keeps the NaN; what it says of a NaN in `bound`, and of zeros of two signs, is put right by masks that are the same
 * for all lanes, and so are made once. The instruction for max and min themselves is eight on x64.
 */
export function boundedBy(kind: "max" | "min", x: Expr, bound: Expr): Expr {
  const taken = op("select", [kind === "max" ? op("lt", [x, bound]) : op("lt", [bound, x]), bound, x]);
  if (bound.kind === "const") {
    const { value } = bound;
    if (Number.isNaN(value)) return bound;
    const zero = kind === "max" ? 0 : -0;
    if (!Object.is(value, zero)) return taken;
  }
  const bits = (e: Expr): Expr => op("bitcast", [e], "i32");
  const word = (n: number): Expr => constant("i32", n);
  const sign = -(2 ** 31);
  const nan = op("select", [op("ne", [bound, bound]), word(-1), word(0)]);
  const whenZero = (zero: number, then: number, otherwise: number): Expr =>
    op("select", [op("eq", [bits(bound), word(zero)]), word(then), word(otherwise)]);
  const right =
    kind === "max"
      ? op("or", [op("and", [bits(taken), whenZero(0, ~sign, -1)]), nan])
      : op("or", [bits(taken), op("or", [whenZero(sign, sign, 0), nan])]);
  return op("bitcast", [right], "f32");
}
