import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Case, dtypesOf, loadCases } from "../oracle/cases.js";
import { expected, isKnownFailure } from "../oracle/expected.js";
import { hasChromium, launchChromium } from "./chromium.js";
import type * as OraclePage from "./oracle-page.js";
import { computeOn, COMPUTED, openPage, type OpenedPage, outOf } from "./page.js";

const built = fileURLToPath(new URL("../../dist/browser/", import.meta.url));
const here = fileURLToPath(new URL(".", import.meta.url));

/** The runner of recorded cases, for a page: it takes the library from the bundle next to it. */
async function bundleRunner(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [`${here}oracle-page.ts`],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    logLevel: "error",
    tsconfigRaw: {},
    plugins: [
      {
        name: "library and Node's modules from elsewhere",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /\/src\/index\.js$/ }, () => ({ path: "./tsax.js", external: true }));
          // Cases are read in Node and handed to the page.
          onResolve({ filter: /^node:/ }, ({ path }) => ({ path, namespace: "node" }));
          onLoad({ filter: /.*/, namespace: "node" }, () => ({ contents: "module.exports = {}" }));
        },
      },
    ],
  });
  return outputFiles[0]!.text;
}

/** One case in so many, always the same ones. */
const SHARE = 15;

function hash(text: string): number {
  let h = 0;
  for (let i = 0; i < text.length; i++) h = (Math.imul(h, 31) + text.charCodeAt(i)) >>> 0;
  return h;
}

function sample(): Case[] {
  const missing = new Set([...expected.missingFunctions, ...expected.missingDtypes]);
  return ["numpy", "lax", "nn", "random", "other"]
    .flatMap(loadCases)
    .filter((c) => hash(c.id) % SHARE === 1)
    .filter((c) => !missing.has(c.fn) && ![...dtypesOf(c)].some((dtype) => dtype === "float64" || missing.has(dtype)));
}

describe.skipIf(!hasChromium)("dist/browser in a page without a bundler (Chromium, Linux x64 only)", () => {
  let browser: Browser;
  let runner: string;
  beforeAll(async () => {
    if (!existsSync(`${built}tsax.js`)) throw new Error("this tests dist/browser: npm run build");
    [browser, runner] = await Promise.all([launchChromium(), bundleRunner()]);
  }, 120_000);
  afterAll(() => browser?.close());

  /** Opens a page with the files of dist/browser. */
  const open = (body: string): Promise<OpenedPage> =>
    openPage(browser, (path) => {
      if (path === "") return `<!doctype html>${body}`;
      if (path === "oracle-page.js") return runner;
      return existsSync(built + path) ? readFileSync(built + path, "utf8") : undefined;
    });

  test.each(["wasm", "webgpu"])("a plain module script computes on %s", async (device) => {
    const { page, asked } = await open(
      `<p id="out"></p><script type="module">${computeOn(device, "./tsax.js")}</script>`,
    );
    expect(await outOf(page)).toBe(COMPUTED);
    expect(asked.filter((path) => !/^(|tsax\.js|core\/.+\.js)$/.test(path))).toEqual([]);
    // What is for another device is not loaded.
    expect(asked.some((path) => path.includes("webgpu"))).toBe(device === "webgpu");
    await page.close();
  });

  test.each(["wasm", "webgpu"])(
    "recorded values of JAX come out on %s",
    async (device) => {
      const cases = sample();
      const { page } = await open(
        `<script type="module">import { runCases } from "./oracle-page.js"; globalThis.runCases = runCases;</script>`,
      );
      await page.waitForFunction(() => "runCases" in globalThis);
      const outcomes = await page.evaluate(
        ([text, device]) => {
          const cases = JSON.parse(text, (_, x: unknown) => (x === "negative zero" ? -0 : x)) as readonly Case[];
          return (globalThis as unknown as typeof OraclePage).runCases(cases, device);
        },
        // JSON.stringify has no −0
        [JSON.stringify(cases, (_, x: unknown) => (Object.is(x, -0) ? "negative zero" : x)), device] as const,
      );
      expect(outcomes.length).toBeGreaterThan(300);
      const surprises = outcomes.filter(
        ({ id, mode, wrong }) => (wrong !== undefined) !== isKnownFailure(id, mode, device),
      );
      expect(surprises).toEqual([]);
      await page.close();
    },
    90_000,
  );
});
