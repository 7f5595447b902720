import { config } from "../core/config.js";
import type { DType } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";

/** JAX's dtypes as names: which there are, what they promote to, what converts to what. Arrays have only some of them. */

export type DTypeName =
  | DType
  | "int8"
  | "int16"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint64"
  | "bfloat16"
  | "float16"
  | "complex64"
  | "complex128";

/** Sets of dtypes, as NumPy's hierarchy has them. */
export type DTypeClass =
  "generic" | "number" | "integer" | "signedinteger" | "unsignedinteger" | "inexact" | "floating" | "complexfloating";

/**
 * JAX's promotion lattice: to each dtype those directly above it. `i*`, `f*` and `c*` are the weak types of bare numbers;
 * 64-bit types are there as they are under x64.
 */
const above: Readonly<Record<string, readonly string[]>> = {
  bool: ["i*"],
  "i*": ["uint8", "int8"],
  uint8: ["int16", "uint16"],
  uint16: ["int32", "uint32"],
  uint32: ["int64", "uint64"],
  uint64: ["f*"],
  int8: ["int16"],
  int16: ["int32"],
  int32: ["int64"],
  int64: ["f*"],
  "f*": ["c*", "bfloat16", "float16"],
  bfloat16: ["float32"],
  float16: ["float32"],
  float32: ["float64", "complex64"],
  float64: ["complex128"],
  "c*": ["complex64"],
  complex64: ["complex128"],
  complex128: [],
  key: [],
};

/** Classes from the narrowest up, for each family of dtypes. */
const signed: readonly DTypeClass[] = ["signedinteger", "integer", "number", "generic"];
const unsigned: readonly DTypeClass[] = ["unsignedinteger", "integer", "number", "generic"];
const floating: readonly DTypeClass[] = ["floating", "inexact", "number", "generic"];
const complex: readonly DTypeClass[] = ["complexfloating", "inexact", "number", "generic"];

/** Bits of the largest integer that a dtype holds exactly, and the exponent's reach. */
interface Traits {
  readonly classes: readonly DTypeClass[];
  readonly digits: number;
  readonly reach: number;
}
const integer = (classes: readonly DTypeClass[], digits: number): Traits => ({ classes, digits, reach: digits });
const traits: Readonly<Record<DTypeName, Traits>> = {
  bool: { classes: ["generic"], digits: 1, reach: 1 },
  int8: integer(signed, 7),
  int16: integer(signed, 15),
  int32: integer(signed, 31),
  int64: integer(signed, 63),
  uint8: integer(unsigned, 8),
  uint16: integer(unsigned, 16),
  uint32: integer(unsigned, 32),
  uint64: integer(unsigned, 64),
  bfloat16: { classes: floating, digits: 8, reach: 128 },
  float16: { classes: floating, digits: 11, reach: 16 },
  float32: { classes: floating, digits: 24, reach: 128 },
  float64: { classes: floating, digits: 53, reach: 1024 },
  complex64: { classes: complex, digits: 24, reach: 128 },
  complex128: { classes: complex, digits: 53, reach: 1024 },
  key: { classes: [], digits: 0, reach: 0 },
};

/** Checks the name of a dtype. @throws DTypeError `dtype-unknown`. */
export function asDTypeName(x: unknown): DTypeName {
  if (typeof x === "string" && x in traits) return x as DTypeName;
  throw new DTypeError({
    code: "dtype-unknown",
    message: `${JSON.stringify(x) ?? String(x)} is not a dtype`,
    hint: `dtypes: ${Object.keys(traits).join(", ")}`,
  });
}

const classNames: ReadonlySet<string> = new Set<DTypeClass>([
  "generic",
  "number",
  "integer",
  "signedinteger",
  "unsignedinteger",
  "inexact",
  "floating",
  "complexfloating",
]);
export const isDTypeClass = (x: unknown): x is DTypeClass => typeof x === "string" && classNames.has(x);

/** A dtype or class with all the classes that it lies in. */
export function classesOf(x: unknown): readonly string[] {
  if (isDTypeClass(x)) {
    const family = [signed, unsigned, floating, complex].find((f) => f.includes(x))!;
    return family.slice(family.indexOf(x));
  }
  const name = asDTypeName(x);
  return [name, ...traits[name].classes];
}

/** Everything at and above a node of the lattice. */
function reachable(node: string): Set<string> {
  const seen = new Set<string>([node]);
  for (const n of seen) for (const up of above[n]!) seen.add(up);
  return seen;
}

const narrower: Readonly<Record<string, DTypeName>> = {
  int64: "int32",
  uint64: "uint32",
  float64: "float32",
  complex128: "complex64",
};

/** The least dtype above both. @throws DTypeError `no-promotion`. */
export function promoteNames(a: DTypeName, b: DTypeName): DTypeName {
  const [ups, others] = [reachable(a), reachable(b)];
  const common = [...ups].filter((n) => others.has(n));
  const least = common.find((n) => common.every((m) => reachable(n).has(m)));
  if (least === "f*") return "float64";
  // 64-bit types that nobody named take x64.
  if (least !== undefined)
    return a in narrower || b in narrower || config.enableX64
      ? (least as DTypeName)
      : (narrower[least] ?? (least as DTypeName));
  throw new DTypeError({ code: "no-promotion", message: `${a} and ${b} have no common dtype` });
}

const isComplex = (d: DTypeName): boolean => traits[d].classes === complex;
const isUnsigned = (d: DTypeName): boolean => traits[d].classes === unsigned || d === "bool";

/** Whether every value of one dtype is a value of the other (NumPy's safe casting, for which int64 fits float64). */
export function keepsValues(from: DTypeName, to: DTypeName): boolean {
  if (from === to) return true;
  const [f, t] = [traits[from], traits[to]];
  if (from === "key" || to === "key" || to === "bool") return false;
  if (from === "bool") return true;
  if (isComplex(from) && !isComplex(to)) return false;
  if (f.classes.includes("integer")) {
    if (t.classes.includes("integer")) return t.digits >= f.digits && (isUnsigned(from) || !isUnsigned(to));
    return t.digits >= f.digits || (to === "float64" && f.digits > 53) || to === "complex128";
  }
  return !t.classes.includes("integer") && t.digits >= f.digits && t.reach >= f.reach;
}

/** Whether a conversion stays within a kind or goes up: signed and unsigned integers, floats, complex numbers. */
export function keepsKind(from: DTypeName, to: DTypeName): boolean {
  const rank = (d: DTypeName): number => [unsigned, signed, floating, complex].indexOf(traits[d].classes);
  return from !== "key" && to !== "key" && from !== "bfloat16" && rank(from) <= rank(to);
}
