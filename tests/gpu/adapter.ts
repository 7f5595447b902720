import { useSoftwareDriver } from "../../scripts/software-gpu.mjs";

export { useSoftwareDriver };

let gpu: Promise<GPU> | undefined;

/** WebGPU's entry point in Node, on the machine's own adapter or, without one, on the software driver. */
export function testGpu(): Promise<GPU> {
  gpu ??= (async () => {
    useSoftwareDriver();
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    return create(["enable-dawn-features=disable_workgroup_init"]);
  })();
  return gpu;
}

/** A device with the adapter's limits, or with the specification's default limits; null: this machine has none. */
export async function testGpuDevice({ defaultLimits = false } = {}): Promise<GPUDevice | null> {
  const adapter = await (await testGpu()).requestAdapter();
  if (!adapter) return null;
  if (defaultLimits) return adapter.requestDevice();
  const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const requiredLimits = { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize, maxBufferSize };
  return adapter.requestDevice({ requiredLimits });
}
