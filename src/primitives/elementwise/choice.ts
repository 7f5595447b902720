import { NDArray } from "../../core/array.js";
import { type Aval, formatAval, type HostArray, hostZeros, sizeOf } from "../../core/aval.js";
import { isFloat } from "../../core/dtype.js";
import { DTypeError } from "../../core/errors.js";
import { asArray } from "../../core/literal.js";
import { isLinear, type JvpResult, type Tangent } from "../../core/primitive.js";
import { bind1 } from "../../core/trace.js";
import { isZero, Zero } from "../../core/zero.js";
import * as e from "../../kernel-ir/math/build.js";
import type { Expr } from "../../kernel-ir/scalar.js";
import { requireArgument } from "../checks.js";
import { addTangents, ops } from "../define.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import {
  allWeak,
  like,
  type NoParams,
  noParams,
  type Operand,
  ordered,
  pair,
  requireOneDType,
  requireOneShape,
  sameTypes,
} from "./operands.js";
import {
  binaryJvp,
  broadcastTo,
  broadcasting,
  element,
  elementBy,
  nonlinear,
  plain,
  unbroadcast,
  wordsOf,
} from "./rules.js";

// Maximum and minimum

/** How much of the result z of max(x, y) is x: 1, 0, or ½ at a tie. */
export const shareOf = (x: NDArray, z: NDArray, y: NDArray): NDArray => {
  const one = like("div", 1, z.dtype, "one");
  const chosen = ops.select(ops.eq(x, z), one, 0);
  return ops.div(chosen, ops.select(ops.eq(y, z), like("div", 2, z.dtype, "two"), one));
};

const maximum = (x: Expr, y: Expr): Expr => (x.type === "bool" ? e.or(x, y) : e.max(x, y));
const minimum = (x: Expr, y: Expr): Expr => (x.type === "bool" ? e.and(x, y) : e.min(x, y));

export const maxPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "max",
  abstract: sameTypes("max", ordered),
  evaluate: plain(Math.max),
  jvp: binaryJvp(
    () => maxPrimitive,
    (t, x, y, out) => ops.mul(t, shareOf(x, out, y)),
    (t, x, y, out) => ops.mul(t, shareOf(y, out, x)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => maxPrimitive),
  lower: element(maximum),
  facts: { elementwise: true, commutative: true },
});
/** The larger operand; NaN if one is; −0 < 0. At a tie each operand gets half of the derivative. */
export const max = (x: Operand, y: Operand): NDArray => bind1(maxPrimitive, pair("max", x, y), noParams);

export const minPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "min",
  abstract: sameTypes("min", ordered),
  evaluate: plain(Math.min),
  jvp: binaryJvp(
    () => minPrimitive,
    (t, x, y, out) => ops.mul(t, shareOf(x, out, y)),
    (t, x, y, out) => ops.mul(t, shareOf(y, out, x)),
  ),
  transpose: nonlinear,
  batch: broadcasting(() => minPrimitive),
  lower: element(minimum),
  facts: { elementwise: true, commutative: true },
});
/** The smaller operand; NaN if one is; −0 < 0. At a tie each operand gets half of the derivative. */
export const min = (x: Operand, y: Operand): NDArray => bind1(minPrimitive, pair("min", x, y), noParams);

// Clamp

/** Tangent of clamp: that of the bound that holds, or of x strictly between the bounds; 0 at the bounds. */
function clampJvp([lo, x, hi]: readonly NDArray[], [tlo, tx, thi]: readonly Tangent[]): JvpResult {
  const out = bind1(clampPrimitive, [lo!, x!, hi!], noParams);
  let sum: Tangent = new Zero(out.aval);
  const contribute = (where: () => NDArray, t: Tangent): void => {
    if (isFloat(out.dtype) && !isZero(t)) sum = addTangents(sum, broadcastTo(select(where(), t, 0), out.shape));
  };
  contribute(() => ops.and(ops.gt(lo!, x!), ops.lt(lo!, hi!)), tlo!);
  contribute(() => ops.and(ops.gt(x!, lo!), ops.lt(x!, hi!)), tx!);
  contribute(() => ops.lt(hi!, x!), thi!);
  return { outs: [out], tangents: [sum] };
}

export const clampPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "clamp",
  abstract: sameTypes("clamp", ordered),
  evaluate: plain((lo, x, hi) => Math.min(Math.max(lo, x), hi)),
  jvp: clampJvp,
  transpose: nonlinear,
  batch: broadcasting(() => clampPrimitive),
  lower: element((lo, x, hi) => minimum(maximum(lo, x), hi)),
  facts: { elementwise: true },
});
/** min(max(lo, x), hi); NaN if one is. Its derivative in x is 0 at the bounds. */
export function clamp(lo: Operand, x: Operand, hi: Operand): NDArray {
  const given = [x, lo, hi].find((v): v is NDArray => v instanceof NDArray);
  const array = (v: Operand, name: string): NDArray =>
    given ? like("clamp", v, given.dtype, name) : asArray(v, "clamp", name);
  return bind1(clampPrimitive, [array(lo, "lo"), array(x, "x"), array(hi, "hi")], noParams);
}

