/**
 * tsax: composable transformations of functions on arrays.
 *
 * Write plain functions with `numpy`; `grad`, `vmap` and `jit` take functions and give functions, in any composition.
 */
import "./runtime/install.js";
import "./numpy/methods.js";
import "./numpy/index-methods.js";

export { NDArray } from "./core/array.js";
export { config, type Config } from "./core/config.js";
export { withDebug } from "./core/debug.js";
export { debugInfs, debugNans, disableJit, explainCacheMisses } from "./core/settings.js";
export type { DType, TypedArray } from "./core/dtype.js";
export {
  ArgumentError,
  CallbackError,
  CheckError,
  DeviceError,
  DisposedError,
  DTypeError,
  FloatingPointError,
  InternalError,
  ShapeError,
  TracerError,
  TransformError,
  TreeError,
  TsaxError,
} from "./core/errors.js";
export type { MemoryAnalysis } from "./core/engine.js";
export type { ArrayLike } from "./core/literal.js";
export type { Shape } from "./core/aval.js";
export {
  defaultDevice,
  init,
  type InitOptions,
  listDevices,
  memoryStats,
  setDefaultDevice,
} from "./runtime/devices.js";
export { profile, type Profile, type ProfiledKernel } from "./runtime/profile.js";
export type { DeviceStats } from "./runtime/storage.js";
export { blockUntilReady, devicePut, devicePutAsync } from "./runtime/transfer.js";
export * as debug from "./transforms/callbacks/debug.js";
export {
  effectsBarrier,
  ioCallback,
  type IoCallbackOptions,
  pureCallback,
  type PureCallbackOptions,
} from "./transforms/callbacks/host-functions.js";
export type { VmapMethod } from "./transforms/callbacks/primitives.js";
export {
  checkpoint,
  checkpoint as remat,
  checkpointName,
  type CheckpointOptions,
} from "./transforms/checkpoint/checkpoint.js";
export { checkpointPolicies, type CheckpointPolicy } from "./transforms/checkpoint/policies.js";
export { printSavedResiduals } from "./transforms/checkpoint/residuals.js";
export { checkify, type Checkify, type CheckifyOptions } from "./transforms/checkify/checkify.js";
export type { CheckResult } from "./transforms/checkify/result.js";
export { closureConvert, customGradient, type WithGradient } from "./transforms/custom/gradient.js";
export { customJvp, type CustomJvp, type CustomRuleOptions } from "./transforms/custom/jvp.js";
export { customVjp, type CustomVjp } from "./transforms/custom/vjp.js";
export { customVmap, type CustomVmap } from "./transforms/custom/vmap.js";
export { checkGrads, type CheckGradsOptions } from "./transforms/check-grads.js";
export { explain } from "./transforms/explain.js";
export type { Explanation } from "./transforms/explanation.js";
export { grad, type GradOptions, valueAndGrad } from "./transforms/grad.js";
export { evalShape, makeJaxpr, type ShapeDtype, type TracedJaxpr } from "./transforms/inspect.js";
export { hessian, jacfwd, jacrev } from "./transforms/jacobian.js";
export { type Compiled, jit, type Jitted, type JitOptions, type Lowered } from "./transforms/jit.js";
export { jvp } from "./transforms/jvp.js";
export { linearize } from "./transforms/linearize.js";
export { stopGradient } from "./transforms/stop-gradient.js";
export { linearTranspose } from "./transforms/transpose.js";
export { vjp, vjpAux } from "./transforms/vjp.js";
export { type Axes, vmap, type VmapOptions } from "./transforms/vmap.js";
export * as lax from "./lax/index.js";
export * as nn from "./nn/index.js";
export * as numpy from "./numpy/index.js";
export * as ops from "./ops/index.js";
export * as random from "./random/index.js";
export * as scipy from "./scipy/index.js";
export * as tree from "./tree/index.js";
export { registerDataclass, registerPytreeNode } from "./core/tree.js";
