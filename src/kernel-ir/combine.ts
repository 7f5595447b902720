import type { CombineOp, ScalarType } from "./scalar.js";

/** What combines with x to x. */
export function identity(combine: CombineOp, type: ScalarType): number {
  const isFloat = type === "f32" || type === "f64";
  switch (combine) {
    case "add":
      return isFloat ? -0 : 0;
    case "mul":
      return 1;
    case "min":
      return isFloat ? Infinity : type === "i32" ? 2147483647 : type === "bool" ? 1 : 4294967295;
    case "max":
      return isFloat ? -Infinity : type === "i32" ? -2147483648 : 0;
    case "and":
      return type === "bool" ? 1 : type === "u32" ? 4294967295 : -1;
    case "or":
    case "xor":
      return 0;
  }
}
