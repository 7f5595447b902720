import { describe, expect, test } from "vitest";
import type { TypedArray } from "../../../src/core/dtype.js";
import { axisIndex } from "../../../src/kernel-ir/index-expr.js";
import type { NestKernel } from "../../../src/kernel-ir/kernel.js";
import {
  constant,
  type Expr,
  indexValue,
  load,
  op,
  type ScalarOp,
  type ScalarType,
} from "../../../src/kernel-ir/scalar.js";
import { accumulate, buffer, type BufferType, difference, nest, phase, slot, store } from "./build.js";
import { evaluateNest } from "./evaluate.js";
import { runNest, storageOf } from "./harness.js";

/**
 * Every scalar op of every type, in vectors of four lanes, in vectors of two (a float64 buffer takes part), and in scalar
 * code (a running slot keeps the points in order). Lengths leave a rest behind the vectors.
 */
type Form = "four lanes" | "two lanes" | "scalar";
const forms: readonly Form[] = ["four lanes", "two lanes", "scalar"];

const floats = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1.5,
  2.5,
  -2.5,
  3.7,
  -3.7,
  1e10,
  -1e10,
  3e38,
  1e-40,
  Infinity,
  -Infinity,
  NaN,
  2147483648,
  -2147483649,
  4294967296,
  0.1,
  7,
];
const ints = [
  0, 1, -1, 2, -2, 3, 5, -7, 31, 32, 100, 12345, -98765, 65536, 0x7fffffff, -0x80000000, 0x55555555, -0x33333334,
];
const samples: Readonly<Record<BufferType, readonly number[]>> = {
  f32: floats.map(Math.fround),
  f64: [...floats, 1e300, 1e-310, 2 ** 53, -(2 ** 62), 2 ** 63, 9.5e18],
  i32: ints,
  u32: ints.map((x) => x >>> 0),
  bool: [0, 1],
};

/** Operands: all pairs (and a third value) of the samples of a type. */
function operands(types: readonly BufferType[], allowed: (values: readonly number[]) => boolean): TypedArray[] {
  const rows: number[][] = [];
  const all = types.map((t) => samples[t]);
  for (const [i, x] of all[0]!.entries()) {
    if (types.length === 1) rows.push([x]);
    else
      for (const [j, y] of all[1]!.entries())
        rows.push([x, y, ...(types.length === 3 ? [all[2]![(i * 7 + j * 3) % all[2]!.length]!] : [])]);
  }
  const kept = rows.filter(allowed);
  // two more than a multiple of 8
  for (let i = 0; kept.length < 10 || kept.length % 8 !== 2; i++) kept.push(kept[i]!);
  return types.map((t, k) => new storageOf[t](kept.length).map((_, i) => kept[i]![k]!));
}

function kernelOf(
  form: Form,
  types: readonly BufferType[],
  result: BufferType,
  n: number,
  value: (args: readonly Expr[]) => Expr,
): NestKernel {
  const i = axisIndex(0, n);
  const buffers = [
    ...types.map((t) => buffer(t, "read", n)),
    buffer(result, "write", n),
    ...(form === "two lanes" ? [buffer("f64", "write", n)] : []),
  ];
  const body = [store(types.length, i, value(types.map((t, k) => load(t, k, i))))];
  if (form === "two lanes") body.push(store(types.length + 1, i, op("convert", [indexValue(i)], "f64")));
  if (form === "scalar") {
    return nest(`scalar`, {
      buffers,
      reduced: [n],
      slots: [slot("i32", "add", 0, true)],
      phases: [phase([accumulate(0, constant("i32", 1)), ...body])],
    });
  }
  return nest(form, { buffers, parallel: [n], phases: [phase(body)] });
}

function check(
  form: Form,
  types: readonly BufferType[],
  result: BufferType,
  value: (args: readonly Expr[]) => Expr,
  allowed: (v: readonly number[]) => boolean = () => true,
  relaxed = true,
  lanewise = false,
): void {
  const inputs = operands(types, allowed);
  const n = inputs[0]!.length;
  const kernel = kernelOf(form, types, result, n, value);
  const buffers = [...inputs, new storageOf[result](n), ...(form === "two lanes" ? [new Float64Array(n)] : [])];
  const { buffers: actual, lowered } = runNest(kernel, buffers, { relaxed });
  // (what has no vector form may be cheaper point by point)
  if (form !== "two lanes" && !lanewise) expect(lowered.nest.mode).toBe(form === "scalar" ? "scalar" : "parallel");
  expect(lowered.nest.lanes).toBe(kernel.buffers.some((b) => b.type === "f64") ? 2 : 4);
  evaluateNest(kernel, buffers, relaxed ? "once" : "twice");
  expect(difference(actual[types.length]!, buffers[types.length]!)).toBeNull();
}

const overflows = (a: number, b: number): boolean =>
  Number.isFinite(a) && Number.isFinite(b) && !Number.isFinite(a * b);
const arithmetic: readonly ScalarOp[] = ["add", "sub", "mul", "div", "min", "max"];
const comparisons: readonly ScalarOp[] = ["eq", "ne", "lt", "le", "gt", "ge"];

