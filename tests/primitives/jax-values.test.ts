import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/array.js";
import { aval, hostZeros } from "../../src/core/aval.js";
import type { DType } from "../../src/core/dtype.js";
import * as p from "../../src/primitives/all.js";
import { defaultDevice, listDevices, setDefaultDevice } from "../../src/runtime/devices.js";
import "../../src/runtime/install.js";
import { grad } from "../../src/transforms/grad.js";
import { hessian } from "../../src/transforms/jacobian.js";
import { jit } from "../../src/transforms/jit.js";
import { jvp } from "../../src/transforms/jvp.js";
import { download, upload } from "./contract-data.js";

/** What JAX 0.10.2 computes in float32 at special values, kinks and ties, as `jax_values.py` wrote it down. */
type Value = number | string;
type Nested = Value | readonly Nested[];
interface Jax {
  readonly special: Value[];
  readonly unary: Record<string, { readonly y: Value[]; readonly d1: Value[]; readonly d2: Value[] }>;
  readonly left: Value[];
  readonly right: Value[];
  readonly binary: Record<string, { readonly y: Value[]; readonly left?: Value[]; readonly right?: Value[] }>;
  readonly power: Record<"base" | "exponent" | "y" | "left", Value[]>;
  readonly clamp: Record<"lo" | "x" | "hi" | "y" | "dlo" | "dx" | "dhi", Value[]>;
  readonly integers: Record<
    "int32" | "uint32",
    { readonly values: number[]; readonly binary: Record<string, number[]>; readonly unary: Record<string, number[]> }
  >;
  readonly convert: Record<"x" | "int32" | "uint32" | "bool", Value[]>;
  readonly precision: Record<"x" | "half" | "bfloat" | "one" | "tiny", Value[]>;
  readonly select: Record<"which" | "y", Value[]>;
  readonly reductions: (Record<"x", Value[]> & Record<"argmax" | "argmin", number> & Record<string, Curves>)[];
  readonly cumulative: (Record<"x", Value[]> & Record<string, Curves>)[];
}
interface Curves {
  readonly y: Nested;
  readonly grad: Nested;
  readonly hessian: Nested;
}
const jax = JSON.parse(readFileSync(new URL("jax-values.data.json", import.meta.url), "utf8")) as Jax;

const numbers = (v: Nested): number[] => (Array.isArray(v) ? (v as readonly Nested[]).flatMap(numbers) : [Number(v)]);

function array(
  values: readonly Value[],
  dtype: DType = "float32",
  shape: readonly number[] = [values.length],
): NDArray {
  const h = hostZeros(aval(shape, dtype));
  h.data.set(values.map(Number));
  return upload(h);
}
const scalar = (x: number): NDArray => array([x], "float32", []);

/**
 * Elements that differ: NaN and infinities must agree, zeros in sign where `signed`. XLA flushes subnormal numbers to zero, also
 * within a derivative, where products of them and large numbers then vanish: `vanishes` is what may stand for such a zero.
 */
function differences(
  x: NDArray,
  expected: Nested,
  at: (i: number) => string,
  { signed = false, relative = 4e-6, vanishes = 2 ** -126 } = {},
): string[] {
  const actual = [...download(x).data];
  const wanted = numbers(expected);
  expect(actual.length).toBe(wanted.length);
  return wanted.flatMap((w, i) => {
    const a = actual[i]!;
    const exact = signed ? Object.is(a, w) : a === w || (Number.isNaN(a) && Number.isNaN(w));
    const close = w === 0 ? a !== 0 && Math.abs(a) < vanishes : Math.abs(a - w) <= relative * Math.abs(w);
    return exact || close ? [] : [`${at(i)}: ${a} instead of ${w}`];
  });
}

