/** The library without its other entries: numpy's tests need no more. */
import "../../src/runtime/install.js";
import "../../src/numpy/methods.js";

export { NDArray } from "../../src/core/array.js";
export { config } from "../../src/core/config.js";
export type { DType } from "../../src/core/dtype.js";
export { ArgumentError, DTypeError, ShapeError, TsaxError } from "../../src/core/errors.js";
export { grad } from "../../src/transforms/grad.js";
export { makeJaxpr } from "../../src/transforms/inspect.js";
export { jit } from "../../src/transforms/jit.js";
export { jvp } from "../../src/transforms/jvp.js";
export { vjp } from "../../src/transforms/vjp.js";
export { vmap } from "../../src/transforms/vmap.js";
export * as np from "../../src/numpy/index.js";
