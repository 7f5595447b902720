import { afterAll, describe, expect, test } from "vitest";
import { constant, type Expr, op, type ScalarOp } from "../../../src/kernel-ir/scalar.js";
import { scalarFunction, type ScalarValue } from "../../../src/kernel-ir/scalar-eval.js";
import { floatFromBits, randomSource, ulp } from "../../kernel-ir/math/evaluate.js";
import { sharedDevice, storageOf } from "../../gpu/run-code.js";
import { type BufferType, byDefinition, type Column, column, moduleOf, onDevice } from "./wgsl-harness.js";

/**
 * Every scalar op of every type on a device, one point and four at a time, against its definition.
 *
 * A device may take subnormal numbers for zeros, operands as well as results, and divide and take roots within 2.5 units in the
 * last place (the WebGPU specification says so). Everything else is exact.
 */
const device = await sharedDevice();
afterAll(() => device?.destroy());

const random = randomSource(7);
const many = <T>(n: number, make: () => T): T[] => Array.from({ length: n }, make);
const floats = [
  0, -0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.3, -0.3, 3.7, -3.7, 1e10, -1e10, 3e38, -3e38, 1e-40, -1e-40, 2 ** -126, 2 ** -149,
  Infinity, -Infinity, NaN, 2147483648, 2147483520, -2147483648, -2147483904, 4294967296, 4294967040, 1e20, -1e20, 16777217, 0.1, 7,
  floatFromBits(0xffc00000), floatFromBits(0x7f800001),
  ...many(23, () => floatFromBits(random() * 2 ** 32)),
].map(Math.fround); // prettier-ignore
const ints = [
  0, 1, -1, 2, -2, 3, 5, -7, 31, 32, 100, 12345, -98765, 65535, 65536, 65537, 0x7fffffff, 0x7fffffc0, -0x80000000, -0x7fffffff,
  0x55555555, -0x33333334, 16777217, -16777219,
  ...many(12, () => Math.trunc(random() * 2 ** 32) | 0),
]; // prettier-ignore
const samples: Readonly<Record<BufferType, readonly number[]>> = {
  f32: floats,
  i32: ints,
  u32: ints.map((x) => x >>> 0),
  bool: [0, 1],
};

interface Case {
  readonly name: string;
  readonly op: ScalarOp;
  readonly types: readonly BufferType[];
  readonly result: BufferType;
  /** Whether the precondition of the op holds. */
  readonly allowed?: (values: readonly number[]) => boolean;
}

const types: readonly BufferType[] = ["f32", "i32", "u32", "bool"];
const all = (
  ops: readonly ScalarOp[],
  on: readonly BufferType[],
  arity: number,
  more: Partial<Case> = {},
): readonly Case[] =>
  ops.flatMap((name) =>
    on.map((t) => ({
      name: `${name} ${t}`,
      op: name,
      types: new Array<BufferType>(arity).fill(t),
      result: t,
      ...more,
    })),
  );

const divides = ([x, y]: readonly number[]): boolean => y !== 0 && !(x === -0x80000000 && y === -1);
const cases: readonly Case[] = [
  ...all(["add", "sub", "mul", "min", "max"], ["f32", "i32", "u32"], 2),
  ...all(["div"], ["f32"], 2),
  ...all(["div", "rem"], ["i32", "u32"], 2, { allowed: divides }),
  ...all(["neg", "abs"], ["f32", "i32", "u32"], 1),
  ...all(["sqrt", "floor", "ceil", "trunc", "nearest"], ["f32"], 1),
  ...all(["fma"], ["f32"], 3),
  ...all(["and", "or", "xor"], ["i32", "u32", "bool"], 2),
  ...all(["not"], ["i32", "u32", "bool"], 1),
  ...all(["shl", "shrA", "shrL"], ["i32", "u32"], 2, { allowed: ([, n]) => n! >= 0 && n! < 32 }),
  ...all(["clz", "popcnt"], ["i32", "u32"], 1),
  ...all(["mulhi"], ["u32"], 2),
  ...all(["eq", "ne"], types, 2, { result: "bool" }),
  ...all(["lt", "le", "gt", "ge"], ["f32", "i32", "u32"], 2, { result: "bool" }),
  ...types.map((t): Case => ({ name: `select ${t}`, op: "select", types: ["bool", t, t], result: t })),
  ...types.flatMap((from) =>
    types.map((to): Case => ({ name: `convert ${from} to ${to}`, op: "convert", types: [from], result: to })),
  ),
  ...(["f32", "i32", "u32"] as const).flatMap((from) =>
    (["f32", "i32", "u32"] as const).map((to): Case => ({
      name: `bitcast ${from} to ${to}`,
      op: "bitcast",
      types: [from],
      result: to,
    })),
  ),
];

