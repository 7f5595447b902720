import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defaultDevice, setDefaultDevice } from "../../src/runtime/devices.js";
import "../../src/runtime/install.js";
import type { ContractRow } from "../primitives/contract.js";
import { differenceOnGpu, nameOf, withoutFloat64 } from "./contract-law.js";
import { webgpu } from "./webgpu.js";

/** The law "every backend = reference" of the contract, in float32, on a device that is read asynchronously. */
const folder = new URL("../primitives/", import.meta.url);
const rows: ContractRow[] = [];
for (const file of readdirSync(folder).filter((f) => /^rows-.*\.ts$/.test(f)))
  rows.push(...((await import(new URL(file, folder).href)) as { readonly rows: readonly ContractRow[] }).rows);

const home = defaultDevice();
beforeAll(() => setDefaultDevice("reference"));
afterAll(() => setDefaultDevice(home));

describe.skipIf(!webgpu)("webgpu = reference", () => {
  test.each(withoutFloat64(rows).map((row) => [nameOf(row), row] as const))("%s", async (_, row) => {
    expect(await differenceOnGpu(row)).toBeUndefined();
  });
});
