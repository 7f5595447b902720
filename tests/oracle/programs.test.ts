import { readFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import * as tsax from "../../src/index.js";
import { NDArray, TsaxError } from "../../src/index.js";
import { difference } from "./compare.js";
import { expected, isKnownFailure } from "./expected.js";
import { readResult } from "./result.js";

type Program = (t: unknown) => unknown;
const programs = (await import("./programs.mjs" as string)) as Readonly<Record<string, Program>>;
const recorded = JSON.parse(readFileSync(new URL("programs.data.json", import.meta.url), "utf8")) as Readonly<
  Record<string, { readonly topic: string; readonly out: unknown }>
>;

class MissingError extends Error {}
/** Errors that tell of an option or a dtype that does not exist yet. */
const absentCodes: ReadonlySet<string> = new Set(["option-unknown", "dtype-unsupported"]);

/** A view of a namespace that says so when something is missing from it. */
function complete(space: object, path: string): unknown {
  return new Proxy(space, {
    // The proxied object is a copy: properties of module namespaces may not be answered differently.
    get(_, name) {
      const value = (space as Readonly<Record<PropertyKey, unknown>>)[name];
      if (typeof name === "symbol") return value;
      if (value === undefined) throw new MissingError(`${path}${name} does not exist`);
      const nested = typeof value === "object" && value !== null && !(value instanceof NDArray);
      return nested ? complete({ ...value }, `${path}${name}.`) : value;
    },
  });
}

async function failureOf(name: string): Promise<{ readonly missing: boolean; readonly text: string | undefined }> {
  try {
    const result = await programs[name]!(complete({ ...tsax }, ""));
    return { missing: false, text: difference(recorded[name]!.out, await readResult(result), {}) };
  } catch (e) {
    const missing = e instanceof MissingError || (e instanceof TsaxError && absentCodes.has(e.code));
    return { missing, text: e instanceof Error ? e.message : String(e) };
  }
}

const home = tsax.defaultDevice();
afterAll(() => tsax.setDefaultDevice(home));

const missing = new Set(expected.missingPrograms);

describe("programs", () => {
  it("are all recorded, and listed as missing only where something is missing", async () => {
    expect(Object.keys(programs).sort()).toEqual(Object.keys(recorded).sort());
    const incomplete: string[] = [];
    for (const name of expected.missingPrograms) if ((await failureOf(name)).missing) incomplete.push(name);
    expect(incomplete).toEqual(expected.missingPrograms);
  });

  for (const name of Object.keys(recorded)) {
    if (missing.has(name)) continue;
    it(`${name} (${recorded[name]!.topic})`, async () => {
      for (const device of tsax.listDevices()) {
        tsax.setDefaultDevice(device);
        const { text } = await failureOf(name);
        if (isKnownFailure(name, "", device)) expect(text, "passes; take it off the list of failures").toBeDefined();
        else expect(text, device).toBeUndefined();
      }
    });
  }
});
