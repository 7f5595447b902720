import type * as SoftwareGpu from "../scripts/software-gpu.mjs";

/** The device that the libraries of this process compute on. */
export const DEVICE = process.env["BENCH_DEVICE"] === "webgpu" ? "webgpu" : "wasm";

if (DEVICE === "webgpu") {
  // From where this file lies once it is built.
  const { href } = new URL("../../scripts/software-gpu.mjs", import.meta.url);
  ((await import(href)) as typeof SoftwareGpu).useSoftwareDriver();
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  const gpu = create([]);
  // What browsers have, for the libraries that know of browsers only.
  Object.defineProperty(globalThis, "navigator", { value: { gpu, userAgent: "node" }, configurable: true });
}
