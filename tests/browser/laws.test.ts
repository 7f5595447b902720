import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium, launchChromium } from "./chromium.js";
import type { Findings } from "./laws-page.js";
import { openPage } from "./page.js";

const here = fileURLToPath(new URL(".", import.meta.url));

/** One row of the contract in so many: Node computes them all. */
const SHARE = 4;

/** The page's script: the library from its sources, since the contract speaks of its primitives, with all rows there are. */
async function bundleLaws(): Promise<string> {
  const files = readdirSync(`${here}../primitives`).filter((file) => /^rows-.*\.ts$/.test(file));
  const contents = [
    'import { contractHere, factsHere } from "./laws-page.ts";',
    ...files.map((file, i) => `import { rows as rows${i} } from "../primitives/${file}";`),
    `const rows = [${files.map((_, i) => `...rows${i}`).join(", ")}];`,
    `globalThis.laws = { facts: factsHere, contract: () => contractHere(rows, ${SHARE}) };`,
  ].join("\n");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: here, loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    external: ["webgpu"],
    // The list of modules with side effects is of dist.
    ignoreAnnotations: true,
    logLevel: "error",
    tsconfigRaw: {},
  });
  return outputFiles[0]!.text;
}

interface Laws {
  readonly facts: () => Promise<Findings>;
  readonly contract: () => Promise<Findings>;
}

describe.skipIf(!hasChromium)("on webgpu in a page (Chromium, Linux x64 only)", () => {
  let browser: Browser;
  let script: string;
  beforeAll(async () => {
    [browser, script] = await Promise.all([launchChromium(), bundleLaws()]);
  }, 120_000);
  afterAll(() => browser?.close());

  test.each([
    ["facts", "JAX's numbers come out", 70],
    ["contract", "primitives compute what the reference does", 140],
  ] as const)(
    "%s: %s",
    async (law, _, least) => {
      const { page } = await openPage(browser, (path) =>
        path === "" ? '<!doctype html><script type="module" src="laws.js"></script>' : script,
      );
      await page.waitForFunction(() => "laws" in globalThis);
      const { checked, wrong } = await page.evaluate(
        (name) => (globalThis as unknown as { readonly laws: Laws }).laws[name](),
        law,
      );
      expect(wrong).toEqual([]);
      expect(checked).toBeGreaterThan(least);
      await page.close();
    },
    120_000,
  );
});
