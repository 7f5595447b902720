import type { NDArray } from "../../core/array.js";
import { type Aval, formatAval, type HostArray, hostZeros } from "../../core/aval.js";
import { type DType, dtypeInfo, isFloat } from "../../core/dtype.js";
import { DTypeError } from "../../core/errors.js";
import { none } from "../../core/primitive.js";
import { bind1 } from "../../core/trace.js";
import { Zero } from "../../core/zero.js";
import type { Operand as Source } from "../../kernel-ir/lowering.js";
import * as ix from "../../kernel-ir/index-expr.js";
import * as e from "../../kernel-ir/math/build.js";
import * as math from "../../kernel-ir/math/index.js";
import { type Expr, indexValue, type ScalarType } from "../../kernel-ir/scalar.js";
import { isCount, requireArgument, requireShape } from "../checks.js";
import { copyAs } from "../host.js";
import { ops } from "../define.js";
import { linearJvp } from "../linear-rules.js";
import { definePrimitive, type PrimitiveDefinition } from "../table.js";
import { anything, floating, type NoParams, noParams, ordered, requireAccepted, sameTypes } from "./operands.js";
import { broadcasting, element, elementBy, mapHost, nonlinear, plainBy, pullback } from "./rules.js";

const scalarTypes: Readonly<Record<Exclude<DType, "key">, ScalarType>> = {
  float32: "f32",
  float64: "f64",
  int32: "i32",
  uint32: "u32",
  bool: "bool",
};
const scalarTypeOf = (dtype: DType): ScalarType => scalarTypes[dtype as Exclude<DType, "key">];

// Conversion

export interface ConvertParams {
  readonly dtype: DType;
  readonly weakType: boolean;
}

/** Floats saturate and NaN becomes 0; integers wrap when they are stored. */
function convertHost(from: DType, to: DType): (x: number) => number {
  if (to === "bool") return (x) => Number(x !== 0);
  if (isFloat(to) || !isFloat(from)) return (x) => x;
  const [lo, hi] = to === "int32" ? [-2147483648, 2147483647] : [0, 4294967295];
  return (x) => (Number.isNaN(x) ? 0 : Math.trunc(Math.min(Math.max(x, lo), hi)));
}

export const convertElementTypePrimitive: PrimitiveDefinition<ConvertParams> = definePrimitive<ConvertParams>({
  name: "convert_element_type",
  abstract: (avals, { dtype, weakType }) => {
    requireAccepted("convertElementType", avals, 0, ordered);
    if (dtype === "key") {
      throw new DTypeError({
        code: "dtype-refused",
        message: "numbers cannot be converted to random keys",
        details: [["operand", formatAval(avals[0]!)]],
        hint: "make keys with random.key(seed) or random.wrapKeyData",
      });
    }
    return [{ shape: avals[0]!.shape, dtype, weakType }];
  },
  evaluate: ([x], { dtype }) => mapHost([x!], dtype, convertHost(x!.aval.dtype, dtype)),
  jvp: ([x], [t], { dtype, weakType }) => {
    const out = convertElementType(x!, dtype, weakType);
    const moves = t !== undefined && !(t instanceof Zero) && isFloat(dtype);
    return { outs: [out], tangents: [moves ? convertElementType(t, dtype) : new Zero(out.aval)] };
  },
  transpose: ([ct], [x]) => [
    ct instanceof Zero || !isFloat(x!.aval.dtype) ? new Zero(x!.aval) : convertElementType(ct!, x!.aval.dtype),
  ],
  batch: broadcasting(() => convertElementTypePrimitive),
  lower: elementBy(([x], { dtype }) => e.convert(x!, scalarTypeOf(dtype))),
  facts: {
    elementwise: true,
    simplify: ({ dtype }, { inAvals }) => (inAvals[0]!.dtype === dtype ? { same: 0 } : null),
  },
  printParams: ({ dtype, weakType }) => ({ newDtype: dtype, weakType }),
});
/** The same numbers in another dtype: floats are truncated to integers, beyond their range the nearest, NaN is 0. */
export function convertElementType(x: NDArray, dtype: DType, weakType = false): NDArray {
  if (x.dtype === dtype && x.weakType === weakType) return x;
  return bind1(convertElementTypePrimitive, [x], { dtype, weakType });
}

// The same bits as another type

export interface BitcastParams {
  readonly dtype: DType;
}

