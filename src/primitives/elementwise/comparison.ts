import type { NDArray } from "../../core/array.js";
import type { Aval, HostArray } from "../../core/aval.js";
import { hostZeros, sizeOf } from "../../core/aval.js";
import { bind1 } from "../../core/trace.js";
import * as ix from "../../kernel-ir/index-expr.js";
import * as e from "../../kernel-ir/math/build.js";
import type { ElementLowering } from "../../kernel-ir/lowering.js";
import type { Expr } from "../../kernel-ir/scalar.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import { anything, type NoParams, noParams, type Operand, ordered, pair, sameTypes, shapeOfAll } from "./operands.js";
import { broadcasting, element, nonlinear, plain, wordsOf, zeroJvp } from "./rules.js";

/** Compares all words of two elements (keys have two), so that keys can be told apart. */
function equalHost(inputs: readonly HostArray[], equal: boolean): readonly HostArray[] {
  const [x, y] = inputs as readonly [HostArray, HostArray];
  const out = hostZeros({ shape: shapeOfAll([x.aval, y.aval]), dtype: "bool", weakType: false });
  const words = wordsOf(x.aval.dtype);
  const at = (h: HostArray, i: number, w: number): number => h.data[(h.aval.shape.length === 0 ? 0 : i * words) + w]!;
  for (let i = 0; i < sizeOf(out.aval.shape); i++) {
    let same = true;
    for (let w = 0; w < words; w++) same &&= at(x, i, w) === at(y, i, w);
    out.data[i] = Number(same === equal);
  }
  return [out];
}

/** Lowering of eq and ne: keys are compared word by word. */
function compareWords(
  compare: (x: Expr, y: Expr) => Expr,
  join: (x: Expr, y: Expr) => Expr,
): ElementLowering<NoParams> {
  return {
    kind: "element",
    words: true,
    element: (operands, index) => {
      const place = (a: Aval): readonly ix.Index[] => (a.shape.length === 0 ? [] : index);
      const word = (w: number): Expr => {
        const [x, y] = operands.map((o) =>
          o.at(o.aval.dtype === "key" ? [...place(o.aval), ix.lit(w)] : place(o.aval)),
        );
        return compare(x!, y!);
      };
      return operands[0]!.aval.dtype === "key" ? join(word(0), word(1)) : word(0);
    },
  };
}

export const eqPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "eq",
  abstract: sameTypes("eq", anything, "bool"),
  evaluate: (inputs) => equalHost(inputs, true),
  jvp: zeroJvp(() => eqPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => eqPrimitive),
  lower: compareWords(e.eq, e.and),
  facts: { elementwise: true, commutative: true },
});
/** x = y; NaN equals nothing. */
export const eq = (x: Operand, y: Operand): NDArray => bind1(eqPrimitive, pair("eq", x, y), noParams);

export const nePrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "ne",
  abstract: sameTypes("ne", anything, "bool"),
  evaluate: (inputs) => equalHost(inputs, false),
  jvp: zeroJvp(() => nePrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => nePrimitive),
  lower: compareWords(e.ne, e.or),
  facts: { elementwise: true, commutative: true },
});
/** x ≠ y; NaN differs from everything. */
export const ne = (x: Operand, y: Operand): NDArray => bind1(nePrimitive, pair("ne", x, y), noParams);

export const gePrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "ge",
  abstract: sameTypes("ge", ordered, "bool"),
  evaluate: plain((x, y) => Number(x >= y), "bool"),
  jvp: zeroJvp(() => gePrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => gePrimitive),
  lower: element((x, y) => (x.type === "bool" ? e.or(x, e.not(y)) : e.ge(x, y))),
  facts: { elementwise: true },
});
/** x ≥ y; false where one is NaN; false < true. */
export const ge = (x: Operand, y: Operand): NDArray => bind1(gePrimitive, pair("ge", x, y), noParams);

export const gtPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "gt",
  abstract: sameTypes("gt", ordered, "bool"),
  evaluate: plain((x, y) => Number(x > y), "bool"),
  jvp: zeroJvp(() => gtPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => gtPrimitive),
  lower: element((x, y) => (x.type === "bool" ? e.and(x, e.not(y)) : e.gt(x, y))),
  facts: { elementwise: true },
});
/** x > y; false where one is NaN; false < true. */
export const gt = (x: Operand, y: Operand): NDArray => bind1(gtPrimitive, pair("gt", x, y), noParams);

export const lePrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "le",
  abstract: sameTypes("le", ordered, "bool"),
  evaluate: plain((x, y) => Number(x <= y), "bool"),
  jvp: zeroJvp(() => lePrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => lePrimitive),
  lower: element((x, y) => (x.type === "bool" ? e.or(e.not(x), y) : e.le(x, y))),
  facts: { elementwise: true },
});
/** x ≤ y; false where one is NaN; false < true. */
export const le = (x: Operand, y: Operand): NDArray => bind1(lePrimitive, pair("le", x, y), noParams);

export const ltPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "lt",
  abstract: sameTypes("lt", ordered, "bool"),
  evaluate: plain((x, y) => Number(x < y), "bool"),
  jvp: zeroJvp(() => ltPrimitive),
  transpose: nonlinear,
  batch: broadcasting(() => ltPrimitive),
  lower: element((x, y) => (x.type === "bool" ? e.and(e.not(x), y) : e.lt(x, y))),
  facts: { elementwise: true },
});
/** x < y; false where one is NaN; false < true. */
export const lt = (x: Operand, y: Operand): NDArray => bind1(ltPrimitive, pair("lt", x, y), noParams);
