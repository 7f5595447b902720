import { NDArray } from "../core/array.js";
import { signature, variadic } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType, promoteTypes as promoteElementTypes, type PromotionType } from "../core/dtype.js";
import { ArgumentError, DTypeError } from "../core/errors.js";
import { type ArrayLike, weakAval } from "../core/literal.js";
import {
  asDTypeName,
  classesOf,
  type DTypeClass,
  type DTypeName,
  isDTypeClass,
  keepsKind,
  keepsValues,
  promoteNames,
} from "./dtype-names.js";

/** Questions about dtypes; also about those of JAX that arrays here do not have. */

/** Machine limits of a float dtype. */
export interface FloatInfo {
  readonly dtype: DTypeName;
  readonly bits: number;
  /** The distance from 1 to the next larger float. */
  readonly eps: number;
  readonly epsneg: number;
  readonly max: number;
  readonly min: number;
  /** The least positive normal float. */
  readonly tiny: number;
  readonly smallestNormal: number;
  readonly smallestSubnormal: number;
  /** Bits of the exponent and of the mantissa. */
  readonly nexp: number;
  readonly nmant: number;
  readonly maxexp: number;
  readonly minexp: number;
  /** Decimal digits that are kept. */
  readonly precision: number;
  readonly resolution: number;
}

/** Limits of an IEEE format. */
function floatInfo(dtype: DTypeName, bits: number, nmant: number): FloatInfo {
  const nexp = bits - 1 - nmant;
  const maxexp = 2 ** (nexp - 1);
  const minexp = 2 - maxexp;
  const max = (2 - 2 ** -nmant) * 2 ** (maxexp - 1);
  const tiny = 2 ** minexp;
  const precision = Math.floor(nmant * Math.LOG10E * Math.LN2);
  return {
    dtype,
    bits,
    eps: 2 ** -nmant,
    epsneg: 2 ** (-nmant - 1),
    max,
    min: -max,
    tiny,
    smallestNormal: tiny,
    smallestSubnormal: tiny * 2 ** -nmant,
    nexp,
    nmant,
    maxexp,
    minexp,
    precision,
    resolution: Number(`1e-${precision}`),
  };
}
const mantissaBits: Readonly<Record<string, readonly [bits: number, nmant: number]>> = {
  float16: [16, 10],
  bfloat16: [16, 7],
  float32: [32, 23],
  float64: [64, 52],
};

const nameOf = (x: unknown): DTypeName => (x instanceof NDArray ? x.dtype : asDTypeName(x));

const finfoParams = /* @__PURE__ */ signature<{ dtype: DTypeName | NDArray }>("finfo", 1, ["dtype"]);
/**
 * Limits of a float dtype, or of an array's.
 *
 * @example
 * np.finfo("float32").eps; // 1.1920929e-7
 */
export function finfo(dtype: DTypeName | NDArray): FloatInfo;
export function finfo(): FloatInfo {
  const dtype = nameOf(finfoParams(arguments).dtype);
  const bits = mantissaBits[dtype];
  if (bits !== undefined) return floatInfo(dtype, ...bits);
  throw new DTypeError({
    code: "float-needed",
    message: `finfo: ${dtype} is not a float dtype`,
    hint: "iinfo tells of integers",
  });
}

export interface IntegerInfo {
  readonly dtype: DTypeName;
  readonly bits: number;
  readonly min: number;
  readonly max: number;
}
const iinfoParams = /* @__PURE__ */ signature<{ intType: DTypeName | NDArray }>("iinfo", 1, ["intType"]);
/**
 * Limits of an integer dtype, or of an array's. Those of 64-bit integers are rounded to JS numbers.
 *
 * @example
 * np.iinfo("int32").max; // 2147483647
 */
export function iinfo(dtype: DTypeName | NDArray): IntegerInfo;
export function iinfo(): IntegerInfo {
  const dtype = nameOf(iinfoParams(arguments).intType);
  const [, unsigned, digits] = /^(u?)int(\d+)$/.exec(dtype) ?? [];
  if (digits === undefined)
    throw new DTypeError({
      code: "integer-needed",
      message: `iinfo: ${dtype} is not an integer dtype`,
      hint: "finfo tells of floats",
    });
  const bits = Number(digits);
  return unsigned === "u"
    ? { dtype, bits, min: 0, max: 2 ** bits - 1 }
    : { dtype, bits, min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 };
}

const promoteTypesParams = /* @__PURE__ */ signature<{ a: DTypeName; b: DTypeName }>("promoteTypes", 2, ["a", "b"]);
/**
 * The dtype of operations on these two, as JAX's lattice has it; also of dtypes that arrays here do not have.
 *
 * @example
 * np.promoteTypes("int32", "float32"); // "float32"
 */
