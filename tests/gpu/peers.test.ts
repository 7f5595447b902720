import { describe } from "vitest";
import { checkPeers } from "../semantics/peers.js";
import { webgpu } from "./webgpu.js";

describe.skipIf(!webgpu)("what others answer wrongly", () => checkPeers("webgpu", { isGpu: true }));
