import { installEngine } from "../core/engine.js";
import { engine, registerDevice } from "./devices.js";
import { ReferenceDevice } from "./reference.js";

/** Fills core's hook: after this module is loaded, arrays can be made and computed. */
registerDevice(new ReferenceDevice(), true);
installEngine(engine);
