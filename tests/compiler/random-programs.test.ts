import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { config, defaultDevice, jit, setDefaultDevice } from "../../src/index.js";
import { disagreements } from "../properties/agreement.js";
import { asFunction, evaluate, makeInputs, type Program, programs } from "../properties/programs.js";
import { runs, timeout } from "../properties/runs.js";
import { interpretedDevices } from "./devices.js";

const home = { device: defaultDevice(), unreadPredicate: config.unreadPredicate };
beforeAll(() => config.update("unreadPredicate", "ignore"));
afterAll(() => {
  setDefaultDevice(home.device);
  config.update("unreadPredicate", home.unreadPredicate);
});

function check(device: string, program: Program): void {
  setDefaultDevice("reference");
  const expected = evaluate(program, makeInputs(program, 0)).results;
  setDefaultDevice(device);
  const direct = asFunction(program);
  const ways = { compiled: jit(direct), donating: jit(direct, { donateArgnums: program.inputs.map((_, k) => k) }) };
  for (const [way, f] of Object.entries(ways)) {
    const wrong = disagreements(expected, f(...makeInputs(program, 0)));
    if (wrong !== undefined) throw new Error(`${way} on ${device}: ${wrong}`);
  }
}

describe.each(interpretedDevices())("random programs, compiled for %s and interpreted with all checks", (device) => {
  it.each([
    ["floats, integers and booleans", {}],
    ["whole numbers, exactly", { whole: true }],
  ])("%s", { timeout }, (_, options) => {
    fc.assert(
      fc.property(programs(options), (program) => check(device, program)),
      runs,
    );
  });
});
