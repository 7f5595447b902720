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
  /** What it is told besides its bindings (control.ts). */
  readonly control?: Control;
  /** It may take so long that nothing else goes with it. */
  readonly long?: boolean;
}

/** Whether a shader asks a gate if it is to do anything, and of how many rounds it knows the numbers. */
export interface Control {
  readonly gated: boolean;
  readonly turns: number;
}

/** Storage that a shader sees: an argument of the kernel, memory that its dispatches share, or the gates. */
export type Binding =
  | { readonly kind: "arg"; readonly arg: number; readonly access: "read" | "read_write" }
  | { readonly kind: "scratch"; readonly scratch: number; readonly access: "read" | "read_write" }
  | { readonly kind: "gates"; readonly access: "read_write" };

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
  /** Arguments of which the kernel's element 0 lies elsewhere than where they begin. */
  readonly views?: readonly (View | undefined)[] | undefined;
}

/** Where a kernel's buffer lies, where that is not simply the binding of its argument. */
export interface View {
  /** The place of element 0, in elements: text of an i32. */
  readonly base: string;
  /** The array that it lies in, declared by others. */
  readonly memory?: { readonly name: string; readonly element: "u32" };
}
