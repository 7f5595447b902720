import { createWasmBackend } from "../backends/wasm/index.js";
import { compile } from "../compiler/index.js";
import { installEngine } from "../core/engine.js";
import { CompiledDevice } from "./compiled-device.js";
import { watched } from "./debug-nans.js";
import { registerDevice, registerLoader } from "./devices.js";
import { engine } from "./engine.js";
import { ReferenceDevice } from "./reference.js";

/** Fills core's hook: after this module is loaded, arrays can be made and computed. */
registerDevice(new ReferenceDevice(), false);
const wasm = createWasmBackend();
registerDevice(new CompiledDevice(wasm, compile), true);
registerLoader("webgpu", async ({ limits, powerPreference, hostCopies }) => {
  // Only who asks for the device loads it.
  const { createWebgpuBackend } = await import("../backends/webgpu/index.js");
  const backend = await createWebgpuBackend({ defaultLimits: limits === "default", powerPreference });
  return new CompiledDevice(backend, compile, { hostCopies: hostCopies ?? false, helper: wasm });
});
installEngine(watched(engine));