type Unary = (x: NDArray) => NDArray;
const unary: Readonly<Record<string, Unary>> = {
  ...Object.fromEntries(
    Object.keys(jax.unary)
      .filter((k) => k in p)
      .map((k) => [k, p[k as keyof typeof p] as Unary]),
  ),
  ...Object.fromEntries([-2, -1, 0, 1, 2, 3].map((n) => [`integerPow ${n}`, (x: NDArray) => p.integerPow(x, n)])),
};
const ones = (x: NDArray): NDArray => array(new Array<number>(x.size).fill(1));
const tangent =
  (f: Unary) =>
  (x: NDArray): NDArray =>
    jvp(f, [x], [ones(x)])[1];

describe.each(listDevices())("as JAX, on %s", (device) => {
  const home = defaultDevice();
  beforeAll(() => setDefaultDevice(device));
  afterAll(() => setDefaultDevice(home));

  test("every recorded function is there", () => {
    expect(Object.keys(jax.unary).filter((k) => !(k in unary))).toEqual([]);
  });

  test.each(Object.keys(unary))("%s at special values, and two derivatives", (name) => {
    const f = unary[name]!;
    const row = jax.unary[name]!;
    const x = array(jax.special);
    const at = (i: number): string => `${name}(${jax.special[i]!})`;
    expect(differences(f(x), row.y, at, { signed: true })).toEqual([]);
    expect(differences(tangent(f)(x), row.d1, at, { relative: 2e-5, vanishes: 1e-29 })).toEqual([]);
    expect(differences(jit(tangent(tangent(f)))(x), row.d2, at, { relative: 2e-5, vanishes: 1e-29 })).toEqual([]);
  });

  test.each(Object.keys(jax.binary))("%s of pairs of special values, and both derivatives", (name) => {
    const f = p[name as "add" | "nextafter"];
    const row = jax.binary[name]!;
    const [a, b] = [array(jax.left), array(jax.right)];
    const at = (i: number): string => `${name}(${jax.left[i]!}, ${jax.right[i]!})`;
    expect(differences(f(a, b), row.y, at, { signed: true })).toEqual([]);
    if (row.left) expect(differences(tangent((x) => f(x, b))(a), row.left, at)).toEqual([]);
    if (row.right) expect(differences(tangent((y) => f(a, y))(b), row.right, at)).toEqual([]);
  });

  test("pow with integer exponents", () => {
    const [x, n] = [array(jax.power.base), array(jax.power.exponent, "int32")];
    const at = (i: number): string => `pow(${jax.power.base[i]!}, ${jax.power.exponent[i]!})`;
    expect(differences(p.pow(x, n), jax.power.y, at, { signed: true })).toEqual([]);
    expect(differences(tangent((x) => p.pow(x, n))(x), jax.power.left, at)).toEqual([]);
  });

  test("clamp and its derivatives, at the bounds, with bounds crossed, with NaN", () => {
    const [lo, x, hi] = [array(jax.clamp.lo), array(jax.clamp.x), array(jax.clamp.hi)];
    const at = (i: number): string => `clamp(${jax.clamp.lo[i]!}, ${jax.clamp.x[i]!}, ${jax.clamp.hi[i]!})`;
    expect(differences(p.clamp(lo, x, hi), jax.clamp.y, at)).toEqual([]);
    expect(differences(tangent((v) => p.clamp(v, x, hi))(lo), jax.clamp.dlo, at)).toEqual([]);
    expect(differences(tangent((v) => p.clamp(lo, v, hi))(x), jax.clamp.dx, at)).toEqual([]);
    expect(differences(tangent((v) => p.clamp(lo, x, v))(hi), jax.clamp.dhi, at)).toEqual([]);
  });

  test.each(["int32", "uint32"] as const)("arithmetic of %s at its edges", (dtype) => {
    const { values, binary, unary } = jax.integers[dtype];
    const a = array(
      values.flatMap((v) => values.map(() => v)),
      dtype,
    );
    const b = array(
      values.flatMap(() => values),
      dtype,
    );
    for (const [name, expected] of Object.entries(binary)) {
      const at = (i: number): string =>
        `${name}(${values[Math.floor(i / values.length)]!}, ${values[i % values.length]!})`;
      expect(differences(p[name as "add"](a, b), expected, at, { relative: 0 })).toEqual([]);
    }
    const other = dtype === "int32" ? "uint32" : "int32";
    const f: Record<string, Unary> = {
      neg: p.neg,
      sign: p.sign,
      not_: p.not,
      clz: p.clz,
      populationCount: p.populationCount,
      square: p.square,
      cube: (x) => p.integerPow(x, 3),
      bool: (x) => p.convertElementType(x, "bool"),
      float32: (x) => p.convertElementType(x, "float32"),
      other: (x) => p.convertElementType(x, other),
    };
    const x = array(values, dtype);
    for (const [name, expected] of Object.entries(unary)) {
      expect(differences(f[name]!(x), expected, (i) => `${name}(${values[i]!})`, { relative: 0 })).toEqual([]);
    }
  });

  test("conversions of floats out of range", () => {
    const x = array(jax.convert.x);
    for (const to of ["int32", "uint32", "bool"] as const) {
      expect(
        differences(p.convertElementType(x, to), jax.convert[to], (i) => `${to}(${jax.convert.x[i]!})`, {
          relative: 0,
        }),
      ).toEqual([]);
    }
  });

  test("fewer bits", () => {
    const x = array(jax.precision.x);
    const bits: Record<string, readonly [number, number]> = {
      half: [5, 10],
      bfloat: [8, 7],
      one: [8, 0],
      tiny: [2, 3],
    };
    for (const name of ["half", "bfloat", "one", "tiny"] as const) {
      const at = (i: number): string => `${name}(${jax.precision.x[i]!})`;
      expect(differences(p.reducePrecision(x, ...bits[name]!), jax.precision[name], at, { relative: 0 })).toEqual([]);
    }
  });

  test("select beyond its cases", () => {
    const cases = [0, 1, 2].map((k) => scalar(k));
    expect(differences(p.selectN(array(jax.select.which, "int32"), ...cases), jax.select.y, String)).toEqual([]);
  });

  describe.each(jax.reductions.map((row) => [String(row.x), row] as const))("reductions of [%s]", (_, row) => {
    const reductions = {
      reduceSum: p.reduceSum,
      reduceProd: p.reduceProd,
      reduceMax: p.reduceMax,
      reduceMin: p.reduceMin,
    };
    test.each(Object.keys(reductions))("%s with gradient and Hessian", (name) => {
      const f = (x: NDArray): NDArray => reductions[name as "reduceSum"](x, [0]);
      const x = array(row.x);
      const { y, grad: g, hessian: h } = row[name]!;
      expect(differences(f(x), y, String)).toEqual([]);
      expect(differences(grad(f)(x) as NDArray, g, String)).toEqual([]);
      expect(differences(hessian(f)(x) as unknown as NDArray, h, String)).toEqual([]);
    });
    test("argmax, argmin", () => {
      const x = array(row.x);
      expect([...download(p.argmax(x, 0)).data, ...download(p.argmin(x, 0)).data]).toEqual([row.argmax, row.argmin]);
    });
  });

  describe.each(jax.cumulative.map((row) => [String(row.x), row] as const))("running combines of [%s]", (_, row) => {
    test.each(Object.keys(row).filter((k) => k !== "x"))("%s with gradient and Hessian of its sum", (name) => {
      const f = (x: NDArray): NDArray => p[name.replace(" reverse", "") as "cumsum"](x, 0, name.endsWith("reverse"));
      const sum = (x: NDArray): NDArray => p.reduceSum(f(x), [0]);
      const x = array(row.x);
      const { y, grad: g, hessian: h } = row[name]!;
      expect(differences(f(x), y, String)).toEqual([]);
      expect(differences(grad(sum)(x) as NDArray, g, String)).toEqual([]);
      expect(differences(hessian(sum)(x) as unknown as NDArray, h, String)).toEqual([]);
    });
  });
});
