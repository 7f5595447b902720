import { DTypeError } from "./errors.js";

/** The element types of arrays. `key` is an opaque random key, stored as two uint32 words. */
export type DType = "float32" | "float64" | "int32" | "uint32" | "bool" | "key";

export type DTypeKind = "float" | "int" | "uint" | "bool" | "key";

/** Storage of an array's elements on the host; bool is one 32-bit word (0 or 1) an element, key two. */
export type TypedArray = Float32Array | Float64Array | Int32Array | Uint32Array;

interface DTypeInfo {
  readonly name: DType;
  /** As jaxprs print it. */
  readonly short: string;
  readonly kind: DTypeKind;
  /** Bytes an element takes in storage. */
  readonly bytes: number;
  /** Words of `storage` an element takes: 2 for keys, else 1. */
  readonly words: number;
  readonly storage: new (length: number) => TypedArray;
}

export const dtypeInfo: Readonly<Record<DType, DTypeInfo>> = {
  float32: { name: "float32", short: "f32", kind: "float", bytes: 4, words: 1, storage: Float32Array },
  float64: { name: "float64", short: "f64", kind: "float", bytes: 8, words: 1, storage: Float64Array },
  int32: { name: "int32", short: "i32", kind: "int", bytes: 4, words: 1, storage: Int32Array },
  uint32: { name: "uint32", short: "u32", kind: "uint", bytes: 4, words: 1, storage: Uint32Array },
  bool: { name: "bool", short: "bool", kind: "bool", bytes: 4, words: 1, storage: Int32Array },
  key: { name: "key", short: "key", kind: "key", bytes: 8, words: 2, storage: Uint32Array },
};

export const isFloat = (d: DType): boolean => d === "float32" || d === "float64";
export const isInteger = (d: DType): boolean => d === "int32" || d === "uint32";
/** A dtype with arithmetic: everything but bool and key. */
export const isNumeric = (d: DType): boolean => d !== "bool" && d !== "key";

/** Names of other libraries' dtypes that tsax knows of but does not hold, so that the error can say so. */
const known = new Set(
  "int8 int16 int64 uint8 uint16 uint64 float16 bfloat16 complex64 complex128 int4 uint4 int2 uint2 float8_e4m3fn float8_e5m2".split(
    " ",
  ),
);

/** Checks a user's dtype string. @throws DTypeError `dtype-unsupported` or `dtype-unknown`. */
export function asDType(name: unknown): DType {
  if (typeof name === "string" && name in dtypeInfo) return name as DType;
  const isKnown = typeof name === "string" && known.has(name);
  throw new DTypeError({
    code: isKnown ? "dtype-unsupported" : "dtype-unknown",
    message: isKnown
      ? `dtype ${name} is not supported`
      : `${typeof name === "function" ? name.name : JSON.stringify(name)} is not a dtype`,
    hint: `use one of ${Object.keys(dtypeInfo).join(", ")}`,
  });
}

/** An element type as promotion sees it: `weak` marks the type of a bare JS number. */
export interface PromotionType {
  readonly dtype: DType;
  readonly weak: boolean;
}

/**
 * JAX's promotion lattice, as the nodes that lie above each node:
 * b1 → i* → u4 → i4 (x64 off: u4+i4 = i4) → f* → f4 → f8.
 */
type Node = "b" | "i*" | "u4" | "i4" | "f*" | "f4" | "f8";
const order: readonly Node[] = ["b", "i*", "u4", "i4", "f*", "f4", "f8"];

function nodeOf({ dtype, weak }: PromotionType): Node {
  switch (dtype) {
    case "bool":
      return "b";
    case "int32":
      return weak ? "i*" : "i4";
    case "uint32":
      return weak ? "i*" : "u4";
    case "float32":
      return weak ? "f*" : "f4";
    case "float64":
      return weak ? "f*" : "f8";
    case "key":
      throw new DTypeError({
        code: "key-arithmetic",
        message: "random keys take part in no arithmetic",
        hint: "use random.bits, random.uniform, … to draw numbers, or random.keyData for the words",
      });
  }
}

/** Promotes element types as JAX does. All-weak operands stay weak; `defaultFloat` is the dtype of a weak float. */
export function promoteTypes(types: readonly PromotionType[], defaultFloat: DType = "float32"): PromotionType {
  let top: Node = "b";
  let dtypeOfTop: DType = "bool";
  let weakFloat: DType | undefined;
  for (const t of types) {
    const n = nodeOf(t);
    if (order.indexOf(n) > order.indexOf(top)) {
      top = n;
      dtypeOfTop = t.dtype;
    }
    if (n === "f*" && t.dtype === "float64") weakFloat = "float64";
  }
  switch (top) {
    case "b":
      return { dtype: "bool", weak: false };
    case "i*":
      return { dtype: dtypeOfTop, weak: true };
    case "u4":
      return { dtype: "uint32", weak: false };
    case "i4":
      return { dtype: "int32", weak: false };
    case "f*":
      return { dtype: weakFloat ?? defaultFloat, weak: true };
    case "f4":
      return { dtype: "float32", weak: false };
    case "f8":
      return { dtype: "float64", weak: false };
  }
}