export function promoteTypes(a: DTypeName, b: DTypeName): DTypeName;
export function promoteTypes(): DTypeName {
  const { a, b } = promoteTypesParams(arguments);
  return promoteNames(asDTypeName(a), asDTypeName(b));
}

const resultTypeParams = /* @__PURE__ */ variadic("resultType", []);
/**
 * The dtype of operations on arrays, numbers and dtypes.
 *
 * @example
 * np.resultType(np.arange(3), 0.5); // "float32"
 */
export function resultType(...args: readonly (ArrayLike | DType)[]): DType;
export function resultType(): DType {
  const [values] = resultTypeParams(arguments);
  if (values.length === 0)
    throw new ArgumentError({ code: "argument-missing", message: "resultType needs at least one argument" });
  const types = values.map((v): PromotionType => {
    if (v instanceof NDArray) return { dtype: v.dtype, weak: v.weakType };
    if (typeof v === "number" || typeof v === "boolean")
      return { dtype: weakAval(v).dtype, weak: weakAval(v).weakType };
    return { dtype: asDType(v), weak: false };
  });
  return promoteElementTypes(types, defaultFloat()).dtype;
}

export type Casting = "no" | "equiv" | "safe" | "same_kind" | "sameKind" | "unsafe";
const canCastParams = /* @__PURE__ */ signature<{ from: DTypeName | NDArray; to: DTypeName; casting?: Casting }>(
  "canCast",
  2,
  ["from", "to", "casting"],
);
/** Whether every value of one dtype can be converted to another under a casting rule: safe keeps all values. */
export function canCast(
  from: DTypeName | NDArray,
  to: DTypeName,
  casting?: Casting | { readonly casting?: Casting },
): boolean;
export function canCast(): boolean {
  const given = canCastParams(arguments);
  const [from, to] = [nameOf(given.from), asDTypeName(given.to)];
  switch (given.casting ?? "safe") {
    case "no":
    case "equiv":
      return from === to;
    case "unsafe":
      return true;
    case "same_kind":
    case "sameKind":
      return keepsValues(from, to) || keepsKind(from, to);
    default:
      return keepsValues(from, to);
  }
}

const issubdtypeParams = /* @__PURE__ */ signature<{ arg1: string; arg2: string }>("issubdtype", 2, ["arg1", "arg2"]);
/**
 * Whether a dtype belongs to a class of dtypes (`"floating"`, `"integer"`, `"number"`, …), or equals another one.
 *
 * @example
 * np.issubdtype("int32", "integer"); // true
 */
export function issubdtype(a: DTypeName | DTypeClass, b: DTypeName | DTypeClass): boolean;
export function issubdtype(): boolean {
  const { arg1, arg2 } = issubdtypeParams(arguments);
  return classesOf(arg1).includes(isDTypeClass(arg2) ? arg2 : asDTypeName(arg2));
}

const kinds: Readonly<Record<string, DTypeClass>> = {
  "signed integer": "signedinteger",
  "unsigned integer": "unsignedinteger",
  integral: "integer",
  "real floating": "floating",
  "complex floating": "complexfloating",
  numeric: "number",
};
const isdtypeParams = /* @__PURE__ */ signature<{ dtype: DTypeName; kind: string | readonly string[] }>("isdtype", 2, [
  "dtype",
  "kind",
]);
/** Whether a dtype is of a kind of the array API (`"integral"`, `"real floating"`, …), equals another one, or does so for one of a list. */
export function isdtype(dtype: DTypeName | NDArray, kind: string | readonly string[]): boolean;
export function isdtype(): boolean {
  const { dtype, kind } = isdtypeParams(arguments);
  const classes = classesOf(nameOf(dtype));
  return (typeof kind === "string" ? [kind] : kind).some((k) => classes.includes(kinds[k] ?? asDTypeName(k)));
}

const isscalarParams = /* @__PURE__ */ signature<{ element: unknown }>("isscalar", 1, ["element"]);
/** Whether a value is a number, a boolean, or an array without dimensions. */
export function isscalar(element: unknown): boolean;
export function isscalar(): boolean {
  const { element } = isscalarParams(arguments);
  return (
    typeof element === "number" || typeof element === "boolean" || (element instanceof NDArray && element.ndim === 0)
  );
}

/** Whether a value is an array with complex elements: never. */
export const iscomplexobj = (_x: unknown): boolean => false;
/** Whether a value is no array with complex elements: always. */
export const isrealobj = (_x: unknown): boolean => true;