/** Operands of a list of cases with the same types: all pairs of samples, and a third that takes turns. */
function operands(list: Case["types"]): number[][] {
  const rows: number[][] = [];
  const [first, second, third] = list.map((t) => samples[t]);
  for (const [i, x] of first!.entries()) {
    if (second === undefined) rows.push([x]);
    else
      for (const [j, y] of second.entries())
        rows.push([x, y, ...(third ? [third[(i * 7 + j * 3) % third.length]!] : [])]);
  }
  for (let i = 0; rows.length % 4 !== 0; i++) rows.push(rows[i]!);
  return rows;
}

const columnsOf = (list: Case["types"], rows: readonly (readonly number[])[]): Column[] =>
  list.map((type, k) => {
    const data = storageOf({ type, access: "read", length: rows.length });
    rows.forEach((row, i) => (data[i] = row[k]!));
    return { type, data };
  });

const isTiny = (x: number): boolean => x !== 0 && Math.abs(x) < 2 ** -126;
const flushed = (x: number): number => (isTiny(x) ? (x < 0 ? -0 : 0) : x);

/** Ops on bits and copies, which lose nothing. */
const keepsBits: ReadonlySet<ScalarOp> = new Set(["neg", "abs", "select", "bitcast"]);

/** What a device may answer. */
function answers(c: Case, values: readonly number[]): ScalarValue[] {
  const operand = c.types[c.op === "select" ? 1 : 0]!;
  const run = (args: readonly number[], rounding: "once" | "twice"): number =>
    Number(scalarFunction(c.op, operand, c.result, rounding)!(...args));
  const exact = [run(values, "twice")];
  if (!c.types.includes("f32") || keepsBits.has(c.op)) return exact;
  const zeroed = values.map(flushed);
  if (c.op === "fma") {
    exact.push(run(values, "once"));
    const [a, b, d] = zeroed as [number, number, number];
    exact.push(run(zeroed, "once"), Math.fround(flushed(Math.fround(a * b)) + d));
  }
  exact.push(run(zeroed, "twice"));
  // A subnormal number that counts as zero may be the equal of a zero of the other sign.
  if ((c.op === "min" || c.op === "max") && values.some(isTiny) && exact.some((x) => x === 0)) exact.push(0, -0);
  return c.result === "f32" ? [...exact, ...exact.map(flushed)] : exact;
}

function isAnswer(c: Case, got: number, values: readonly number[]): boolean {
  const allowed = answers(c, values);
  if (allowed.some((a) => Object.is(a, got))) return true;
  if (c.op === "neg" || c.op === "abs" || c.types[0] !== "f32") return false;
  const isRounded = c.op === "div" || c.op === "sqrt";
  return (
    isRounded && Number.isFinite(got) && allowed.some((a) => Math.abs(Number(a) - got) <= 2.5 * ulp(Number(a), "f32"))
  );
}

const show = (x: number | undefined): string => (Object.is(x, -0) ? "-0" : String(x));

