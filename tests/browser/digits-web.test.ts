import { existsSync, mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serve } from "../../examples/digits/web/serve.js";
import { hasChromium, launchChromium } from "./chromium.js";

const artifacts = fileURLToPath(new URL("artifacts/", import.meta.url));
const built = fileURLToPath(new URL("../../dist/index.js", import.meta.url));

/** Strokes on the canvas, in shares of its width and height. */
type Stroke = readonly (readonly [x: number, y: number])[];
const seven: Stroke = [
  [0.3, 0.22],
  [0.7, 0.22],
  [0.6, 0.5],
  [0.48, 0.84],
];

async function draw(page: Page, stroke: Stroke): Promise<void> {
  const box = (await page.locator("#sketch").boundingBox())!;
  const [first, ...rest] = stroke.map(([x, y]) => [box.x + x * box.width, box.y + y * box.height] as const);
  await page.mouse.move(...first!);
  await page.mouse.down();
  for (const point of rest) await page.mouse.move(...point, { steps: 6 });
  await page.mouse.up();
}

const probabilities = (page: Page): Promise<number[]> =>
  page
    .locator("#bars [role=meter]")
    .evaluateAll((bars) => bars.map((bar) => Number(bar.getAttribute("aria-valuenow"))));

/** The losses that the curve starts and ends with. */
async function losses(page: Page): Promise<readonly [number, number]> {
  const label = (await page.locator("#curve").getAttribute("aria-label"))!;
  const [, first, last] = /^Loss by step: ([\d.]+) at step \d+, ([\d.]+) at step \d+$/.exec(label) ?? [];
  return [Number(first), Number(last)];
}

describe.skipIf(!hasChromium)("the page in Chromium (Linux x64 only)", () => {
  let browser: Browser;
  let server: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    if (!existsSync(built)) throw new Error("the page is made from dist: npm run build");
    mkdirSync(artifacts, { recursive: true });
    [browser, server] = await Promise.all([launchChromium(), serve({ port: 0, train: 4000, test: 500 })]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  async function open(): Promise<{ readonly page: Page; readonly errors: string[] }> {
    const page = await browser.newPage({ viewport: { width: 1200, height: 900 } });
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(server.url);
    await page.waitForSelector("#train:enabled");
    return { page, errors };
  }

  /** Waits for the end of training; the last words. */
  async function ended(page: Page): Promise<string> {
    const status = page.locator("#status");
    await status
      .filter({ hasText: /^(Done|Stopped)/ })
      .or(page.locator("#status.error"))
      .waitFor();
    return (await status.textContent()) ?? "";
  }

  test.each([
    { device: "wasm", model: "softmax", epochs: 5, code: "Wasm", mark: "f32x4" },
    { device: "wasm", model: "mlp", epochs: 3, code: "Wasm", mark: "f32x4" },
    { device: "webgpu", model: "softmax", epochs: 2, code: "WGSL", mark: "@compute" },
  ])("trains $model on $device, and reads what is drawn", async ({ device, model, epochs, code, mark }) => {
    const { page, errors } = await open();
    await page.check(`[name=device][value=${device}]`);
    await page.check(`[name=model][value=${model}]`);
    await page.fill("[name=epochs]", String(epochs));
    await page.click("#train");
    // The page answers while it trains.
    await draw(page, seven);
    expect(await ended(page)).toMatch(new RegExp(`^Done .* on ${device}\\.$`));

    const [first, last] = await losses(page);
    expect(last).toBeLessThan(first / 2);
    expect(parseFloat((await page.textContent("#accuracy")) ?? "")).toBeGreaterThan(75);
    expect(await page.textContent("#verdict")).toBe("Looks like a 7.");
    const p = await probabilities(page);
    expect(p).toHaveLength(10);
    expect(p.reduce((sum, one) => sum + one, 0)).toBeCloseTo(1, 4);
    expect(p.indexOf(Math.max(...p))).toBe(7);

    const forms = { jaxpr: "lambda", Kernels: "launch", [code]: mark };
    expect(await page.locator("#views [role=tab]").allTextContents()).toEqual(Object.keys(forms));
    for (const [name, part] of Object.entries(forms)) {
      await page.getByRole("tab", { name }).click();
      expect(await page.textContent("#program")).toContain(part);
    }
    await page.screenshot({ path: `${artifacts}digits-${device}-${model}.png`, fullPage: true });
    expect(errors).toEqual([]);
    await page.close();
  });

  test("shows test images, clears, and stops when told", async () => {
    const { page, errors } = await open();
    await page.fill("[name=epochs]", "100");
    await page.click("#train");
    await page.waitForFunction(() => /^\d/.test(document.getElementById("accuracy")?.textContent ?? ""));
    await page.click("#stop");
    expect(await ended(page)).toMatch(/^Stopped/);
    await page.click("#sample");
    await page.waitForFunction(() => /it is a \d/.test(document.getElementById("verdict")?.textContent ?? ""));
    await page.click("#clear");
    await page.waitForFunction(() => document.getElementById("verdict")?.textContent === "Draw something.");
    expect(await probabilities(page)).toEqual(new Array(10).fill(0));
    expect(errors).toEqual([]);
    await page.close();
  });
});
