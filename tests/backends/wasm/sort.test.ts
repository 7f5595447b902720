import { describe, expect, test } from "vitest";
import { ModuleBuilder } from "../../../src/backends/wasm/module-builder.js";
import {
  emitSort,
  sortLines,
  sortParameters,
  sortScratchBytes,
  sortStructure,
} from "../../../src/backends/wasm/sort/sort.js";
import type { TypedArray } from "../../../src/core/dtype.js";
import type { SortKernel } from "../../../src/kernel-ir/kernel.js";
import { buffer, type BufferType, difference, numbers } from "./build.js";
import { storageOf } from "./harness.js";

type Extent = Partial<Pick<SortKernel, "descending" | "count">>;
const kernelOf = (
  types: readonly BufferType[],
  numKeys: number,
  outer: number,
  n: number,
  inner: number,
  { descending = false, count = n }: Extent = {},
): SortKernel => ({
  kind: "sort",
  name: "sort",
  buffers: [
    ...types.map((t) => buffer(t, "read", outer * n * inner)),
    ...types.map((t) => buffer(t, "write", outer * count * inner)),
  ],
  operands: types.length,
  numKeys,
  outer,
  n,
  inner,
  descending,
  count,
});

function run(kernel: SortKernel, inputs: readonly TypedArray[], generic: boolean): TypedArray[] {
  const m = new ModuleBuilder();
  m.exportFunction("run", emitSort(m, kernel, generic));
  let top = 65536;
  const take = (bytes: number): number => {
    const at = top;
    top += Math.ceil(bytes / 16) * 16 + 16;
    return at;
  };
  const at = [...inputs, ...inputs].map((b) => take(b.byteLength));
  const scratch = take(sortScratchBytes(kernel));
  const params = take(64);
  const memory = new WebAssembly.Memory({ initial: Math.ceil(top / 65536), maximum: 65536 });
  inputs.forEach((b, k) =>
    new Uint8Array(memory.buffer).set(new Uint8Array(b.buffer, b.byteOffset, b.byteLength), at[k]!),
  );
  new Int32Array(memory.buffer).set(sortParameters(kernel), params / 4);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(m.toBytes()), { env: { memory } });
  const f = instance.exports["run"] as (...args: number[]) => void;
  const lines = sortLines(kernel);
  const chunk = Math.max(1, Math.ceil(lines / 2));
  for (let lo = 0; lo < lines; lo += chunk)
    f(lo, Math.min(lines, lo + chunk), ...at, scratch, ...(generic ? [params] : []));
  return inputs.map((_, k) => {
    const { type, length } = kernel.buffers[inputs.length + k]!;
    const out = new storageOf[type](length);
    new Uint8Array(out.buffer).set(new Uint8Array(memory.buffer, at[inputs.length + k]!, out.byteLength));
    return out;
  });
}

const compare = (a: number, b: number): number =>
  Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : Number.isNaN(b) ? -1 : a < b ? -1 : a > b ? 1 : 0;

function check(
  types: readonly BufferType[],
  numKeys: number,
  outer: number,
  n: number,
  inner: number,
  inputs: readonly TypedArray[],
  extent: Extent = {},
): void {
  const kernel = kernelOf(types, numKeys, outer, n, inner, extent);
  const { count, descending } = kernel;
  const expected = inputs.map((b) => b.slice(0, outer * count * inner));
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const place = (j: number): number => (o * n + j) * inner + i;
      const order = Array.from({ length: n }, (_, j) => j).sort((x, y) => {
        for (let k = 0; k < numKeys; k++) {
          const c = compare(inputs[k]![place(x)]!, inputs[k]![place(y)]!);
          if (c !== 0) return descending ? -c : c;
        }
        return x - y;
      });
      order.length = count;
      inputs.forEach((b, k) =>
        order.forEach((from, j) => (expected[k]![(o * count + j) * inner + i] = b[place(from)]!)),
      );
    }
  }
  for (const generic of [false, true]) {
    run(kernel, inputs, generic).forEach((b, k) => expect(difference(b, expected[k]!)).toBeNull());
  }
}

const awkward = [NaN, 0, -0, 1, -1, Infinity, -Infinity, 1e-40, -1e-40, 3, 3, -0, NaN, 2.5, 1e30, -1e30, 0];
const withAwkward = (t: "f32" | "f64", n: number): TypedArray =>
  numbers(t, n, 5).map((v, i) => (i % 3 === 0 ? awkward[(i / 3) % awkward.length]! : v));

