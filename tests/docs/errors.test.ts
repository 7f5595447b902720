import { describe, expect, it } from "vitest";
import { TsaxError } from "../../src/index.js";
import { scope } from "./check-examples.js";
import { elsewhere, failing } from "./errors/all.js";
import { compileExample, publicErrors } from "./examples.js";

/** What doc comments say functions throw is what they throw. */
const promised = publicErrors();

async function thrown(call: string): Promise<string> {
  try {
    await compileExample(call, Object.keys(scope))(() => Promise.resolve(), ...Object.values(scope));
  } catch (e) {
    if (e instanceof TsaxError) return `${e.name} ${e.code}`;
    throw e;
  }
  return `nothing: ${call}`;
}

describe("errors of doc comments", () => {
  it("are tried, each of them", () => {
    const tried = new Set(Object.keys(failing).map((name) => promised.get(name)?.place));
    const untried = [...promised].filter(([, { place, errors }]) => errors.length > 0 && !tried.has(place));
    expect(untried.map(([name]) => name)).toEqual([]);
  });

  it("are those of functions that have some, where they are said to be another's", () => {
    const stray = [...promised].flatMap(([name, { as }]) => {
      const space = name.slice(0, name.lastIndexOf(".") + 1);
      return as.filter((other) => !promised.has(space + other)).map((other) => `${name}: as ${other}`);
    });
    expect(stray).toEqual([]);
  });

  it.each(Object.entries(failing))("of %s are those that are thrown", async (name, calls) => {
    const found = await Promise.all(calls.map(thrown));
    expect([...new Set([...found, ...(elsewhere[name] ?? [])])].sort()).toEqual(promised.get(name)?.errors);
  });
});