describe.skipIf(!device)("scalar ops in WGSL", () => {
  const groups = new Map<string, Case[]>();
  for (const c of cases) {
    const key = c.types.join(", ");
    groups.set(key, [...(groups.get(key) ?? []), c]);
  }
  test.each([...groups])("of %s", async (_, group) => {
    const list = group[0]!.types;
    const rows = operands(list);
    const columns = columnsOf(list, rows);
    const roots = group.map((c) => op(c.op, list.map((_, k) => column(columns, k)), c.result)); // prettier-ignore
    for (const lanes of [false, true]) {
      const got = await onDevice(device!, columns, roots, { lanes });
      group.forEach((c, k) => {
        const wrong = rows.flatMap((row, i) => {
          if (c.allowed && !c.allowed(row)) return [];
          const g = got[k]![i]!;
          return isAnswer(c, g, row)
            ? []
            : [`${row.map(show).join(", ")} gives ${show(g)}, not ${show(Number(answers(c, row)[0]))}`];
        });
        expect(wrong.slice(0, 10), `${c.name}${lanes ? " in four lanes" : ""}`).toEqual([]);
      });
    }
  });

  test("a bitcast keeps every bit, of NaNs too", async () => {
    const words = [0x7f800001, 0xffc12345, 0x00000001, 0x807fffff, 0x80000000, 0x7fc00000, 0xff800000, 0x3f800000];
    const columns: Column[] = [{ type: "u32", data: new Uint32Array(words) }];
    const there = op("bitcast", [column(columns, 0)], "f32");
    const [back, negated] = await onDevice(device!, columns, [
      op("bitcast", [there], "u32"),
      op("bitcast", [op("neg", [there])], "u32"),
    ]);
    expect([...back!]).toEqual(words);
    expect([...negated!]).toEqual(words.map((w) => (w ^ 0x80000000) >>> 0));
  });
});

