import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { config, defaultDevice, jit, listDevices, setDefaultDevice } from "../../src/index.js";
import { disagreements } from "./agreement.js";
import { asFunction, evaluate, makeInputs, type Program, programs } from "./programs.js";
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
  const f = jit(asFunction(program));
  // The second time other values run through what was compiled for the first.
  for (const variant of [0, 1]) {
    setDefaultDevice("reference");
    const expected = evaluate(program, makeInputs(program, variant)).results;
    setDefaultDevice(device);
    const args = makeInputs(program, variant);
    const results = [
      ["eager", () => asFunction(program)(...args)],
      ["jit", () => f(...args)],
      ["jit again", () => f(...args)],
    ] as const;
    for (const [how, run] of results) {
      const wrong = disagreements(expected, run());
      if (wrong !== undefined) throw new Error(`${how} on ${device}: ${wrong}`);
    }
  }
}

describe.each(listDevices())("random programs on %s", (device) => {
  it(
    "of floats, integers and booleans give the same, directly and compiled",
    () => {
      fc.assert(
        fc.property(programs(), (program) => check(device, program)),
        runs,
      );
    },
    timeout,
  );
});
