import type { ModuleSource } from "./wgsl/source.js";

/**
 * What kernels become on a GPU: dispatches of compute shaders over storage buffers.
 *
 *   kernel ──lower──▶ KernelCode { dispatches, scratch }
 *
 * Lowering makes text and numbers only; it needs no device, so that all of it can be looked at and tested without one.
 */

/** One shader module (entry point `main`) and one dispatch of it. */
export interface Dispatch {
  /** Kernel and role, for people: `softmax: rows`. */
  readonly label: string;
  /** The whole module. Binding k of group 0 is `bindings[k]`, declared as `b<k>`. Equal texts share a pipeline. */
  readonly wgsl: string;
  /** The module in parts, if it may be joined with others. */
  readonly source?: ModuleSource;
  readonly bindings: readonly Binding[];
  /** Each at most the limit of a dimension; more points than that are folded into the second dimension. */
  readonly workgroups: readonly [x: number, y: number, z: number];
  readonly cost: DispatchCost;
}

/** Storage that a shader sees: an argument of the kernel, or memory that its dispatches share. */
export type Binding =
  | { readonly kind: "arg"; readonly arg: number; readonly access: "read" | "read_write" }
  | { readonly kind: "scratch"; readonly scratch: number; readonly access: "read" | "read_write" };

/** Counted from the code, for benchmarks and tests: whole dispatch. */
export interface DispatchCost {
  readonly flops: number;
  /** Bytes read from and written to storage buffers, each access counted. */
  readonly loadBytes: number;
  readonly storeBytes: number;
  /** Bytes of workgroup memory. */
  readonly workgroupBytes: number;
}

export interface KernelCode {
  readonly dispatches: readonly Dispatch[];
  /** Bytes of the memory that lives from the first dispatch of the kernel to its last. */
  readonly scratch: readonly number[];
}

/** The limits that lowering plans with: those of the device, or the specification's defaults. */
export interface Limits {
  readonly maxStorageBuffersPerShaderStage: number;
  readonly maxStorageBufferBindingSize: number;
  readonly maxComputeWorkgroupsPerDimension: number;
  readonly maxComputeWorkgroupStorageSize: number;
  readonly maxComputeInvocationsPerWorkgroup: number;
  readonly maxComputeWorkgroupSizeX: number;
}

export const defaultLimits: Limits = {
  maxStorageBuffersPerShaderStage: 8,
  maxStorageBufferBindingSize: 128 * 2 ** 20,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupSizeX: 256,
};

/** What lowering is told of one launch. */
export interface LaunchContext {
  readonly limits: Limits;
  /**
   * sameAs[i] ≤ i: the first argument that lies in the very same storage as argument i (donation, in-place reuse). WebGPU
   * refuses one buffer bound for reading and for writing in one dispatch: such arguments share one binding, that of the first.
   */
  readonly sameAs: readonly number[];
  /** Workgroups shall have just so many invocations, where the kernel's code can have it so. */
  readonly threads?: number;
}
