import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { defaultDevice, jit, listDevices, type NDArray, setDefaultDevice, tree } from "../../src/index.js";
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
function check(got: unknown, expected: readonly Leaf[], weak = true): void {
  const leaves = tree.leaves(got) as readonly NDArray[];
  expect(leaves.length).toBe(expected.length);
  leaves.forEach((x, k) => {
    const e = expected[k]!;
    if (e.dtype === "float0") return;
    const type = { dtype: x.dtype, weak: weak ? x.aval.weakType : e.weak, shape: x.shape };
    expect(typeOf(type), `leaf ${k}`).toBe(typeOf(e));
    x.dataSync().forEach((v, i) => {
      const w = Number(e.data[i]);
      const near = Object.is(Number(v), w) || Math.abs(Number(v) - w) <= 1e-6 + 3e-5 * Math.abs(w);
      expect(near, `leaf ${k}[${i}]: ${v}, JAX has ${w}`).toBe(true);
    });
  });
}

describe.each(listDevices())("programs of control flow give what JAX gives on %s", (device) => {
  const home = defaultDevice();
  beforeAll(() => setDefaultDevice(device));
  afterAll(() => setDefaultDevice(home));
  it("are all recorded", () => expect(Object.keys(programs)).toEqual(Object.keys(recorded)));
  it.each(Object.entries(programs))("%s", (name, program) => {
    check(program(), recorded[name]!);
    check(jit(program)(), recorded[name]!);
  });
});
