import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { config, defaultDevice, listDevices, setDefaultDevice } from "../../src/index.js";
import { type Case, dtypesOf, failure, findFunction, loadCases, modesOf } from "./cases.js";
import { expected, isKnownFailure } from "./expected.js";

export interface CaseSet {
  /** Name of a file in `data`, without the `x64-` of the float64 set. */
  readonly file: string;
  /** Whether default dtypes have 64 bits. */
  readonly x64?: boolean;
  /** Takes a part of the functions, so that files of tests can run side by side. */
  readonly only?: (fn: string) => boolean;
  /** Devices to run on; left out: all that need no preparation. */
  readonly devices?: readonly string[];
  /** Takes a part of the cases. */
  readonly cases?: (c: Case) => boolean;
}

/** Runs recorded cases in all of their modes on all devices, one test a function. */
export function checkCases(
  name: string,
  { file, x64 = false, only = () => true, devices, cases: among = () => true }: CaseSet,
): void {
  const prefix = x64 ? "x64:" : "";
  const byFunction = new Map<string, Case[]>();
  for (const c of loadCases(`${x64 ? "x64-" : ""}${file}`)) {
    if (only(c.fn) && among(c)) byFunction.set(c.fn, [...(byFunction.get(c.fn) ?? []), c]);
  }
  const missing = new Set(expected.missingFunctions);
  const missingDtypes = new Set(expected.missingDtypes);

  describe(name, () => {
    const home = { device: defaultDevice(), x64: config.enableX64 };
    beforeAll(() => config.update("enableX64", x64));
    afterAll(() => {
      setDefaultDevice(home.device);
      config.update("enableX64", home.x64);
    });

    it("functions are missing where expected.json says so, and only there", () => {
      const absent = [...byFunction.keys()].filter((fn) => findFunction(fn) === undefined);
      expect(absent).toEqual([...byFunction.keys()].filter((fn) => missing.has(fn)));
    });

    for (const [fn, cases] of byFunction) {
      const runnable = cases.filter((c) => ![...dtypesOf(c)].some((dtype) => missingDtypes.has(dtype)));
      if (missing.has(fn) || runnable.length === 0) continue;
      it(`${fn} (${runnable.length} ${runnable.length === 1 ? "case" : "cases"})`, async () => {
        const f = findFunction(fn);
        if (!f) throw new Error(`${fn} does not exist`);
        expect(await surprises(runnable, f, prefix, devices ?? listDevices())).toEqual([]);
      });
    }
  });
}

/** What fails without being listed, and what is listed but passes. */
async function surprises(
  cases: readonly Case[],
  f: (...args: unknown[]) => unknown,
  prefix: string,
  devices: readonly string[],
): Promise<string[]> {
  const found: string[] = [];
  for (const device of devices) {
    setDefaultDevice(device);
    for (const c of cases) {
      const id = `${prefix}${c.id}`;
      for (const mode of modesOf(c)) {
        const wrong = await failure(c, f, mode);
        if ((wrong !== undefined) === isKnownFailure(id, mode, device)) continue;
        found.push(`${id} ${mode} on ${device}: ${wrong ?? "passes; take it off the list of failures"}`);
      }
    }
  }
  return found;
}
