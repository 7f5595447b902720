import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as tsax from "../../src/index.js";
import { NDArray, tree } from "../../src/index.js";
import { compileExample, publicExamples } from "./examples.js";

/** The examples of doc comments run as they stand, with the public names (and `np`) in scope. */

const printed: unknown[] = [];
const scope: Readonly<Record<string, unknown>> = {
  ...tsax,
  np: tsax.numpy,
  console: { log: (...values: unknown[]) => printed.push(...values) },
};

const numbersOf = (x: unknown): number[] => {
  const leaves = tree.leaves(x).map((leaf) => (leaf instanceof NDArray ? leaf.js<number[]>() : leaf));
  return [leaves].flat(Infinity).map(Number);
};

/** Holds a value against the comment behind it: `// [0, 3]`, `// 3, not 6`, `// float32[2,2]`; other comments are prose. */
function check(value: unknown, comment: string): void {
  const type = /^(\w+)\[([\d, ]*)\]/.exec(comment);
  const numbers = /^(-?[\d.]+(?:e-?\d+)?|\[[-\d., e[\]]*\])(?=$|[,;:. ])/.exec(comment);
  if (type) {
    const { dtype, shape } = value as NDArray;
    expect(`${dtype}[${shape.join(",")}]`).toBe(`${type[1]}[${type[2]!.replaceAll(" ", "")}]`);
  } else if (numbers) {
    const expected = ([JSON.parse(numbers[1]!)] as unknown[]).flat(Infinity) as number[];
    const got = numbersOf(value);
    expect(got.length, comment).toBe(expected.length);
    got.forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThanOrEqual(1e-6 * Math.max(1, Math.abs(x))));
  }
}

const home = { device: tsax.defaultDevice(), log: tsax.config.log };
beforeAll(() => tsax.config.update("log", (text) => printed.push(text)));
afterAll(() => {
  tsax.setDefaultDevice(home.device);
  tsax.config.update("log", home.log);
});

const examples = publicExamples();

describe.each(tsax.listDevices())("examples on %s", (device) => {
  it.each(examples.map((example) => [example.name, example.place, example.code] as const))(
    "%s (%s)",
    async (_name, _place, code) => {
      tsax.setDefaultDevice(device);
      await compileExample(code, Object.keys(scope))(check, ...Object.values(scope));
    },
  );
});

describe("the checks themselves", () => {
  const run = (code: string): Promise<void> => compileExample(code, Object.keys(scope))(check, ...Object.values(scope));

  it("find examples of functions and of namespaces", () => {
    const names = examples.map(({ name }) => name);
    expect(names).toContain("grad");
    expect(names).toContain("numpy.array");
  });

  it("hold values against comments", async () => {
    await run("np.add(1, 2); // 3");
    await run("const y = np.array([1, 2.5]); // [1, 2.5]");
    await run("np.zeros([2, 3]); // float32[2, 3]");
    await run("np.zeros([2, 3]); // all of them zero");
    await expect(run("np.add(1, 2); // 4")).rejects.toThrow();
    await expect(run("np.array([1, 2]); // [1, 3]")).rejects.toThrow();
    await expect(run("np.zeros([2]); // float32[3]")).rejects.toThrow();
    await expect(run("nothing(1);")).rejects.toThrow(ReferenceError);
  });
});
