import { describe, expect, it } from "vitest";
import { listDevices } from "../../src/index.js";
import { check, checkExamples, scope } from "./check-examples.js";
import { compileExample, publicExamples } from "./examples.js";

/** The examples of doc comments run as they stand, with the public names (and `np`) in scope. */
const examples = publicExamples();

for (const device of listDevices()) checkExamples(device, examples);

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
