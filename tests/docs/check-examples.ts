import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as tsax from "../../src/index.js";
import { NDArray, tree } from "../../src/index.js";
import { compileExample, type Example } from "./examples.js";

const printed: unknown[] = [];

/** What is in scope of an example: the public names, and `np`. */
export const scope: Readonly<Record<string, unknown>> = {
  ...tsax,
  np: tsax.numpy,
  console: { log: (...values: unknown[]) => printed.push(...values) },
};

/** What a value holds, as nested lists: arrays as their elements, trees other than lists as their leaves. */
async function contentsOf(x: unknown): Promise<unknown> {
  if (x instanceof NDArray) return x.jsAsync();
  if (Array.isArray(x)) return Promise.all(x.map(contentsOf));
  return typeof x === "object" && x !== null ? contentsOf(tree.leaves(x)) : x;
}

const notInJson: Readonly<Record<string, number>> = { NaN, Infinity, "-Infinity": -Infinity };
const number = String.raw`-?(?:\d[\d.]*(?:e-?\d+)?|Infinity)|NaN|true|false`;
const promiseForm = new RegExp(String.raw`^(${number}|\[(?:${number}|[, [\]])*\])(?=$|[,;:. ])`);

/** Reads `[1, NaN]` and the like. */
const contentsPromised = (text: string): unknown =>
  JSON.parse(text.replaceAll(/-?Infinity|NaN/g, '"$&"'), (_, v: unknown) => (typeof v === "string" ? notInJson[v] : v));

/** Demands one structure, and numbers equal to within 1e-6. */
function compare(got: unknown, expected: unknown, comment: string): void {
  if (Array.isArray(expected)) {
    const list = Array.isArray(got) ? (got as readonly unknown[]) : [];
    expect([Array.isArray(got), list.length], comment).toEqual([true, expected.length]);
    expected.forEach((e, i) => compare(list[i], e, comment));
  } else if (typeof expected === "number" && typeof got === "number" && Number.isFinite(expected)) {
    expect(Math.abs(got - expected), comment).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(expected)));
  } else expect(got, comment).toBe(expected);
}

/**
 * Holds a value against the comment behind it: `// [0, NaN]`, `// true`, `// 3, not 6`, `// "text"`, `// float32[2,2]`;
 * other comments are prose.
 */
export async function check(value: unknown, comment: string): Promise<void> {
  const type = /^(\w+)\[([\d, ]*)\]/.exec(comment);
  const promised = promiseForm.exec(comment);
  const text = /^"(?:[^"\\]|\\.)*"/.exec(comment);
  if (text) expect(value).toBe(JSON.parse(text[0]));
  else if (type) {
    const { dtype, shape } = value as NDArray;
    expect(`${dtype}[${shape.join(",")}]`).toBe(`${type[1]}[${type[2]!.replaceAll(" ", "")}]`);
  } else if (promised) compare(await contentsOf(value), contentsPromised(promised[1]!), comment);
}

/** Runs examples on a device, and holds what they give against their comments. */
export function checkExamples(device: string, examples: readonly Example[]): void {
  describe(`examples on ${device}`, () => {
    const home = { device: tsax.defaultDevice(), log: tsax.config.log };
    beforeAll(() => {
      tsax.config.update("log", (text) => printed.push(text));
      tsax.setDefaultDevice(device);
    });
    afterAll(() => {
      tsax.setDefaultDevice(home.device);
      tsax.config.update("log", home.log);
    });
    it.each(examples.map((example) => [example.name, example.place, example.code] as const))(
      "%s (%s)",
      async (_name, _place, code) => compileExample(code, Object.keys(scope))(check, ...Object.values(scope)),
    );
  });
}
