import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { config, defaultDevice, jit, type NDArray, numpy as np, setDefaultDevice } from "../../src/index.js";
import { disagreements } from "../properties/agreement.js";
import {
  asFunction,
  evaluate,
  makeInputs,
  type Program,
  type ProgramOptions,
  programs,
} from "../properties/programs.js";
import { webgpu } from "./webgpu.js";

/** A pipeline takes milliseconds to make here, and every program is another: few are tried, always the same ones. */
const runs = { seed: Number(process.env["SEED"] ?? 20240601), numRuns: Number(process.env["RUNS"] ?? 5) } as const;

const home = { device: defaultDevice(), unreadPredicate: config.unreadPredicate };
// Programs make booleans that nothing uses.
beforeAll(() => config.update("unreadPredicate", "ignore"));
afterAll(() => {
  setDefaultDevice(home.device);
  config.update("unreadPredicate", home.unreadPredicate);
});

/** The same elements on the reference device. */
async function brought(xs: readonly NDArray[]): Promise<NDArray[]> {
  const read = await Promise.all(xs.map((x) => x.data()));
  setDefaultDevice("reference");
  return xs.map((x, k) => np.array(read[k]!, { shape: [...x.shape], dtype: x.dtype }));
}

/** Throws where webgpu, directly or compiled, disagrees with the reference. */
async function check(program: Program): Promise<void> {
  const direct = asFunction(program);
  const compiled = jit(direct);
  // The second time other values run through what was compiled for the first.
  for (const variant of [0, 1]) {
    setDefaultDevice("reference");
    const expected = evaluate(program, makeInputs(program, variant)).results;
    setDefaultDevice("webgpu");
    const args = makeInputs(program, variant);
    for (const [way, f] of Object.entries({ direct, compiled })) {
      setDefaultDevice("webgpu");
      const wrong = disagreements(expected, await brought(f(...args)));
      if (wrong !== undefined) throw new Error(`${way}: ${wrong}`);
    }
  }
}

describe.skipIf(!webgpu)("random programs give the same on webgpu, directly and compiled", () => {
  const run = (name: string, options: ProgramOptions): void => {
    it(name, { timeout: 300_000 }, async () => {
      await fc.assert(fc.asyncProperty(programs(options), check), runs);
    });
  };
  run("floats, integers and booleans", { float: "float32" });
  run("whole numbers, exactly", { float: "float32", whole: true });
  run("NaN, infinities, zeros of both signs, axes without elements", { float: "float32", special: true });
  // Loops need a kernel and a pipeline for every step of their bodies.
  const nested = { float: "float32", nested: true, maxSteps: 7 } as const;
  run("branches, loops and calls", nested);
  run("branches, loops and calls on whole numbers, exactly", { ...nested, whole: true });
});
