import { type NDArray, numpy as np } from "../src/index.js";

/** Arrays written short: vectors of a dtype, and scalars. */
export const f32 = (...xs: number[]): NDArray => np.array(xs, { dtype: "float32" });
export const i32 = (...xs: number[]): NDArray => np.array(xs, { dtype: "int32" });
export const scalar = (x: number): NDArray => np.array(x, { dtype: "float32" });
export const int = (x: number): NDArray => np.array(x, { dtype: "int32" });
