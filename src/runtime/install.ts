import { createWasmBackend } from "../backends/wasm/index.js";
import { compile } from "../compiler/index.js";
import { installEngine } from "../core/engine.js";
import { CompiledDevice } from "./compiled-device.js";
import { registerDevice, registerLoader } from "./devices.js";
import { engine } from "./engine.js";
import { ReferenceDevice } from "./reference.js";

/** Fills core's hook: after this module is loaded, arrays can be made and computed. */
registerDevice(new ReferenceDevice(), false);
registerDevice(new CompiledDevice(createWasmBackend(), compile), true);
registerLoader("webgpu", async ({ limits, powerPreference }) => {
  // Only who asks for the device loads it.
  const { createWebgpuBackend } = await import("../backends/webgpu/index.js");
  return new CompiledDevice(
    await createWebgpuBackend({ defaultLimits: limits === "default", powerPreference }),
    compile,
  );
});
installEngine(engine);