// Selection

function selectAbstract([which, ...cases]: readonly Aval[]): readonly Aval[] {
  requireArgument(cases.length >= 1 && (which!.dtype !== "bool" || cases.length <= 2), () => ({
    code: "select-cases",
    message:
      cases.length === 0
        ? "select needs a case to choose"
        : `a boolean chooses between two cases, but select was given ${cases.length}`,
    operands: [["which", which!]],
    hint: "choose among more cases with an integer",
  }));
  if (which!.dtype !== "bool" && which!.dtype !== "int32" && which!.dtype !== "uint32") {
    throw new DTypeError({
      code: "dtype-refused",
      message: "select chooses by a boolean or an integer",
      details: [["which", formatAval(which!)], ...cases.map((c, i) => [`case ${i}`, formatAval(c)] as const)],
      hint: "compare first, e.g. x.greater(0)",
    });
  }
  const dtype = requireOneDType("select", cases);
  return [{ shape: requireOneShape("select", [which!, ...cases]), dtype, weakType: allWeak(cases) }];
}

function selectHost([which, ...cases]: readonly HostArray[]): readonly HostArray[] {
  const avals = [which!, ...cases].map((h) => h.aval);
  const [out] = selectAbstract(avals);
  const result = hostZeros(out!);
  const words = wordsOf(out!.dtype);
  const at = (h: HostArray, i: number): number => (h.aval.shape.length === 0 ? 0 : i);
  for (let i = 0; i < sizeOf(out!.shape); i++) {
    const k = Math.min(Math.max(which!.data[at(which!, i)]!, 0), cases.length - 1);
    const chosen = cases[k]!;
    for (let w = 0; w < words; w++) result.data[i * words + w] = chosen.data[at(chosen, i) * words + w]!;
  }
  return [result];
}

/** Chooses by bisection, so that an integer beyond the cases takes the first or the last. */
function chooseExpr(which: Expr, cases: readonly Expr[], offset: number): Expr {
  if (cases.length === 1) return cases[0]!;
  const middle = cases.length >> 1;
  const below = e.lt(which, e.k(which, offset + middle));
  return e.select(
    below,
    chooseExpr(which, cases.slice(0, middle), offset),
    chooseExpr(which, cases.slice(middle), offset + middle),
  );
}

export const selectNPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "select_n",
  abstract: selectAbstract,
  evaluate: selectHost,
  jvp: ([which, ...cases], [, ...tangents]) => {
    const out = selectN(which!, ...cases);
    if (!isFloat(out.dtype) || tangents.every(isZero)) return { outs: [out], tangents: [new Zero(out.aval)] };
    const t = selectN(which!, ...tangents.map((s) => (isZero(s) ? like("select", 0, out.dtype, "zero") : s)));
    return { outs: [out], tangents: [broadcastTo(t, out.shape)] };
  },
  transpose: ([ct], [which, ...cases]) => {
    const pulled = (i: number): NDArray => {
      const [t, w] = [ct as NDArray, which as NDArray];
      if (w.dtype === "bool") return cases.length === 1 ? t : i === 0 ? select(w, 0, t) : select(w, t, 0);
      // an integer beyond the cases takes the nearest, but only one that names a case passes its cotangent on
      return select(ops.eq(w, i), t, 0);
    };
    return [
      null,
      ...cases.map((x, i) => (!isLinear(x) ? null : isZero(ct) ? new Zero(x.aval) : unbroadcast(pulled(i), x.aval))),
    ];
  },
  batch: broadcasting(() => selectNPrimitive),
  lower: elementBy(([which, ...cases]) => {
    if (cases.length === 1) return cases[0]!;
    return which!.type === "bool" ? e.select(which!, cases[1]!, cases[0]!) : chooseExpr(which!, cases, 0);
  }),
  facts: {
    elementwise: true,
    simplify: (_, { inAvals, outAval, constant }) => {
      const value = constant(0);
      if (value === undefined) return null;
      const k = 1 + Math.min(Math.max(value, 0), inAvals.length - 2);
      return inAvals[k]!.shape.length === outAval.shape.length ? { same: k } : null;
    },
  },
});
/** The case that `which` names, element by element: booleans count as 0 and 1, integers beyond the cases as the nearest. */
export const selectN = (which: NDArray, ...cases: readonly NDArray[]): NDArray =>
  bind1(selectNPrimitive, [which, ...cases], noParams);

/** `onTrue` where `pred` holds, else `onFalse`. What is not chosen has no influence, but its derivative is 0 times its slope. */
export function select(pred: NDArray, onTrue: Operand, onFalse: Operand): NDArray {
  const [t, f] = pair("select", onTrue, onFalse);
  return selectN(pred, f, t);
}
