import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultDevice, jit, type NDArray, setDefaultDevice, tree } from "../../src/index.js";
import { programs } from "./control-programs.js";

interface Leaf {
  readonly dtype: string;
  readonly weak: boolean;
  readonly shape: readonly number[];
  readonly data: readonly (number | string)[];
}
const recorded = JSON.parse(readFileSync(new URL("control-jax.data.json", import.meta.url), "utf8")) as Readonly<
  Record<string, readonly Leaf[]>
>;

const typeOf = (l: Omit<Leaf, "data">): string => `${l.weak ? "~" : ""}${l.dtype}[${l.shape.join(",")}]`;

/** Compares leaves with what JAX gave: dtypes, weak types and shapes exactly; tangents of integers have no counterpart here. */
async function check(got: unknown, expected: readonly Leaf[]): Promise<void> {
  const leaves = tree.leaves(got) as readonly NDArray[];
  expect(leaves.length).toBe(expected.length);
  for (const [k, x] of leaves.entries()) {
    const e = expected[k]!;
    if (e.dtype === "float0") continue;
    expect(typeOf({ dtype: x.dtype, weak: x.aval.weakType, shape: x.shape }), `leaf ${k}`).toBe(typeOf(e));
    (await x.data()).forEach((v, i) => {
      const w = Number(e.data[i]);
      const near = Object.is(Number(v), w) || Math.abs(Number(v) - w) <= 1e-6 + 3e-5 * Math.abs(w);
      expect(near, `leaf ${k}[${i}]: ${v}, JAX has ${w}`).toBe(true);
    });
  }
}

/** Runs the programs on a device, but for those named. */
export function checkPrograms(device: string, without: readonly string[] = []): void {
  describe(`programs of control flow give what JAX gives on ${device}`, () => {
    const home = defaultDevice();
    beforeAll(() => setDefaultDevice(device));
    afterAll(() => setDefaultDevice(home));
    it("are all recorded", () => expect(Object.keys(programs)).toEqual(Object.keys(recorded)));
    it.each(Object.entries(programs).filter(([name]) => !without.includes(name)))("%s", async (name, program) => {
      await check(program(), recorded[name]!);
      await check(jit(program)(), recorded[name]!);
    });
  });
}
