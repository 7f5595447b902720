import { listDevices } from "../../src/index.js";
import { checkPeers } from "./peers.js";

for (const device of listDevices()) checkPeers(device);
