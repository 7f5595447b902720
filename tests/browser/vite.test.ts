import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { build, type Rolldown } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium, launchChromium } from "./chromium.js";
import { computeOn, COMPUTED, openPage, outOf } from "./page.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Builds a project that has the package among its modules, and a page for each device; the files by name. */
async function viteBuild(folder: string, devices: readonly string[]): Promise<Map<string, string>> {
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(root, join(folder, "node_modules/tsax"), "dir");
  for (const device of devices) {
    writeFileSync(join(folder, `${device}.js`), computeOn(device, "tsax"));
    const script = `<script type="module" src="./${device}.js"></script>`;
    writeFileSync(join(folder, `${device}.html`), `<!doctype html><p id="out"></p>${script}`);
  }
  const built = (await build({
    root: folder,
    configFile: false,
    logLevel: "error",
    build: {
      write: false,
      target: "es2022",
      rollupOptions: { input: devices.map((device) => join(folder, `${device}.html`)) },
    },
  })) as Rolldown.RolldownOutput;
  return new Map(
    built.output.map((file) => [file.fileName, file.type === "chunk" ? file.code : String(file.source)] as const),
  );
}

describe.skipIf(!hasChromium)("a project built with Vite, in a page (Chromium, Linux x64 only)", () => {
  const devices = ["wasm", "webgpu"];
  let folder: string;
  let browser: Browser;
  let files: Map<string, string>;
  beforeAll(async () => {
    if (!existsSync(join(root, "dist/index.js"))) throw new Error("this bundles dist: npm run build");
    folder = mkdtempSync(join(tmpdir(), "tsax-vite-"));
    [browser, files] = await Promise.all([launchChromium(), viteBuild(folder, devices)]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test("is pages and scripts, and nothing that a server would have to know of", () => {
    expect([...files.keys()].filter((name) => !/\.(js|html)$/.test(name))).toEqual([]);
  });

  test.each(devices)("computes on %s", async (device) => {
    const { page } = await openPage(browser, (path) => files.get(path === "" ? `${device}.html` : path));
    expect(await outOf(page)).toBe(COMPUTED);
    await page.close();
  });
});
