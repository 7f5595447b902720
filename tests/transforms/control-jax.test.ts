import { listDevices } from "../../src/index.js";
import { checkPrograms } from "./control-check.js";

for (const device of listDevices()) checkPrograms(device);
