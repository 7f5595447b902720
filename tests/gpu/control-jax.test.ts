import { describe } from "vitest";
import { checkPrograms } from "../transforms/control-check.js";
import { webgpu } from "./webgpu.js";

describe.skipIf(!webgpu)("webgpu", () => checkPrograms("webgpu"));
