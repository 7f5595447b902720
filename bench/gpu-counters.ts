/** What a library asks of WebGPU, counted where every library has to pass: the methods of the interfaces. */
export interface GpuCounts {
  readonly dispatches: number;
  readonly submits: number;
  readonly bindGroups: number;
  readonly pipelines: number;
  readonly buffers: number;
  /** Bytes of the buffer ranges that dispatches have bound: what they move if they touch every element once. */
  readonly boundBytes: number;
}

const counts = { dispatches: 0, submits: 0, bindGroups: 0, pipelines: 0, buffers: 0, boundBytes: 0 };
export const gpuCounts = (): GpuCounts => ({ ...counts });

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Calls `seen` after a method of an interface. */
function observe(owner: object, name: string, seen: (self: unknown, args: unknown[], result: unknown) => void): void {
  const prototype = owner as Record<string, Method>;
  const original = prototype[name]!;
  prototype[name] = function (...args) {
    const result = original.apply(this, args);
    seen(this, args, result);
    return result;
  };
}

/** Starts counting; call it before a library asks for its device. */
export function countGpu(): void {
  const { GPUDevice, GPUQueue, GPUComputePassEncoder } = globalThis as unknown as Record<string, { prototype: object }>;
  const bytesOf = new WeakMap<object, number>();
  const bound = new WeakMap<object, Map<number, number>>();
  const device = GPUDevice!.prototype;
  observe(device, "createBindGroup", (_, [descriptor], group) => {
    counts.bindGroups++;
    let bytes = 0;
    for (const { resource } of (descriptor as GPUBindGroupDescriptor).entries) {
      const binding = ("buffer" in resource ? resource : { buffer: resource }) as GPUBufferBinding;
      bytes += binding.size ?? (binding.buffer.size ?? 0) - (binding.offset ?? 0);
    }
    bytesOf.set(group as object, bytes);
  });
  observe(device, "createBuffer", () => counts.buffers++);
  observe(device, "createComputePipeline", () => counts.pipelines++);
  observe(device, "createComputePipelineAsync", () => counts.pipelines++);
  observe(GPUQueue!.prototype, "submit", () => counts.submits++);
  const pass = GPUComputePassEncoder!.prototype;
  observe(pass, "setBindGroup", (self, [index, group]) => {
    const groups = bound.get(self as object) ?? new Map<number, number>();
    bound.set(self as object, groups.set(index as number, bytesOf.get(group as object) ?? 0));
  });
  const dispatched = (self: unknown): void => {
    counts.dispatches++;
    for (const bytes of bound.get(self as object)?.values() ?? []) counts.boundBytes += bytes;
  };
  observe(pass, "dispatchWorkgroups", dispatched);
  observe(pass, "dispatchWorkgroupsIndirect", dispatched);
}
