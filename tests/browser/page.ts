import type { Browser, Page } from "playwright-core";

/** A page that lies on a host that counts as secure, or it would have no WebGPU. */
const ORIGIN = "http://localhost/";

const TYPES: Readonly<Record<string, string>> = { js: "text/javascript", html: "text/html", css: "text/css" };

export interface OpenedPage {
  readonly page: Page;
  /** The files that it has asked for, by their paths. */
  readonly asked: string[];
}

/** Opens a page whose files come from here ("" is the page itself); nothing else is reached. */
export async function openPage(browser: Browser, file: (path: string) => string | undefined): Promise<OpenedPage> {
  const page = await browser.newPage();
  const asked: string[] = [];
  await page.route("**/*", (route) => {
    const url = route.request().url();
    const path = url.startsWith(ORIGIN) ? url.slice(ORIGIN.length) : url;
    const body = file(path);
    if (body === undefined) return route.abort();
    asked.push(path);
    const type = TYPES[path === "" ? "html" : (path.split(".").at(-1) ?? "")];
    return route.fulfill({ body, ...(type === undefined ? {} : { contentType: type }) });
  });
  await page.goto(ORIGIN);
  return { page, asked };
}

/** A program that computes on a device and writes what came into the element `out`. */
export const computeOn = (device: string, from: string): string => `
  import { grad, init, jit, numpy as np, setDefaultDevice, vmap } from ${JSON.stringify(from)};
  const out = document.getElementById("out");
  try {
    await init("${device}");
    setDefaultDevice("${device}");
    const slope = jit(vmap(grad((x) => np.tanh(x).mul(2))));
    const slopes = await slope(np.array([0, 0.5, -1])).data();
    out.textContent = Array.from(slopes, (y) => y.toFixed(4)).join(" ");
  } catch (error) {
    out.textContent = String(error);
  }`;

/** What that program should write. */
export const COMPUTED = "2.0000 1.5729 0.8399";

/** What the page has written into `out`, once it has. */
export async function outOf(page: Page): Promise<string | null> {
  await page.waitForFunction(() => document.getElementById("out")?.textContent !== "");
  return page.textContent("#out");
}
