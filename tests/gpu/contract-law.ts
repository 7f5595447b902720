import type { ConcreteArray, NDArray } from "../../src/core/array.js";
import type { HostArray } from "../../src/core/aval.js";
import { setDefaultDevice } from "../../src/runtime/devices.js";
import { jit } from "../../src/transforms/jit.js";
import { difference, download, draw, generator, upload } from "../primitives/contract-data.js";
import type { ContractRow } from "../primitives/contract.js";

const read = async (x: NDArray): Promise<HostArray> => ({
  aval: x.aval,
  data: await (x as ConcreteArray).storage.read(),
});

/** How a row of the contract is called in reports. */
export const nameOf = ({ primitive, variant }: ContractRow): string =>
  `${primitive}${variant === undefined ? "" : ` (${variant})`}`;

/** The rows that a device without float64 can compute. */
export const withoutFloat64 = (rows: readonly ContractRow[]): ContractRow[] =>
  rows.filter((row) => row.args.every((a) => a.dtype !== "float64"));

/**
 * Holds a row to the law "every backend = reference", in float32, eagerly and under jit, on a device that is awaited; returns
 * what is wrong, undefined where nothing is. Leaves "reference" as the default device.
 */
export async function differenceOnGpu(row: ContractRow): Promise<string | undefined> {
  const f = (...xs: NDArray[]): NDArray[] => {
    const out = row.apply(xs);
    return Array.isArray(out) ? [...(out as readonly NDArray[])] : [out as NDArray];
  };
  const random = generator(2);
  const inputs = row.args.map((a) => draw(a, "float32", random));
  setDefaultDevice("reference");
  const expected = f(...inputs.map((h) => upload(h))).map(download);
  if (expected.some((e) => e.aval.dtype === "float64")) return undefined;
  const here = inputs.map((h) => upload(h, "webgpu"));
  setDefaultDevice("webgpu");
  try {
    // GPUs may flush subnormal numbers, divide to 2.5 ulp and fuse what they like: twice what other devices get.
    const slack = 2 * (row.ulps ?? 4) * 2 ** -24;
    for (const [how, results] of [
      ["eager", f(...here)],
      ["jit", jit(f)(...here)],
    ] as const) {
      if (results.length !== expected.length) return `${how}: ${results.length} results instead of ${expected.length}`;
      for (const [i, y] of results.entries()) {
        const wrong = difference(await read(y), expected[i]!, slack);
        if (wrong !== undefined) return `${how}, result ${i}: ${wrong}`;
      }
    }
    return undefined;
  } finally {
    setDefaultDevice("reference");
  }
}
