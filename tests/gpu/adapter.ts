import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

/**
 * WebGPU on a machine without a GPU: the software driver SwiftShader that comes with the development dependency
 * @sparticuz/chromium (Linux x64). Elsewhere the machine's own adapter is used, or there is none.
 */
const require = createRequire(import.meta.url);

/** Unpacks the driver once; the folder that holds it. */
function unpacked(): string {
  const packed = join(dirname(require.resolve("@sparticuz/chromium")), "../../bin/swiftshader.tar.br");
  const folder = fileURLToPath(new URL("../../node_modules/.cache/tsax-swiftshader", import.meta.url));
  if (!existsSync(join(folder, "vk_swiftshader_icd.json"))) {
    const fresh = `${folder}-${process.pid}`;
    mkdirSync(fresh, { recursive: true });
    const tar = join(fresh, "swiftshader.tar");
    writeFileSync(tar, brotliDecompressSync(readFileSync(packed)));
    execFileSync("tar", ["xf", tar, "-C", fresh]);
    rmSync(tar);
    try {
      renameSync(fresh, folder);
    } catch {
      // another process was faster
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  return folder;
}

/** Lets Dawn for Node find the software driver; call it before a device is asked for. */
export function useSoftwareDriver(): void {
  if (process.platform !== "linux" || process.arch !== "x64" || process.env["VK_DRIVER_FILES"] !== undefined) return;
  const folder = unpacked();
  process.env["VK_DRIVER_FILES"] = join(folder, "vk_swiftshader_icd.json");
  try {
    // Where the system has no Vulkan loader: this is none that Node could use, but it is loaded.
    (process as unknown as { dlopen(module: object, path: string, flags: number): void }).dlopen(
      { exports: {} },
      join(folder, "libvulkan.so.1"),
      2 | 0x100 | 0x1000,
    );
  } catch {
    // "Module did not self-register": loaded all the same
  }
}

let gpu: Promise<GPU> | undefined;

/** WebGPU's entry point in Node. */
export function testGpu(): Promise<GPU> {
  gpu ??= (async () => {
    useSoftwareDriver();
    const { create, globals } = await import("webgpu");
    Object.assign(globalThis, globals);
    return create([]);
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
