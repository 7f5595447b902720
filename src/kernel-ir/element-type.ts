import type { DType } from "../core/dtype.js";
import type { BufferArg } from "./kernel.js";

/** The type of an element in a buffer. */
export function elementType({ dtype }: { readonly dtype: DType }): BufferArg["type"] {
  switch (dtype) {
    case "float32":
      return "f32";
    case "float64":
      return "f64";
    case "int32":
      return "i32";
    case "uint32":
    case "key":
      return "u32";
    case "bool":
      return "bool";
  }
}
