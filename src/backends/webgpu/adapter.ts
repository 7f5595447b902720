import { unavailable } from "./errors.js";

export interface AdapterOptions {
  /** Asks for the limits that every WebGPU device has, instead of all that this one has. */
  readonly defaultLimits?: boolean | undefined;
  readonly powerPreference?: "low-power" | "high-performance" | undefined;
}

/** Limits that kernels are planned from. */
const wanted = [
  "maxStorageBuffersPerShaderStage",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
] as const;

/** Requests a device of the machine. @throws DeviceError `device-unavailable` that says what is missing. */
export async function requestDevice({
  defaultLimits = false,
  powerPreference = "high-performance",
}: AdapterOptions = {}): Promise<GPUDevice> {
  const gpu = await entryPoint();
  const adapter = await gpu.requestAdapter({ powerPreference });
  if (!adapter) throw noAdapter();
  const requiredFeatures: GPUFeatureName[] = adapter.features.has("timestamp-query") ? ["timestamp-query"] : [];
  const requiredLimits = defaultLimits ? {} : Object.fromEntries(wanted.map((name) => [name, adapter.limits[name]]));
  try {
    return await adapter.requestDevice({ label: "tsax", requiredFeatures, requiredLimits });
  } catch (cause) {
    throw unavailable(
      "the adapter gives no device",
      "close other pages or programs that use the GPU, and try again",
      cause,
    );
  }
}

/** Of Node's package: kept, for devices do not outlive it. */
let ofPackage: Promise<GPU> | undefined;

async function entryPoint(): Promise<GPU> {
  const browser = typeof navigator === "undefined" ? undefined : (navigator as { readonly gpu?: GPU }).gpu;
  if (browser) return browser;
  if (typeof process === "undefined" || process.versions?.node === undefined) throw noWebgpu();
  ofPackage ??= loadPackage();
  try {
    return await ofPackage;
  } catch (e) {
    ofPackage = undefined;
    throw e;
  }
}

function noWebgpu(): Error {
  const insecure = (globalThis as { readonly isSecureContext?: boolean }).isSecureContext === false;
  return insecure
    ? unavailable("pages have WebGPU in a secure context only", "serve the page by https, or from localhost")
    : unavailable("this browser has no WebGPU", 'use a browser that has it, or the device "wasm"');
}

async function loadPackage(): Promise<GPU> {
  // Not a literal, so that bundlers for browsers do not look for the package.
  const name = "webgpu";
  let loaded: { create(options: readonly string[]): GPU };
  try {
    loaded = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as typeof loaded;
  } catch (cause) {
    const missing = (cause as { readonly code?: string }).code === "ERR_MODULE_NOT_FOUND";
    throw missing
      ? unavailable("in Node it needs the optional package webgpu", "npm install webgpu", cause)
      : unavailable(
          "the package webgpu could not be loaded",
          "see the cause; it has builds for Linux x64, macOS and Windows",
          cause,
        );
  }
  loadLoaderBesideDriver();
  // No shader of ours reads workgroup memory that it has not written, and zeroing it makes shaders slow to compile.
  return loaded.create(["enable-dawn-features=disable_workgroup_init"]);
}

/**
 * A Vulkan driver may be named by the environment on a machine that has no Vulkan loader: the one beside it will do (software
 * drivers come like that). It is no module of Node's, so loading it ends with an error, but it is loaded.
 */
function loadLoaderBesideDriver(): void {
  const driver = process.env["VK_DRIVER_FILES"];
  if (process.platform !== "linux" || driver === undefined) return;
  const [now, visibleToOthers, stays] = [2, 0x100, 0x1000];
  try {
    process.dlopen({ exports: {} }, driver.replace(/[^/]*$/, "libvulkan.so.1"), now | visibleToOthers | stays);
  } catch {
    // there is none, or it is loaded
  }
}

const noAdapter = (): Error =>
  unavailable(
    "this machine has no adapter that WebGPU can use",
    typeof process !== "undefined" && process.versions?.node !== undefined
      ? 'install a driver of the GPU (on Linux one for Vulkan), or use the device "wasm"'
      : 'see that the browser may use the GPU (chrome://gpu, about:support), or use the device "wasm"',
  );
