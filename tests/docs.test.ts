import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { defaultDevice, setDefaultDevice } from "tsax";
import { beforeAll, describe, expect, test } from "vitest";
import { hasSoftwareDriver, useSoftwareDriver } from "../scripts/software-gpu.mjs";
import { compile, fillEllipses, pagesOf, promisedOutput, publicModules, run, snippetsOf } from "./snippets.js";

const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "");

const pages = pagesOf(root);

const text = (page: string): string => readFileSync(join(root, page), "utf8");
const snippets = pages.flatMap((page) => snippetsOf(page, text(page)));

const modules = await publicModules();

describe("snippets", () => {
  // Those that compute on a GPU.
  beforeAll(useSoftwareDriver);

  test("compile", () => {
    expect(compile(snippets, root)).toEqual([]);
  });

  test.for(snippets.map((snippet) => [`${snippet.page}:${snippet.line}`, snippet] as const))(
    "%s prints what it says",
    async ([, snippet], { skip }) => {
      skip(snippet.code.includes('init("webgpu")') && !hasSoftwareDriver, "a GPU may be missing here");
      const home = defaultDevice();
      try {
        const printed = await run(snippet, modules);
        expect(printed).toEqual(fillEllipses(promisedOutput(snippet.code), printed));
      } finally {
        setDefaultDevice(home);
      }
    },
  );
});

describe("links", () => {
  test.each(pages)("of %s lead somewhere", (page) => {
    const targets = [...text(page).matchAll(/\]\(([^)\s#]+)(#[^)]*)?\)/g)]
      .map(([, target]) => target ?? "")
      .filter((target) => !/^[a-z]+:/.test(target));
    expect(targets.filter((target) => !existsSync(resolve(root, dirname(page), target)))).toEqual([]);
  });

  test("and npm scripts that pages name exist", () => {
    const { scripts } = JSON.parse(text("package.json")) as { scripts: Record<string, string> };
    const named = pages.flatMap((page) => [...text(page).matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? ""));
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

describe("the checks themselves", () => {
  const fence = "```";
  const markdown = [
    "text",
    `${fence}ts`,
    'import { one } from "tsax";',
    "console.log(one); // → 1",
    fence,
    `${fence}sh`,
    "console.log(0)",
    fence,
    `${fence}ts`,
    "console.log(one + 1, [one]);",
    "// → 2 [ 1 ]",
    fence,
    `${fence}js`,
    'import { one } from "tsax";',
    "console.log(`${one}\\ntwo`);",
    "// → 1",
    "//   two",
    "// a remark",
    fence,
  ].join("\n");
  const [first, second, ...rest] = snippetsOf("page", markdown);

  test("blocks go on until one begins with an import, and keep their lines", async () => {
    expect(rest).toEqual([]);
    expect(first?.code.split("\n")[3]).toBe("console.log(one); // → 1");
    expect(first?.code.split("\n")[9]).toBe("console.log(one + 1, [one]);");
    expect(first?.code).not.toContain("console.log(0)");
    expect(promisedOutput(first?.code ?? "")).toEqual(["1", "2 [ 1 ]"]);
    expect(second).toMatchObject({ language: "js", line: 13 });
    expect(promisedOutput(second?.code ?? "")).toEqual(["1", "two"]);
    for (const snippet of [first, second]) {
      if (snippet) expect(await run(snippet, { tsax: { one: 1 } })).toEqual(promisedOutput(snippet.code));
    }
  });

  test("a type error and a missing export are found on their lines", () => {
    const wrong = snippetsOf(
      "page",
      `${fence}ts\nimport { nothingLikeIt } from "tsax";\nconst n: number = "1";\n${fence}`,
    );
    expect(compile(wrong, root)).toEqual([
      expect.stringMatching(/^page:2: .*nothingLikeIt/),
      expect.stringMatching(/^page:3: Type 'string' is not assignable/),
    ]);
  });

  test("an ellipsis stands for any text, and nothing else does", () => {
    expect(fillEllipses(["took … ms", "a.b", "x…"], ["took 3 ms", "a-b", "y"])).toEqual(["took 3 ms", "a.b", "x…"]);
  });
});
