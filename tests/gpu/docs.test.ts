import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { defaultDevice, devicePutAsync, NDArray, setDefaultDevice } from "tsax";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { check, checkExamples, scope } from "../docs/check-examples.js";
import { compileExample, publicExamples } from "../docs/examples.js";
import { fillEllipses, pagesOf, promisedOutput, publicModules, run, snippetsOf } from "../snippets.js";
import { awaited, textDifference } from "./awaited.js";
import { webgpu } from "./webgpu.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Examples of doc comments that cannot run on this device, and what their errors speak of. */
const impossible: Readonly<Record<string, RegExp>> = {
  // Numerical derivatives take float64.
  checkGrads: /"webgpu".*float64|float64.*"webgpu"/,
  // They look at values while the program runs.
  debugNans: /can only be awaited/,
  debugInfs: /can only be awaited/,
  disableJit: /can only be awaited/,
};

/** Pages whose programs cannot run on this device, likewise. */
const impossiblePages: Readonly<Record<string, RegExp>> = {
  // debugNans, disableJit and the errors of checked programs look at values at once; tests/gpu/checks.test.ts has them awaited.
  "docs/checks.md": /can only be awaited/,
};

const snippets = pagesOf(root).flatMap((page) => snippetsOf(page, readFileSync(join(root, page), "utf8")));

/** What programs that wait are given to look at values with: in place of a read at once, and to print what lies here. */
const looks = {
  $read: async (how: "js" | "item" | "dataSync", x: unknown): Promise<unknown> => {
    if (!(x instanceof NDArray)) return (x as Record<typeof how, () => unknown>)[how]();
    if (how === "dataSync") return x.data();
    let value: unknown = await x.jsAsync();
    if (how === "item") {
      expect(x.size).toBe(1);
      while (Array.isArray(value)) value = value[0];
    }
    return value;
  },
  $here: async (x: unknown): Promise<unknown> => (x instanceof NDArray ? devicePutAsync(x, "wasm") : x),
};

describe.skipIf(!webgpu)("documentation on webgpu", () => {
  const modules = publicModules();
  const home = defaultDevice();
  beforeEach(() => setDefaultDevice("webgpu"));
  afterAll(() => setDefaultDevice(home));

  test.each(snippets.map((snippet) => [`${snippet.page}:${snippet.line}`, snippet] as const))(
    "%s prints what it says",
    async (_, snippet) => {
      const code = awaited(snippet.code);
      const running = modules.then((names) => run({ ...snippet, code }, names, looks));
      const reason = impossiblePages[snippet.page];
      if (reason) return expect(running).rejects.toThrow(reason);
      const printed = await running;
      const promised = fillEllipses(promisedOutput(snippet.code), printed);
      expect(printed.length, printed.join("\n")).toBe(promised.length);
      expect(printed.flatMap((text, i) => textDifference(text, promised[i]!, 1e-5) ?? [])).toEqual([]);
    },
  );

  const examples = publicExamples();
  checkExamples(
    "webgpu",
    examples.filter(({ name }) => !Object.hasOwn(impossible, name)),
  );

  const left = Object.keys(impossible).filter((one) => examples.some(({ name }) => name === one));
  test.each(left)("%s is left out for a reason: it fails, and says why", async (one) => {
    const example = examples.find(({ name }) => name === one);
    const running = compileExample(example!.code, Object.keys(scope))(check, ...Object.values(scope));
    await expect(running).rejects.toThrow(impossible[one]!);
  });
});

describe("the checks themselves", () => {
  test("programs wait where they look at values, and nowhere else", () => {
    const code = awaited(
      [
        "const f = (x: NDArray) => x.mul(y.item());",
        "const g = async () => x.js();",
        "console.log(x.sub(1).item().toFixed(2), x.dataSync().length, String(x));",
        "const xs = x.js(1);",
      ].join("\n"),
    );
    expect(code.replace(/\s+/g, " ").trim()).toBe(
      [
        "const f = (x: NDArray) => x.mul(y.item());",
        'const g = async () => (await $read("js", x));',
        'console.log((await $here((await $read("item", x.sub(1))).toFixed(2))),',
        '(await $here((await $read("dataSync", x)).length)), (await $here(String((await $here(x))))));',
        "const xs = x.js(1);",
      ].join(" "),
    );
  });

  test("texts may differ in last digits and spaces", () => {
    expect(textDifference("Array([0.50001, 1])", "Array([0.5    , 1])", 1e-4)).toBeUndefined();
    expect(textDifference("Array([0.51, 1])", "Array([0.5, 1])", 1e-4)).toContain("promised");
    expect(textDifference("NaN", "0", 1e-4)).toContain("promised");
    expect(textDifference("a1", "a2", 1)).toContain("promised");
  });
});
