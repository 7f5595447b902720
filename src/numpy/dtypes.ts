import { NDArray } from "../core/array.js";
import { signature, variadic } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType, dtypeInfo, promoteTypes as promoteElementTypes, type PromotionType } from "../core/dtype.js";
import { ArgumentError, DTypeError } from "../core/errors.js";
import { type ArrayLike, weakAval } from "../core/literal.js";

/** Questions about dtypes. */

/** Machine limits of a float dtype. */
export interface FloatInfo {
  readonly dtype: DType;
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

const float32Info: FloatInfo = {
  dtype: "float32",
  bits: 32,
  eps: 2 ** -23,
  epsneg: 2 ** -24,
  max: 3.4028234663852886e38,
  min: -3.4028234663852886e38,
  tiny: 2 ** -126,
  smallestNormal: 2 ** -126,
  smallestSubnormal: 2 ** -149,
  nexp: 8,
  nmant: 23,
  maxexp: 128,
  minexp: -126,
  precision: 6,
  resolution: 1e-6,
};
const float64Info: FloatInfo = {
  dtype: "float64",
  bits: 64,
  eps: Number.EPSILON,
  epsneg: Number.EPSILON / 2,
  max: Number.MAX_VALUE,
  min: -Number.MAX_VALUE,
  tiny: 2 ** -1022,
  smallestNormal: 2 ** -1022,
  smallestSubnormal: Number.MIN_VALUE,
  nexp: 11,
  nmant: 52,
  maxexp: 1024,
  minexp: -1022,
  precision: 15,
  resolution: 1e-15,
};

const dtypeOf = (x: unknown): DType => (x instanceof NDArray ? x.dtype : asDType(x));

const finfoParams = /* @__PURE__ */ signature<{ dtype: DType | NDArray }>("finfo", 1, ["dtype"]);
/** Limits of a float dtype, or of an array's. */
export function finfo(dtype: DType | NDArray): FloatInfo;
export function finfo(): FloatInfo {
  const dtype = dtypeOf(finfoParams(arguments).dtype);
  if (dtype === "float32") return float32Info;
  if (dtype === "float64") return float64Info;
  throw new DTypeError({ code: "float-needed", message: `finfo: ${dtype} is not a float dtype`, hint: "iinfo tells of integers" });
}

export interface IntegerInfo {
  readonly dtype: DType;
  readonly bits: number;
  readonly min: number;
  readonly max: number;
}
const iinfoParams = /* @__PURE__ */ signature<{ intType: DType | NDArray }>("iinfo", 1, ["intType"]);
/** Limits of an integer dtype, or of an array's. */
export function iinfo(dtype: DType | NDArray): IntegerInfo;
export function iinfo(): IntegerInfo {
  const dtype = dtypeOf(iinfoParams(arguments).intType);
  if (dtype === "int32") return { dtype, bits: 32, min: -2147483648, max: 2147483647 };
  if (dtype === "uint32") return { dtype, bits: 32, min: 0, max: 4294967295 };
  throw new DTypeError({ code: "integer-needed", message: `iinfo: ${dtype} is not an integer dtype`, hint: "finfo tells of floats" });
}

const promoteTypesParams = /* @__PURE__ */ signature<{ a: DType; b: DType }>("promoteTypes", 2, ["a", "b"]);
/** The dtype of operations on these two. */
export function promoteTypes(a: DType, b: DType): DType;
export function promoteTypes(): DType {
  const { a, b } = promoteTypesParams(arguments);
  const types = [a, b].map((d): PromotionType => ({ dtype: asDType(d), weak: false }));
  return promoteElementTypes(types, defaultFloat()).dtype;
}

const resultTypeParams = /* @__PURE__ */ variadic("resultType", []);
/** The dtype of operations on arrays, numbers and dtypes. */
export function resultType(...args: readonly (ArrayLike | DType)[]): DType;
export function resultType(): DType {
  const [values] = resultTypeParams(arguments);
  if (values.length === 0) throw new ArgumentError({ code: "argument-missing", message: "resultType needs at least one argument" });
  const types = values.map((v): PromotionType => {
    if (v instanceof NDArray) return { dtype: v.dtype, weak: v.weakType };
    if (typeof v === "number" || typeof v === "boolean") return { dtype: weakAval(v).dtype, weak: weakAval(v).weakType };
    return { dtype: asDType(v), weak: false };
  });
  return promoteElementTypes(types, defaultFloat()).dtype;
}

export type Casting = "no" | "equiv" | "safe" | "same_kind" | "sameKind" | "unsafe";
const rank: Readonly<Record<DType, number>> = { bool: 0, uint32: 1, int32: 1, float32: 2, float64: 2, key: 9 };
const canCastParams = /* @__PURE__ */ signature<{ from: DType | NDArray; to: DType; casting?: Casting }>("canCast", 2, ["from", "to", "casting"]);
/** Whether every value of one dtype can be converted to another under a casting rule: safe keeps all values. */
export function canCast(from: DType | NDArray, to: DType, casting?: Casting | { readonly casting?: Casting }): boolean;
export function canCast(): boolean {
  const given = canCastParams(arguments);
  const [from, to] = [dtypeOf(given.from), asDType(given.to)];
  if (from === to) return true;
  if (from === "key" || to === "key") return given.casting === "unsafe";
  switch (given.casting ?? "safe") {
    case "no":
    case "equiv":
      return false;
    case "unsafe":
      return true;
    case "same_kind":
    case "sameKind":
      return rank[from] <= rank[to] && !(from === "int32" && to === "uint32");
    default:
      // 32-bit integers have more digits than float32 holds.
      return from === "bool" || to === "float64";
  }
}

/** Names of sets of dtypes, as NumPy's hierarchy has them. */
export type DTypeClass = "generic" | "number" | "integer" | "signedinteger" | "unsignedinteger" | "inexact" | "floating" | "complexfloating" | "bool" | "key";

const classes: Readonly<Record<string, (d: DType) => boolean>> = {
  generic: () => true,
  number: (d) => d !== "bool" && d !== "key",
  integer: (d) => d === "int32" || d === "uint32",
  signedinteger: (d) => d === "int32",
  unsignedinteger: (d) => d === "uint32",
  inexact: (d) => dtypeInfo[d].kind === "float",
  floating: (d) => dtypeInfo[d].kind === "float",
  complexfloating: () => false,
};
const issubdtypeParams = /* @__PURE__ */ signature<{ arg1: string; arg2: string }>("issubdtype", 2, ["arg1", "arg2"]);
/** Whether a dtype belongs to a class of dtypes, or equals another one. */
export function issubdtype(a: DType | DTypeClass, b: DType | DTypeClass): boolean;
export function issubdtype(): boolean {
  const { arg1, arg2 } = issubdtypeParams(arguments);
  const b = arg2 as string;
  const test = classes[b];
  if (arg1 in classes && !(arg1 in dtypeInfo)) return arg1 === b || (test !== undefined && isSubclass(arg1, b));
  const a = asDType(arg1);
  return test !== undefined ? test(a) : a === asDType(b);
}

/** Whether one class of dtypes lies within another. */
const isSubclass = (a: string, b: string): boolean => {
  const parents: Readonly<Record<string, string>> = {
    number: "generic",
    integer: "number",
    inexact: "number",
    signedinteger: "integer",
    unsignedinteger: "integer",
    floating: "inexact",
    complexfloating: "inexact",
  };
  for (let c: string | undefined = a; c !== undefined; c = parents[c]) if (c === b) return true;
  return false;
};

const kinds: Readonly<Record<string, (d: DType) => boolean>> = {
  bool: (d) => d === "bool",
  "signed integer": (d) => d === "int32",
  "unsigned integer": (d) => d === "uint32",
  integral: (d) => d === "int32" || d === "uint32",
  "real floating": (d) => dtypeInfo[d].kind === "float",
  "complex floating": () => false,
  numeric: (d) => d !== "bool" && d !== "key",
};
const isdtypeParams = /* @__PURE__ */ signature<{ dtype: DType; kind: string | readonly string[] }>("isdtype", 2, ["dtype", "kind"]);
/** Whether a dtype is of a kind of the array API (`"integral"`, `"real floating"`, …), equals another one, or does so for one of a list. */
export function isdtype(dtype: DType | NDArray, kind: string | readonly string[]): boolean;
export function isdtype(): boolean {
  const { dtype, kind } = isdtypeParams(arguments);
  const d = dtypeOf(dtype);
  return (typeof kind === "string" ? [kind] : kind).some((k) => kinds[k]?.(d) ?? (k in dtypeInfo ? k === d : unknownKind(k)));
}
function unknownKind(kind: string): never {
  throw new ArgumentError({ code: "option-value", message: `isdtype: ${JSON.stringify(kind)} is no kind of dtype`, hint: `kinds: ${Object.keys(kinds).join(", ")}` });
}

const isscalarParams = /* @__PURE__ */ signature<{ element: unknown }>("isscalar", 1, ["element"]);
/** Whether a value is a number, a boolean, or an array without dimensions. */
export function isscalar(element: unknown): boolean;
export function isscalar(): boolean {
  const { element } = isscalarParams(arguments);
  return typeof element === "number" || typeof element === "boolean" || (element instanceof NDArray && element.ndim === 0);
}

/** Whether a value is an array with complex elements: never. */
export const iscomplexobj = (_x: unknown): boolean => false;
/** Whether a value is no array with complex elements: always. */
export const isrealobj = (_x: unknown): boolean => true;