function requireBitcast(x: Aval, dtype: DType): void {
  requireAccepted("bitcastConvertType", [x], 0, ordered);
  if (x.dtype !== dtype && (x.dtype === "bool" || dtype === "bool" || dtype === "key")) {
    throw new DTypeError({
      code: "dtype-refused",
      message: `bitcastConvertType cannot reinterpret ${x.dtype} as ${dtype}`,
      details: [["operand", formatAval(x)]],
      hint: "booleans have no defined bits: convert them with astype",
    });
  }
}

/** The same bytes as elements of another dtype. */
function reinterpret(x: HostArray, out: Aval): HostArray {
  const result = hostZeros(out);
  new Uint8Array(result.data.buffer).set(new Uint8Array(x.data.buffer, x.data.byteOffset, x.data.byteLength));
  return result;
}

export const bitcastConvertTypePrimitive: PrimitiveDefinition<BitcastParams> = definePrimitive<BitcastParams>({
  name: "bitcast_convert_type",
  abstract: ([x], { dtype }) => {
    requireBitcast(x!, dtype);
    return [{ shape: x!.shape, dtype, weakType: false }];
  },
  evaluate: ([x], { dtype }) => [reinterpret(x!, { ...x!.aval, dtype })],
  jvp: ([x], _, { dtype }) => {
    const out = bitcastConvertType(x!, dtype);
    return { outs: [out], tangents: [new Zero(out.aval)] };
  },
  transpose: nonlinear,
  batch: broadcasting(() => bitcastConvertTypePrimitive),
  lower: elementBy(([x], { dtype }) => e.bitcast(x!, scalarTypeOf(dtype))),
  facts: {
    elementwise: true,
    simplify: ({ dtype }, { inAvals }) => (inAvals[0]!.dtype === dtype ? { same: 0 } : null),
  },
  printParams: ({ dtype }) => ({ newDtype: dtype }),
});

/** A word of a float64 as an expression: the low one at index 0. */
function wordOfDouble(x: Expr, which: ix.Index, type: ScalarType): Expr {
  const whole = e.bitcast(x, "i64");
  const low = e.convert(whole, "i32");
  const high = e.convert(e.shrLBy(whole, 32), "i32");
  return e.bitcast(e.select(e.eq(indexValue(which), e.c("i32", 0)), low, high), type);
}

/** The float64 whose low and high words are the two elements along the last axis. */
function doubleOfWords(x: Source, index: readonly ix.Index[]): Expr {
  const word = (w: number): Expr => e.convert(e.bitcast(x.at([...index, ix.lit(w)]), "u32"), "i64");
  return e.bitcast(e.or(word(0), e.shlBy(word(1), 32)), "f64");
}

export const bitcastWordsPrimitive: PrimitiveDefinition<BitcastParams> = definePrimitive<BitcastParams>({
  name: "bitcast_words",
  abstract: ([x], { dtype }) => {
    requireBitcast(x!, dtype);
    const n = x!.shape.length;
    if (x!.dtype === "float64") return [{ shape: [...x!.shape, 2], dtype, weakType: false }];
    requireShape(n > 0 && x!.shape[n - 1] === 2, () => ({
      code: "bitcast-shape",
      message: "bitcastConvertType makes a float64 of the two words along the last axis",
      operands: [["operand", x!]],
      hint: "the last axis must have length 2, the low word first",
    }));
    return [{ shape: x!.shape.slice(0, -1), dtype, weakType: false }];
  },
  evaluate: ([x], { dtype }) => {
    const shape = dtype === "float64" ? x!.aval.shape.slice(0, -1) : [...x!.aval.shape, 2];
    return [reinterpret(x!, { shape, dtype, weakType: false })];
  },
  jvp: ([x], _, { dtype }) => {
    const out = bitcastConvertType(x!, dtype);
    return { outs: [out], tangents: [new Zero(out.aval)] };
  },
  transpose: nonlinear,
  batch: (_, [x], [d], params) => ({
    outs: [bind1(bitcastWordsPrimitive, [ops.moveAxis(x!, d!, 0)], params)],
    dims: [0],
  }),
  lower: {
    kind: "element",
    element: ([x], index, { dtype }) =>
      dtype === "float64"
        ? doubleOfWords(x!, index)
        : wordOfDouble(x!.at(index.slice(0, -1)), index[index.length - 1]!, scalarTypeOf(dtype)),
  },
  facts: {},
  printParams: ({ dtype }) => ({ newDtype: dtype }),
});
/** The same bits as another dtype. A float64 is two words of 32 bits along a new last axis, the low one first, and back. */
export function bitcastConvertType(x: NDArray, dtype: DType): NDArray {
  const primitive =
    x.dtype === "key" || dtypeInfo[x.dtype].bytes === dtypeInfo[dtype].bytes
      ? bitcastConvertTypePrimitive
      : bitcastWordsPrimitive;
  return bind1(primitive, [x], { dtype });
}