describe.skipIf(!device)("constants in WGSL", () => {
  const constants: Readonly<Record<BufferType, readonly number[]>> = {
    f32: [...floats.filter((x) => x === x), NaN, 1e-45, 1.1754942e-38, 1.17549435e-38, 3.4028234663852886e38, Math.PI, 1 / 3, 123456789].map(Math.fround),
    i32: ints,
    u32: samples.u32,
    bool: [0, 1],
  }; // prettier-ignore
  const x: Column[] = [
    { type: "f32", data: new Float32Array([2, -3, NaN, 0.75]) },
    { type: "i32", data: new Int32Array([2, -3, 5, -0x80000000]) },
    { type: "u32", data: new Uint32Array([2, 3, 5, 0xffffffff]) },
    { type: "bool", data: new Uint32Array([0, 1, 1, 0]) },
  ];

  /** (A shader takes longer to compile than in proportion to its length.) */
  async function inParts(columns: readonly Column[], roots: readonly Expr[], lanes = false) {
    const got: ArrayLike<number>[] = [];
    for (let k = 0; k < roots.length; k += 40)
      got.push(...(await onDevice(device!, columns, roots.slice(k, k + 40), { lanes })));
    return got;
  }

  test.each([false, true])("have all their bits (four lanes: %s)", async (lanes) => {
    const list = types.flatMap((t) => constants[t].filter((_, i) => !lanes || i % 4 === 0).map((v) => constant(t, v)));
    // A constant alone, and one that a select takes.
    const bits = (e: Expr): Expr => (e.type === "f32" ? op("bitcast", [e], "u32") : e);
    const roots = list.flatMap((c) => [
      bits(c),
      bits(op("select", [column(x, 3), c, column(x, types.indexOf(c.type as BufferType))])),
    ]);
    const got = await inParts(x, roots, lanes);
    roots.forEach((r, k) => {
      const c = list[k >> 1]!;
      expect(Array.from(got[k]!), `${c.type} ${show(Number(c.value))}`).toEqual(byDefinition(x, r));
    });
  });

  test("as operands of everything", async () => {
    const binary = cases.filter((c) => c.types.length === 2);
    for (const type of types) {
      const columns = [x[types.indexOf(type)]!];
      const v = column(columns, 0);
      const picked =
        type === "f32"
          ? [0, -0, 1, -1, 2.5, NaN, Infinity, -Infinity, 3e38]
          : constants[type].slice(0, 24).filter((_, i) => i % 4 === 0 || i === 16);
      const roots: Expr[] = [];
      const meaning: { readonly c: Case; readonly operands: (i: number) => readonly number[] }[] = [];
      for (const c of binary.filter((b) => b.types[0] === type)) {
        for (const value of picked) {
          roots.push(op(c.op, [v, constant(type, value)]), op(c.op, [constant(type, value), v]));
          meaning.push({ c, operands: (i) => [columns[0]!.data[i]!, value] });
          meaning.push({ c, operands: (i) => [value, columns[0]!.data[i]!] });
        }
      }
      const got: ArrayLike<number>[] = [];
      // (a shader takes longer to compile than in proportion to its length)
      for (let k = 0; k < roots.length; k += 40)
        got.push(...(await onDevice(device!, columns, roots.slice(k, k + 40))));
      meaning.forEach(({ c, operands: at }, k) => {
        for (let i = 0; i < 4; i++) {
          const values = at(i);
          if (c.allowed && !c.allowed(values)) continue;
          expect(
            isAnswer(c, got[k]![i]!, values),
            `${c.name} of ${values.map(show).join(", ")}: ${show(got[k]![i])}`,
          ).toBe(true);
        }
      });
    }
  });

  test("alone make no error of WGSL's own evaluation", async () => {
    const f = (v: number): Expr => constant("f32", v);
    const i = (v: number): Expr => constant("i32", v);
    const u = (v: number): Expr => constant("u32", v);
    const roots = [
      op("add", [i(0x7fffffff), i(1)]),
      op("mul", [u(0xffffffff), u(0xffffffff)]),
      op("neg", [i(-0x80000000)]),
      op("mul", [f(3e38), f(3e38)]),
      op("div", [f(1), f(0)]),
      op("convert", [f(1e20)], "i32"),
      op("convert", [i(-1)], "u32"),
      op("bitcast", [i(0x7fc00000)], "f32"),
      op("sqrt", [f(-1)]),
      op("shl", [i(1), i(31)]),
    ];
    const columns = [x[0]!];
    const got = await onDevice(device!, columns, roots);
    roots.forEach((r, k) => expect(Object.is(got[k]![0], byDefinition(columns, r)[0]), r.op).toBe(true));
    // Preconditions broken where it does not matter: what is not chosen.
    const never = op("ne", [column(columns, 0), column(columns, 0)]);
    const chosen = op("select", [
      op("and", [never, op("lt", [column(columns, 0), f(0)])]),
      op("div", [i(1), i(0)]),
      i(7),
    ]);
    const others = [
      op("select", [never, op("rem", [u(5), u(0)]), u(7)]),
      op("select", [never, op("shl", [u(5), u(40)]), u(7)]),
      op("select", [never, op("div", [i(-0x80000000), i(-1)]), i(7)]),
      op("select", [never, op("shrA", [op("convert", [column(columns, 0)], "i32"), i(-1)]), i(7)]),
    ];
    const results = await onDevice(device!, columns, [chosen, ...others]);
    for (const r of results) expect(r[0]).toBe(7);
  });

  test("float text is the shortest that gives the number again", () => {
    const columns = [x[0]!];
    const text = (v: number): string => moduleOf(columns, [op("mul", [column(columns, 0), constant("f32", v)])]).wgsl;
    expect(text(Math.fround(0.1))).toContain("v0 * 0.1f");
    // Rounded up it would be larger than any float32, which WGSL refuses.
    expect(text(3.4028234663852886e38)).toContain("v0 * 3.4028234663852886e38f");
    expect(text(-2)).toContain("v0 * (-2f)");
    expect(text(16777216)).toContain("v0 * 16777216f");
  });
});