describe.each(forms)("%s", (form) => {
  for (const t of ["f32", "f64"] as const) {
    test.each(arithmetic)(`${t} %s`, (name) => check(form, [t, t], t, ([a, b]) => op(name, [a!, b!])));
    test.each(["neg", "abs", "sqrt", "floor", "ceil", "trunc", "nearest"] as const)(`${t} %s`, (name) =>
      check(form, [t], t, ([a]) => op(name, [a!])),
    );
    test.each([true, false])(`${t} fma, relaxed SIMD %s`, (relaxed) => {
      check(
        form,
        [t, t, t],
        t,
        ([a, b, c]) => op("fma", [a!, b!, c!]),
        ([a, b]) => !overflows(a!, b!),
        relaxed,
      );
    });
    test.each(comparisons)(`${t} %s`, (name) => check(form, [t, t], "bool", ([a, b]) => op(name, [a!, b!])));
  }
  for (const t of ["i32", "u32"] as const) {
    const divisible = ([a, b]: readonly number[]): boolean => b !== 0 && !(a === -0x80000000 && b === -1);
    test.each(["add", "sub", "mul", "min", "max", "and", "or", "xor"] as const)(`${t} %s`, (name) =>
      check(form, [t, t], t, ([a, b]) => op(name, [a!, b!])),
    );
    test.each(["div", "rem"] as const)(`${t} %s`, (name) =>
      check(form, [t, t], t, ([a, b]) => op(name, [a!, b!]), divisible),
    );
    test.each(["neg", "abs", "not", "popcnt"] as const)(`${t} %s`, (name) =>
      check(form, [t], t, ([a]) => op(name, [a!])),
    );
    test(`${t} clz`, () =>
      check(
        form,
        [t],
        t,
        ([a]) => op("clz", [a!]),
        () => true,
        true,
        true,
      ));
    test.each(["shl", "shrA", "shrL"] as const)(`${t} %s by a number and by each element`, (name) => {
      check(form, [t], t, ([a]) => op(name, [a!, constant(t, 5)]));
      check(
        form,
        [t, t],
        t,
        ([a, b]) => op(name, [a!, b!]),
        ([, b]) => b! >= 0 && b! < 32,
      );
    });
    test.each(comparisons)(`${t} %s`, (name) => check(form, [t, t], "bool", ([a, b]) => op(name, [a!, b!])));
  }
  test("u32 mulhi", () => check(form, ["u32", "u32"], "u32", ([a, b]) => op("mulhi", [a!, b!])));
  test.each(["and", "or", "xor", "eq", "ne"] as const)("bool %s", (name) =>
    check(form, ["bool", "bool"], "bool", ([a, b]) => op(name, [a!, b!])),
  );
  test("bool not", () => check(form, ["bool"], "bool", ([a]) => op("not", [a!])));
  test.each(["f32", "f64", "i32", "u32", "bool"] as const)("select of %s", (t) =>
    check(form, ["bool", t, t], t, ([p, a, b]) => op("select", [p!, a!, b!])),
  );

  const all = ["f32", "f64", "i32", "u32", "bool"] as const;
  for (const from of all) {
    for (const to of all) {
      if (from === "bool" && to === "bool") continue;
      test(`convert ${from} to ${to}`, () => check(form, [from], to, ([a]) => op("convert", [a!], to)));
    }
  }
  for (const [from, to] of [
    ["f32", "i32"],
    ["f32", "u32"],
    ["i32", "f32"],
    ["u32", "f32"],
    ["i32", "u32"],
    ["u32", "i32"],
  ] as const) {
    test(`bitcast ${from} to ${to}`, () => check(form, [from], to, ([a]) => op("bitcast", [a!], to)));
  }
});

/** i64 lives between conversions and bitcasts only. */
describe.each(["two lanes", "scalar"] as const)("i64, %s", (form) => {
  const wide = (a: Expr): Expr => op("bitcast", [a], "i64" as ScalarType);
  const back = (a: Expr): Expr => op("bitcast", [a], "f64");
  test.each(["add", "sub", "mul", "and", "or", "xor"] as const)("%s", (name) =>
    check(form, ["f64", "f64"], "f64", ([a, b]) => back(op(name, [wide(a!), wide(b!)]))),
  );
  test("not", () => check(form, ["f64"], "f64", ([a]) => back(op("not", [wide(a!)]))));
  test.each(["shl", "shrA", "shrL"] as const)("%s", (name) => {
    check(form, ["f64"], "f64", ([a]) => back(op(name, [wide(a!), constant("i64", 13n)])));
    check(
      form,
      ["f64", "i32"],
      "f64",
      ([a, b]) => back(op(name, [wide(a!), op("convert", [b!], "i64")])),
      ([, b]) => b! >= 0 && b! < 64,
    );
  });
  test.each(comparisons)("%s", (name) =>
    check(form, ["f64", "f64"], "bool", ([a, b]) => op(name, [wide(a!), wide(b!)])),
  );
  test("conversions", () => {
    check(form, ["f64"], "f64", ([a]) => op("convert", [op("convert", [a!], "i64")], "f64"));
    check(form, ["i32"], "f64", ([a]) => op("convert", [op("convert", [a!], "i64")], "f64"));
    check(form, ["u32"], "f64", ([a]) => op("convert", [op("convert", [a!], "i64")], "f64"));
    check(form, ["f64"], "i32", ([a]) => op("convert", [wide(a!)], "i32"));
    check(form, ["f64"], "u32", ([a]) => op("convert", [wide(a!)], "u32"));
    check(form, ["f64", "f64", "bool"], "f64", ([a, b, p]) => back(op("select", [p!, wide(a!), wide(b!)])));
    check(form, ["f64"], "f64", ([a]) => back(op("add", [wide(a!), constant("i64", -0x123456789abcdefn)])));
  });
});
