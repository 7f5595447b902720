import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ConcreteArray, NDArray } from "../../src/core/array.js";
import type { HostArray } from "../../src/core/aval.js";
import { defaultDevice, setDefaultDevice } from "../../src/runtime/devices.js";
import "../../src/runtime/install.js";
import { jit } from "../../src/transforms/jit.js";
import { difference, download, draw, generator, upload } from "../primitives/contract-data.js";
import type { ContractRow } from "../primitives/contract.js";
import { webgpu } from "./webgpu.js";

/** The law "every backend = reference" of the contract, in float32, on a device that is read asynchronously. */
const folder = new URL("../primitives/", import.meta.url);
const rows: ContractRow[] = [];
for (const file of readdirSync(folder).filter((f) => /^rows-.*\.ts$/.test(f)))
  rows.push(...((await import(new URL(file, folder).href)) as { readonly rows: readonly ContractRow[] }).rows);

const home = defaultDevice();
beforeAll(() => setDefaultDevice("reference"));
afterAll(() => setDefaultDevice(home));

const read = async (x: NDArray): Promise<HostArray> => ({
  aval: x.aval,
  data: await (x as ConcreteArray).storage.read(),
});

const needsFloat64 = (row: ContractRow): boolean => row.args.some((a) => a.dtype === "float64");

describe.skipIf(!webgpu)("webgpu = reference", () => {
  test.each(
    rows
      .filter((row) => !needsFloat64(row))
      .map((row) => [`${row.primitive}${row.variant === undefined ? "" : ` (${row.variant})`}`, row] as const),
  )("%s", async (_, row) => {
    const f = (...xs: NDArray[]): NDArray[] => {
      const out = row.apply(xs);
      return Array.isArray(out) ? [...(out as readonly NDArray[])] : [out as NDArray];
    };
    const random = generator(2);
    const inputs = row.args.map((a) => draw(a, "float32", random));
    setDefaultDevice("reference");
    const expected = f(...inputs.map((h) => upload(h))).map(download);
    if (expected.some((e) => e.aval.dtype === "float64")) return;
    const here = inputs.map((h) => upload(h, "webgpu"));
    setDefaultDevice("webgpu");
    try {
      // GPUs may flush subnormal numbers, divide to 2.5 ulp and fuse what they like: twice what other devices get.
      const slack = 2 * (row.ulps ?? 4) * 2 ** -24;
      for (const [how, results] of [
        ["eager", f(...here)],
        ["jit", jit(f)(...here)],
      ] as const) {
        expect(results.length, how).toBe(expected.length);
        for (const [i, y] of results.entries())
          expect(difference(await read(y), expected[i]!, slack), `${how}, result ${i}`).toBeUndefined();
      }
    } finally {
      setDefaultDevice("reference");
    }
  });
});
