import { describe } from "vitest";
import { withoutFloat64 } from "../semantics/compare.js";
import { checkFacts } from "../semantics/facts.js";
import { facts } from "../semantics/rules.js";
import { webgpu } from "./webgpu.js";

describe.skipIf(!webgpu)("webgpu", () => checkFacts("webgpu", withoutFloat64(facts)));
