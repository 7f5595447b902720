import type { TypedArray } from "../../src/core/dtype.js";
import {
  defaultLimits,
  type Dispatch,
  type KernelCode,
  type LaunchContext,
} from "../../src/backends/webgpu/dispatch.js";
import type { BufferArg } from "../../src/kernel-ir/kernel.js";
import { testGpuDevice } from "./adapter.js";

/** Running what one kernel is lowered to on a device for tests, without the backend's own executable. */

let shared: Promise<GPUDevice | null> | undefined;

/** One device for all tests of a file; null: this machine has none. */
export function sharedDevice(): Promise<GPUDevice | null> {
  return (shared ??= testGpuDevice());
}

/** A launch without shared storage, within the specification's default limits. */
export function launchOf(kernel: { readonly buffers: readonly unknown[] }, sameAs?: readonly number[]): LaunchContext {
  return { limits: defaultLimits, sameAs: sameAs ?? kernel.buffers.map((_, i) => i) };
}

/** The typed array of a buffer: bools are words. */
export function storageOf(arg: BufferArg, length = arg.length): TypedArray {
  switch (arg.type) {
    case "f32":
      return new Float32Array(length);
    case "i32":
      return new Int32Array(length);
    case "u32":
    case "bool":
      return new Uint32Array(length);
    case "f64":
      throw new Error("there is no float64 on a GPU");
  }
}

const pipelines = new WeakMap<GPUDevice, Map<string, Promise<GPUComputePipeline>>>();

const numbered = (wgsl: string): string =>
  wgsl
    .split("\n")
    .map((line, i) => `${String(i + 1).padStart(4)}  ${line}`)
    .join("\n");

/** The pipeline of a module, made once a device. @throws with the messages and the text where the device refuses it. */
export function pipelineOf(device: GPUDevice, wgsl: string): Promise<GPUComputePipeline> {
  let known = pipelines.get(device);
  if (!known) pipelines.set(device, (known = new Map()));
  let pipeline = known.get(wgsl);
  if (!pipeline) known.set(wgsl, (pipeline = makePipeline(device, wgsl)));
  return pipeline;
}

async function makePipeline(device: GPUDevice, wgsl: string): Promise<GPUComputePipeline> {
  device.pushErrorScope("validation");
  const module = device.createShaderModule({ code: wgsl });
  const [info, refusal] = await Promise.all([module.getCompilationInfo(), device.popErrorScope()]);
  const messages = info.messages.map((m) => `${m.type} at ${m.lineNum}:${m.linePos}: ${m.message}`);
  if (refusal || info.messages.some((m) => m.type !== "info"))
    throw new Error(
      `the device refuses a shader\n${refusal?.message ?? ""}\n${messages.join("\n")}\n${numbered(wgsl)}`,
    );
  try {
    return await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
  } catch (error) {
    throw new Error(`the device makes no pipeline\n${String(error)}\n${numbered(wgsl)}`, { cause: error });
  }
}

/**
 * Runs the dispatches of a kernel. `buffers`: contents of its arguments before; the result: after, the argument before that
 * shares its storage standing for each that `sameAs` names.
 */
export async function runCode(
  device: GPUDevice,
  code: KernelCode,
  buffers: readonly TypedArray[],
  sameAs: readonly number[] = buffers.map((_, i) => i),
): Promise<TypedArray[]> {
  const made: GPUBuffer[] = [];
  const buffer = (bytes: number, usage: number): GPUBuffer => {
    const b = device.createBuffer({ size: Math.max(16, Math.ceil(bytes / 16) * 16), usage });
    made.push(b);
    return b;
  };
  const storage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST;
  const pipes = await Promise.all(code.dispatches.map((d) => pipelineOf(device, d.wgsl)));
  device.pushErrorScope("validation");
  const args = buffers.map((array, i) => {
    if (sameAs[i] !== i) return undefined;
    const b = buffer(array.byteLength, storage);
    if (array.byteLength > 0) device.queue.writeBuffer(b, 0, array as GPUAllowSharedBufferSource);
    return b;
  });
  const scratch = code.scratch.map((bytes) => {
    const b = buffer(bytes, storage);
    // Nothing may rest on what scratch memory holds at first.
    device.queue.writeBuffer(b, 0, new Uint8Array(b.size).fill(0xa5));
    return b;
  });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  code.dispatches.forEach((dispatch, d) => {
    const resource = (b: Dispatch["bindings"][number]): GPUBuffer => {
      if (b.kind === "gates") throw new Error("a kernel has no gates");
      return b.kind === "arg" ? args[sameAs[b.arg]!]! : scratch[b.scratch]!;
    };
    pass.setPipeline(pipes[d]!);
    pass.setBindGroup(
      0,
      device.createBindGroup({
        layout: pipes[d]!.getBindGroupLayout(0),
        entries: dispatch.bindings.map((b, binding) => ({ binding, resource: { buffer: resource(b) } })),
      }),
    );
    pass.dispatchWorkgroups(...dispatch.workgroups);
  });
  pass.end();
  const reads = args.map((b) => {
    if (!b) return undefined;
    const into = buffer(b.size, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    encoder.copyBufferToBuffer(b, 0, into, 0, b.size);
    return into;
  });
  device.queue.submit([encoder.finish()]);
  const refusal = await device.popErrorScope();
  if (refusal)
    throw new Error(
      `the device refuses a dispatch: ${refusal.message}\n${code.dispatches.map((d) => `${d.label}\n${numbered(d.wgsl)}`).join("\n")}`,
    );
  const after: (ArrayBuffer | undefined)[] = [];
  for (const [i, from] of reads.entries()) {
    await from?.mapAsync(GPUMapMode.READ);
    after.push(from?.getMappedRange(0, Math.ceil(buffers[i]!.byteLength / 4) * 4).slice(0));
  }
  const results = buffers.map((array, i) => {
    const own = array.constructor as new (data: ArrayBuffer, offset: number, length: number) => TypedArray;
    return new own(after[sameAs[i]!]!, 0, array.length);
  });
  for (const b of made) b.destroy();
  return results;
}
