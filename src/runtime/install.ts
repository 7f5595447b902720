import { createWasmBackend } from "../backends/wasm/index.js";
import { compile } from "../compiler/index.js";
import { installEngine } from "../core/engine.js";
import { CompiledDevice } from "./compiled-device.js";
import { registerDevice } from "./devices.js";
import { engine } from "./engine.js";
import { ReferenceDevice } from "./reference.js";

/** Fills core's hook: after this module is loaded, arrays can be made and computed. */
registerDevice(new ReferenceDevice(), false);
registerDevice(new CompiledDevice(createWasmBackend(), compile), true);
installEngine(engine);