describe.skipIf(!device)("what compilers would rearrange", () => {
  const xs = floats.filter((x) => !isTiny(x));
  const pairs = xs.flatMap((a) => xs.map((b) => [a, b] as const));
  while (pairs.length % 4 !== 0) pairs.push(pairs[0]!);
  const columns: Column[] = [0, 1].map((k) => ({ type: "f32", data: new Float32Array(pairs.map((p) => p[k]!)) }));
  const [x, y] = [column(columns, 0), column(columns, 1)];
  const c = (v: number): Expr => constant("f32", v);
  const add = (a: Expr, b: Expr): Expr => op("add", [a, b]);
  const sub = (a: Expr, b: Expr): Expr => op("sub", [a, b]);
  const mul = (a: Expr, b: Expr): Expr => op("mul", [a, b]);
  const div = (a: Expr, b: Expr): Expr => op("div", [a, b]);
  const lt = (a: Expr, b: Expr): Expr => op("lt", [a, b]);
  const sum = add(x, y);
  const expressions: Readonly<Record<string, Expr>> = {
    "x·0": mul(x, c(0)),
    "x + 0": add(x, c(0)),
    "0 − x": sub(c(0), x),
    "0 / x": div(c(0), x),
    "x − x": sub(x, x),
    "x / x": div(x, x),
    "x + −0": add(x, c(-0)),
    "(x + 1) − 1": sub(add(x, c(1)), c(1)),
    "(x + 1e8) + −1e8": add(add(x, c(1e8)), c(-1e8)),
    "(x·1e30)·1e−30": mul(mul(x, c(1e30)), c(1e-30)),
    "(x·3) / 3": div(mul(x, c(3)), c(3)),
    "3 / (3 / x)": div(c(3), div(c(3), x)),
    "(x + y) − x": sub(sum, x),
    "(x − y) + y": add(sub(x, y), y),
    "x + (y − x)": add(x, sub(y, x)),
    "x − (x − y)": sub(x, sub(x, y)),
    "what rounding takes off a sum": sub(y, sub(sum, x)),
    "(x / y)·y": mul(div(x, y), y),
    "(x·y) / y": div(mul(x, y), y),
    "x·y − x·y": sub(mul(x, y), mul(x, y)),
    "x·y + x·x": add(mul(x, y), mul(x, x)),
    "the lesser of x and a constant": op("select", [lt(c(5), x), c(5), x]),
    "the greater of x and a constant": op("select", [lt(x, c(5)), c(5), x]),
    "the lesser, NaN in y lost": op("select", [lt(x, y), x, y]),
    "the greater, NaN in x lost": op("select", [lt(x, y), y, x]),
    "x ≠ x": op("ne", [x, x]),
    "x = x": op("eq", [x, x]),
    "x ≤ x": op("le", [x, x]),
    "not (x < y)": op("not", [lt(x, y)]),
    "x < ∞": lt(x, c(Infinity)),
    "NaN where x < y": op("select", [lt(x, y), c(NaN), x]),
    "−(−x) + x": add(op("neg", [op("neg", [x])]), x),
    "fma(x, 0, y)": op("fma", [x, c(0), y]),
  };
  test.each([false, true])("is computed as it stands (four lanes: %s)", async (lanes) => {
    const names = Object.keys(expressions);
    const got = await onDevice(device!, columns, names.map((n) => expressions[n]!), { lanes }); // prettier-ignore
    names.forEach((name, k) => {
      const e = expressions[name]!;
      const twice = byDefinition(columns, e);
      const once = byDefinition(columns, e, "once");
      const isDivision = name.includes("/");
      const wrong = pairs.flatMap(([a, b], i) => {
        const g = got[k]![i]!;
        const want = Number(twice[i]);
        if (Object.is(g, want) || Object.is(g, once[i])) return [];
        // Subnormal intermediate results are flushed.
        if (
          isTiny(want) ||
          Math.abs(want) < 2 ** -100 ||
          [a * b, a / b, b / a, a * 1e-30, 3 / a].some((v) => isTiny(Math.fround(v)))
        )
          return [];
        if (isDivision && Math.abs(g - want) <= 6 * ulp(want, "f32")) return [];
        return [`x = ${show(a)}, y = ${show(b)} gives ${show(g)}, not ${show(want)}`];
      });
      expect(wrong.slice(0, 10), name).toEqual([]);
    });
  });
});
