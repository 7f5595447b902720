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

async function numbersOf(x: unknown): Promise<number[]> {
  const leaves = tree.leaves(x).map((leaf) => (leaf instanceof NDArray ? leaf.jsAsync() : leaf));
  return [await Promise.all(leaves)].flat(Infinity).map(Number);
}

/** Holds a value against the comment behind it: `// [0, 3]`, `// 3, not 6`, `// float32[2,2]`; other comments are prose. */
export async function check(value: unknown, comment: string): Promise<void> {
  const type = /^(\w+)\[([\d, ]*)\]/.exec(comment);
  const numbers = /^(-?[\d.]+(?:e-?\d+)?|\[[-\d., e[\]]*\])(?=$|[,;:. ])/.exec(comment);
  if (type) {
    const { dtype, shape } = value as NDArray;
    expect(`${dtype}[${shape.join(",")}]`).toBe(`${type[1]}[${type[2]!.replaceAll(" ", "")}]`);
  } else if (numbers) {
    const expected = ([JSON.parse(numbers[1]!)] as unknown[]).flat(Infinity) as number[];
    const got = await numbersOf(value);
    expect(got.length, comment).toBe(expected.length);
    got.forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(x))));
  }
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
