import { InternalError } from "../../../core/errors.js";
import type { ScalarType } from "../../../kernel-ir/scalar.js";

/** Scalar types that WGSL has. */
export type GpuType = "f32" | "i32" | "u32" | "bool";

/** Values at once: one, or a vector of four (each op works on each lane). */
export type Lanes = 1 | 4;

/** A scalar type as one that WGSL has. @throws InternalError for f64 and i64, which no kernel of this backend has. */
export function gpuType(type: ScalarType): GpuType {
  if (type === "f64" || type === "i64") throw new InternalError(`WGSL has no ${type}`);
  return type;
}

const vectors: Readonly<Record<GpuType, string>> = { f32: "vec4f", i32: "vec4i", u32: "vec4u", bool: "vec4<bool>" };
export const typeName = (type: GpuType, lanes: Lanes = 1): string => (lanes === 1 ? type : vectors[type]);

/** The type of a value in storage: bools are words, 0 or 1. */
export const storageType = (type: GpuType): Exclude<GpuType, "bool"> => (type === "bool" ? "u32" : type);

/** The text without parentheses around all of it, for a place where nothing stands beside it. */
export function alone(text: string): string {
  if (!text.startsWith("(") || !text.endsWith(")")) return text;
  let depth = 0;
  for (let i = 0; i < text.length - 1; i++) {
    const ch = text[i];
    if (ch === "(") depth++;
    else if (ch === ")" && --depth === 0) return text;
  }
  return text.slice(1, -1);
}

/** The same for an argument of a call. Comparisons keep theirs, for WGSL takes `a < b, c > d` for a template. */
export const bare = (text: string): string => (/ [<>]/.test(text) ? text : alone(text));
