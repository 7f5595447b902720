import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { config, defaultDevice, jit, listDevices, setDefaultDevice } from "../../src/index.js";
import { disagreements } from "./agreement.js";
import { asFunction, evaluate, makeInputs, type Program, type ProgramOptions, programs } from "./programs.js";
import { runs, timeout } from "./runs.js";

const home = { device: defaultDevice(), unreadPredicate: config.unreadPredicate };
// Programs make booleans that nothing uses.
beforeAll(() => config.update("unreadPredicate", "ignore"));
afterAll(() => {
  setDefaultDevice(home.device);
  config.update("unreadPredicate", home.unreadPredicate);
});

/** Throws where a device, directly or compiled, disagrees with the reference. */
function check(device: string, program: Program): void {
  const direct = asFunction(program);
  const compiled = jit(direct);
  const nested = asFunction(program, jit);
  const compiledNested = jit(nested);
  const donating = jit(direct, { donateArgnums: program.inputs.map((_, k) => k) });
  // The second time other values run through what was compiled for the first.
  for (const variant of [0, 1]) {
    setDefaultDevice("reference");
    const expected = evaluate(program, makeInputs(program, variant)).results;
    setDefaultDevice(device);
    const args = makeInputs(program, variant);
    const ways = { direct, compiled, "compiled, once more": compiled, nested, compiledNested } as const;
    for (const [way, f] of Object.entries(ways)) fail(device, way, disagreements(expected, f(...args)));
    fail(device, "donating", disagreements(expected, donating(...makeInputs(program, variant))));
  }
}

function fail(device: string, way: string, wrong: string | undefined): void {
  if (wrong !== undefined) throw new Error(`${way} on ${device}: ${wrong}`);
}

describe.each(listDevices())("random programs on %s give the same, directly and compiled", (device) => {
  const run = (name: string, options: ProgramOptions): void => {
    it(name, { timeout }, () => {
      fc.assert(
        fc.property(programs(options), (program) => check(device, program)),
        runs,
      );
    });
  };
  run("floats, integers and booleans", {});
  run("whole numbers, exactly", { whole: true });
  run("NaN, infinities, zeros of both signs, axes without elements", { special: true });
});
