import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { config, defaultDevice, listDevices, setDefaultDevice } from "../../src/index.js";
import { checkDevice } from "./laws.js";
import { type ProgramOptions, programs } from "./programs.js";
import { runs, timeout } from "./runs.js";

const home = { device: defaultDevice(), unreadPredicate: config.unreadPredicate };
// Programs make booleans that nothing uses.
beforeAll(() => config.update("unreadPredicate", "ignore"));
afterAll(() => {
  setDefaultDevice(home.device);
  config.update("unreadPredicate", home.unreadPredicate);
});

describe.each(listDevices())("random programs on %s give the same, directly and compiled", (device) => {
  const run = (name: string, options: ProgramOptions): void => {
    it(name, { timeout }, () => {
      fc.assert(
        fc.property(programs(options), (program) => checkDevice(device, program)),
        runs,
      );
    });
  };
  run("floats, integers and booleans", {});
  run("whole numbers, exactly", { whole: true });
  run("NaN, infinities, zeros of both signs, axes without elements", { special: true });
});
