import { listDevices } from "../../src/index.js";
import { checkFacts } from "./facts.js";

for (const device of listDevices()) checkFacts(device);