describe("sort", () => {
  test.each([0, 1, 2, 3, 5, 8, 31, 33, 65, 255, 256, 1000])(
    "%i elements of every type, with where they came from",
    (n) => {
      const from = new Int32Array(n).map((_, i) => i);
      for (const t of ["i32", "u32", "bool"] as const) check([t, "i32"], 1, 1, n, 1, [numbers(t, n), from]);
      for (const t of ["f32", "f64"] as const) check([t, "i32"], 1, 1, n, 1, [withAwkward(t, n), from]);
    },
  );

  test("large integers of both signs", () => {
    const n = 600;
    const x = new Int32Array(n).map((_, i) => Math.imul(i, 2654435761));
    check(["i32"], 1, 1, n, 1, [x]);
    check(["u32"], 1, 1, n, 1, [new Uint32Array(x)]);
    check(["f64"], 1, 1, n, 1, [new Float64Array(x).map((v, i) => v * 2 ** ((i % 80) - 40))]);
  });

  test.each([20, 400])("lines of %i along each axis", (n) => {
    check(["f32", "f64"], 1, 3, n, 1, [withAwkward("f32", 3 * n), numbers("f64", 3 * n)]);
    check(["f32", "f64"], 1, 1, n, 5, [withAwkward("f32", 5 * n), numbers("f64", 5 * n)]);
    check(["f32", "f64"], 1, 2, n, 3, [withAwkward("f32", 6 * n), numbers("f64", 6 * n)]);
  });

  test.each([40, 500])("several keys, %i elements", (n) => {
    const few = (t: BufferType, m: number): TypedArray => numbers(t, n, 9).map((v) => Math.abs(Math.trunc(v)) % m);
    const from = new Int32Array(n).map((_, i) => i);
    check(["i32", "f32", "i32"], 2, 1, n, 1, [few("i32", 4), withAwkward("f32", n), from]);
    check(["f64", "bool", "u32", "i32"], 3, 1, n, 1, [few("f64", 3), numbers("bool", n), few("u32", 5), from]);
  });

  describe.each([false, true])("descending: %j", (descending) => {
    test.each([
      [31, 1],
      [32, 1],
      [33, 5],
      [100, 0],
      [100, 7],
      [257, 42],
      [257, 85],
      [1000, 100],
      [1000, 334],
      [1000, 999],
      [1000, 1000],
    ])("of %i elements the first %i, of every type", (n, count) => {
      const extent = { descending, count };
      const from = new Int32Array(3 * n).map((_, i) => i);
      for (const t of ["i32", "u32", "bool"] as const) {
        check([t, "i32"], 1, 3, n, 1, [numbers(t, 3 * n), from], extent);
        check([t, "i32"], 1, 1, n, 3, [numbers(t, 3 * n), from], extent);
      }
      for (const t of ["f32", "f64"] as const) {
        check([t, "i32"], 1, 3, n, 1, [withAwkward(t, 3 * n), from], extent);
        check([t, "i32"], 1, 1, n, 3, [withAwkward(t, 3 * n), from], extent);
      }
      check(["f32", "i32"], 2, 1, n, 1, [withAwkward("f32", n), from.slice(0, n)], extent);
    });
    test("the first of what is in order already, or in the contrary one, or all alike, or NaN but for a few", () => {
      const from = new Int32Array(500).map((_, i) => i);
      const rows: ((i: number) => number)[] = [(i) => i, (i) => -i, () => 2, (i) => (i % 99 === 98 ? 1 : NaN)];
      rows.push((i) => (i % 99 === 98 ? NaN : i % 2 ? -0 : 0));
      for (const row of rows)
        check(["f32", "i32"], 1, 1, 500, 1, [Float32Array.from(from, row), from], { descending, count: 11 });
      const around = from.map((i) => 2 ** 31 - 250 + i);
      check(["i32"], 1, 1, 500, 1, [around], { descending, count: 11 });
      check(["u32"], 1, 1, 500, 1, [new Uint32Array(around)], { descending, count: 11 });
    });
  });

  test("one structure serves all sizes", () => {
    expect(sortStructure(kernelOf(["f32"], 1, 3, 5, 7))).toBe(sortStructure(kernelOf(["f32"], 1, 1, 900, 2)));
    expect(sortStructure(kernelOf(["f32"], 1, 3, 5, 7))).not.toBe(sortStructure(kernelOf(["f64"], 1, 3, 5, 7)));
  });
});
