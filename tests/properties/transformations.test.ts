import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { config, defaultDevice, listDevices, setDefaultDevice } from "../../src/index.js";
import { checkHessian, checkJvp, checkVjp, checkVmap } from "./laws.js";
import { type Program, programs } from "./programs.js";
import { runs, timeout } from "./runs.js";

const home = { device: defaultDevice(), unreadPredicate: config.unreadPredicate };
// Programs make booleans that nothing uses.
beforeAll(() => config.update("unreadPredicate", "ignore"));
afterAll(() => {
  setDefaultDevice(home.device);
  config.update("unreadPredicate", home.unreadPredicate);
});

describe.each(listDevices())("random programs on %s", (device) => {
  const run = (name: string, arbitrary: fc.Arbitrary<Program>, check: (program: Program) => void): void => {
    it(name, { timeout }, () => {
      setDefaultDevice(device);
      fc.assert(fc.property(arbitrary, check), runs);
    });
  };
  it("mapped over examples give what a loop gives", { timeout }, () => {
    setDefaultDevice(device);
    const flags = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 });
    fc.assert(fc.property(programs({ maxSteps: 15 }), flags, checkVmap), runs);
  });
  const smooth = programs({ float: "float64", whole: false, floats: true, maxSteps: 15 });
  run("have the derivatives of differences", smooth, checkJvp);
  run(
    "have symmetric second derivatives",
    programs({ float: "float64", whole: false, floats: true, maxSteps: 10 }),
    checkHessian,
  );
  run("pull back the transpose of what they push forward", smooth, checkVjp);
});
