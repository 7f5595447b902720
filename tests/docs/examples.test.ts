import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { listDevices } from "../../src/index.js";
import { check, checkExamples, scope } from "./check-examples.js";
import { compileExample, publicExamples } from "./examples.js";
import { compile } from "../snippets.js";

/** The examples of doc comments run as they stand, with the public names (and `np`) in scope. */
const examples = publicExamples();

for (const device of listDevices()) checkExamples(device, examples);

const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");

it("examples have the right types", () => {
  const names = Object.keys(scope).filter((name) => name !== "console" && name !== "numpy");
  const imports = `import { ${names.map((name) => (name === "np" ? "numpy as np" : name)).join(", ")} } from "tsax";`;
  const programs = examples.map(({ place, code }) => {
    const [page = "", line = ""] = place.split(":");
    // the first line of an example stands under its tag; a block of its own may give public names other meanings
    return { page, line: 1, language: "ts" as const, code: `${"\n".repeat(Number(line) - 1)}${imports} {\n${code}\n}` };
  });
  // examples leave types out, and what is not there is not what they are about
  const looser = {
    noImplicitAny: false,
    noUncheckedIndexedAccess: false,
    noUnusedLocals: false,
    noUnusedParameters: false,
  };
  expect(compile(programs, root, looser)).toEqual([]);
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
    await run('np.add(1, 2).dtype; // "int32"');
    await expect(run('np.add(1, 2).dtype; // "float32"')).rejects.toThrow();
    await expect(run("np.array([1, 2]); // [[1, 2]]")).rejects.toThrow();
    await expect(run("np.add(1, 2); // 4")).rejects.toThrow();
    await expect(run("np.array([1, 2]); // [1, 3]")).rejects.toThrow();
    await expect(run("np.zeros([2]); // float32[3]")).rejects.toThrow();
    await expect(run("nothing(1);")).rejects.toThrow(ReferenceError);
  });
});
