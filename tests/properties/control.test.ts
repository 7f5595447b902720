import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { config, defaultDevice, listDevices, setDefaultDevice } from "../../src/index.js";
import { checkDevice, checkHessian, checkJvp, checkMappedGradient, checkPlain, checkVjp, checkVmap } from "./laws.js";
import { type Program, type ProgramOptions, programs } from "./programs.js";
import { runs, timeout } from "./runs.js";

const home = { device: defaultDevice(), unreadPredicate: config.unreadPredicate };
// Programs make booleans that nothing uses.
beforeAll(() => config.update("unreadPredicate", "ignore"));
afterAll(() => {
  setDefaultDevice(home.device);
  config.update("unreadPredicate", home.unreadPredicate);
});

const smooth: ProgramOptions = { float: "float64", whole: false, floats: true, maxSteps: 10, nested: true };

describe.each(listDevices())("random programs with branches, loops and calls on %s", (device) => {
  const run = (name: string, options: ProgramOptions, check: (program: Program) => void): void => {
    it(name, { timeout }, () => {
      setDefaultDevice(device);
      fc.assert(fc.property(programs({ nested: true, maxSteps: 12, ...options }), check), runs);
    });
  };
  run("give what the reference gives, directly and compiled", {}, (program) => checkDevice(device, program));
  run("give whole numbers exactly", { whole: true }, (program) => checkDevice(device, program));
  it("mapped over examples give what a loop gives", { timeout }, () => {
    setDefaultDevice(device);
    const flags = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 });
    fc.assert(fc.property(programs({ nested: true, maxSteps: 12 }), flags, checkVmap), runs);
  });
  run("have the derivatives of differences", { ...smooth, derivatives: "forward" }, checkJvp);
  run("pull back the transpose of what they push forward", { ...smooth, derivatives: "both" }, checkVjp);
  run("have symmetric second derivatives", { ...smooth, maxSteps: 8, derivatives: "both" }, checkHessian);
  run("are what they are without what wraps functions", { ...smooth, derivatives: "reverse" }, checkPlain);
  run("have mapped gradients that are gradients of each", { ...smooth, derivatives: "reverse" }, checkMappedGradient);
});
