import { describe } from "vitest";
import { checkFacts } from "../semantics/facts.js";
import { facts } from "../semantics/rules.js";
import { webgpu } from "./webgpu.js";

// What reads values in the middle or needs float64 cannot run here.
const possible = facts.filter(
  (f) => f.eagerOnly !== true && !/float64|f64/.test(`${f.name}${String(f.args)}${String(f.f)}`),
);

describe.skipIf(!webgpu)("webgpu", () => checkFacts("webgpu", possible));