// Fewer bits

export interface ReducePrecisionParams {
  readonly exponentBits: number;
  readonly mantissaBits: number;
}

/** The value nearest to x among floats of fewer bits, on the bits of x, held in a bigint. */
function reduceHost(x: number, width: 32 | 64, { exponentBits, mantissaBits }: ReducePrecisionParams): number {
  if (Number.isNaN(x)) return x;
  const view = new DataView(new ArrayBuffer(8));
  if (width === 32) view.setFloat32(4, x);
  else view.setFloat64(0, x);
  const [mantissa, exponent, sign] = width === 32 ? [23n, 8n, 1n << 31n] : [52n, 11n, 1n << 63n];
  let bits = view.getBigUint64(0);
  const negative = bits & sign;
  bits ^= negative;
  const dropped = mantissa - BigInt(Math.min(mantissaBits, Number(mantissa)));
  if (dropped > 0n) {
    const unit = 1n << dropped;
    bits = (bits + unit / 2n - 1n + ((bits >> dropped) & 1n)) & ~(unit - 1n);
  }
  if (exponentBits < Number(exponent)) {
    const bias = (1n << (exponent - 1n)) - 1n;
    const reach = (1n << BigInt(exponentBits - 1)) - 1n;
    const biased = bits >> mantissa;
    if (biased > bias + reach) bits = ((1n << exponent) - 1n) << mantissa;
    else if (biased <= bias - reach) bits = 0n;
  }
  view.setBigUint64(0, bits | negative);
  return width === 32 ? view.getFloat32(4) : view.getFloat64(0);
}

export const reducePrecisionPrimitive: PrimitiveDefinition<ReducePrecisionParams> =
  definePrimitive<ReducePrecisionParams>({
    name: "reduce_precision",
    abstract: (avals, { exponentBits, mantissaBits }) => {
      requireArgument(isCount(exponentBits, 1) && isCount(mantissaBits), () => ({
        code: "precision-bits",
        message: `reducePrecision needs at least one exponent bit and a number of mantissa bits, not ${exponentBits} and ${mantissaBits}`,
      }));
      return sameTypes("reducePrecision", floating)(avals);
    },
    evaluate: plainBy((dtype, params) => (x) => reduceHost(x, dtype === "float32" ? 32 : 64, params)),
    jvp: linearJvp((x, { exponentBits, mantissaBits }) => reducePrecision(x, exponentBits, mantissaBits)),
    transpose: pullback((ct, _, { exponentBits, mantissaBits }) => reducePrecision(ct, exponentBits, mantissaBits)),
    batch: broadcasting(() => reducePrecisionPrimitive),
    lower: elementBy(([x], { exponentBits, mantissaBits }) => math.reducePrecision(x!, exponentBits, mantissaBits)),
    facts: { elementwise: true, cost: 8 },
  });
/** x rounded (ties to even) to a float of so many bits, kept in its own dtype; beyond its range ±inf, below its normals ±0. */
export const reducePrecision = (x: NDArray, exponentBits: number, mantissaBits: number): NDArray =>
  bind1(reducePrecisionPrimitive, [x], { exponentBits, mantissaBits });

// Identities

export const copyPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "copy",
  abstract: sameTypes("copy", anything),
  evaluate: ([x]) => [copyAs(x!, x!.aval)],
  jvp: linearJvp((x) => copy(x)),
  transpose: pullback((ct) => copy(ct)),
  batch: broadcasting(() => copyPrimitive),
  lower: element((x) => x),
  facts: { elementwise: true, view: true, simplify: () => ({ same: 0 }) },
});
/** The same elements in storage of their own. */
export const copy = (x: NDArray): NDArray => bind1(copyPrimitive, [x], noParams);

export const stopGradientPrimitive: PrimitiveDefinition<NoParams> = definePrimitive<NoParams>({
  name: "stop_gradient",
  abstract: sameTypes("stopGradient", anything),
  evaluate: ([x]) => [copyAs(x!, x!.aval)],
  jvp: ([x]) => ({ outs: [stopGradient(x!)], tangents: [new Zero(x!.aval)] }),
  transpose: none("it has no tangent: its derivative is zero"),
  batch: broadcasting(() => stopGradientPrimitive),
  lower: element((x) => x),
  facts: { elementwise: true, view: true, reshapes: true, simplify: () => ({ same: 0 }) },
});
/** x, as a constant of differentiation. */
export const stopGradient = (x: NDArray): NDArray => bind1(stopGradientPrimitive, [x], noParams);
