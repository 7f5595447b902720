import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { NDArray } from "../../src/core/array.js";
import { type Aval, formatAval, type HostArray } from "../../src/core/aval.js";
import { isFloat } from "../../src/core/dtype.js";
import { stage } from "../../src/core/staging.js";
import { primitives } from "../../src/primitives/all.js";
import { listDevices, setDefaultDevice } from "../../src/runtime/devices.js";
import "../../src/runtime/install.js";
import { jit } from "../../src/transforms/jit.js";
import { jvp } from "../../src/transforms/jvp.js";
import { vjp } from "../../src/transforms/vjp.js";
import { vmap } from "../../src/transforms/vmap.js";
import type { ContractRow } from "./contract.js";
import { axpy, difference, direction, dot, download, draw, generator, stack, upload } from "./contract-data.js";

const files = readdirSync(new URL(".", import.meta.url)).filter((f) => /^rows-.*\.ts$/.test(f));
const rows: ContractRow[] = [];
for (const file of files) rows.push(...((await import(`./${file}`)) as { readonly rows: readonly ContractRow[] }).rows);

// Every module that defines a primitive is loaded, so that the table is whole.
const src = new URL("../../src/", import.meta.url);
for (const file of readdirSync(src, { recursive: true, encoding: "utf8" })) {
  if (file.endsWith(".ts") && /\bdefinePrimitive[<(]/.test(readFileSync(new URL(file, src), "utf8")))
    await import(new URL(file, src).href);
}

const compiled = listDevices().filter((d) => d !== "reference");
setDefaultDevice("reference");

type Flat = (xs: readonly NDArray[]) => readonly NDArray[];
const flat =
  (row: ContractRow): Flat =>
  (xs) => {
    const out = row.apply(xs);
    return Array.isArray(out) ? (out as readonly NDArray[]) : [out as NDArray];
  };

const operands = (row: ContractRow, float: "float32" | "float64", seed: number): HostArray[] => {
  const random = generator(seed);
  return row.args.map((a) => draw(a, float, random));
};

/** The row as a function of what is differentiated alone, with float results alone, on host data. */
function differentiated(row: ContractRow, seed: number) {
  const inputs = operands(row, "float64", seed);
  const moving = row.args.flatMap((a, i) => (isFloat(inputs[i]!.aval.dtype) && a.constant !== true ? [i] : []));
  const fixed = inputs.map((h) => upload(h));
  const f = (...xs: NDArray[]): NDArray[] => {
    const all: NDArray[] = [...fixed];
    moving.forEach((i, k) => (all[i] = xs[k]!));
    return flat(row)(all).filter((y) => isFloat(y.dtype));
  };
  return { f, at: moving.map((i) => inputs[i]!) };
}

const up = (hs: readonly HostArray[]): NDArray[] => hs.map((h) => upload(h));
const down = (xs: readonly NDArray[]): HostArray[] => xs.map(download);
const moved = (at: readonly HostArray[], s: number, t: readonly HostArray[]): HostArray[] =>
  at.map((h, i) => axpy(h, s, t[i]!));

/** Central differences of a function of host arrays. */
function slope(
  f: (at: readonly HostArray[]) => readonly HostArray[],
  at: readonly HostArray[],
  t: readonly HostArray[],
): HostArray[] {
  const h = 1e-5;
  const [hi, lo] = [f(moved(at, h, t)), f(moved(at, -h, t))];
  return hi.map((y, i) => {
    const d = axpy(y, -1, lo[i]!);
    return { aval: d.aval, data: d.data.map((v) => v / (2 * h)) };
  });
}

function expectClose(
  actual: readonly HostArray[],
  expected: readonly HostArray[],
  tolerance: number,
  what: string,
): void {
  expect(actual.length, `${what}: number of results`).toBe(expected.length);
  actual.forEach((a, i) => expect(difference(a, expected[i]!, tolerance), `${what}, result ${i}`).toBeUndefined());
}

/** Compares derivatives, which may be 0: the tolerance is absolute below magnitude 1. */
function expectSlope(
  actual: readonly HostArray[],
  expected: readonly HostArray[],
  tolerance: number,
  what: string,
): void {
  expect(actual.length, `${what}: number of results`).toBe(expected.length);
  actual.forEach((a, i) => {
    const largest = Math.max(0, ...expected[i]!.data.map(Math.abs));
    const relative = largest === 0 ? 0 : (tolerance * Math.max(1, largest)) / largest;
    const zero = largest === 0 && a.data.every((v) => Math.abs(v) <= tolerance);
    if (!zero) expect(difference(a, expected[i]!, relative), `${what}, result ${i}`).toBeUndefined();
  });
}

describe("the table", () => {
  test("every primitive has a row", () => {
    const named = new Set(rows.map((r) => r.primitive));
    expect([...primitives.keys()].filter((name) => !named.has(name))).toEqual([]);
  });
  test("rows name primitives, and say why there is no derivative", () => {
    expect(rows.filter((r) => !primitives.has(r.primitive)).map((r) => r.primitive)).toEqual([]);
    expect(
      rows.filter((r) => (r.smooth === 0 || r.batches === false) && r.because === undefined).map((r) => r.primitive),
    ).toEqual([]);
  });
  test("rows of one primitive have different names", () => {
    const names = rows.map((r) => `${r.primitive} ${r.variant ?? ""}`);
    expect(names.filter((n, i) => names.indexOf(n) !== i)).toEqual([]);
  });
});

describe.each(
  rows.map((row) => [`${row.primitive}${row.variant === undefined ? "" : ` (${row.variant})`}`, row] as const),
)("%s", (_, row) => {
  const tolerance = row.tolerance ?? 1e-6;
  const ulps = (row.ulps ?? 4) * 2 ** -24;
  const f = flat(row);

  test("abstract = actual", () => {
    for (const float of ["float32", "float64"] as const) {
      const inputs = operands(row, float, 1);
      const { jaxpr } = stage(
        f,
        inputs.map((h) => h.aval),
      );
      const staged = [jaxpr];
      row.inside?.((body) => staged.push(stage(() => [body()], []).jaxpr));
      expect(staged.flatMap((j) => j.eqns.map((e) => e.primitive.name))).toContain(row.primitive);
      const types = (avals: readonly Aval[]): string[] => avals.map((a) => formatAval({ ...a, weakType: false }));
      const outs = f(up(inputs));
      expect(types(outs.map((y) => y.aval))).toEqual(types(jaxpr.outs.map((a) => a.aval)));
      if (!row.args.some((a) => a.dtype === "float")) break;
    }
  });

  test.skipIf(row.batches === false)("vmap = a loop over each axis", () => {
    const size = 3;
    const examples = Array.from({ length: size }, (_, e) => {
      const random = generator(100 + e);
      return row.args.map((a) => draw(a, "float32", random, e));
    });
    const check = (axes: readonly (number | null)[]): void => {
      const one = (e: number): HostArray[] => row.args.map((_, i) => examples[axes[i] === null ? 0 : e]![i]!);
      const each = Array.from({ length: size }, (_, e) => down(f(up(one(e)))));
      const expected = each[0]!.map((_, k) =>
        stack(
          each.map((outs) => outs[k]!),
          0,
        ),
      );
      const batched = row.args.map((_, i) =>
        axes[i] === null
          ? examples[0]![i]!
          : stack(
              examples.map((x) => x[i]!),
              axes[i]!,
            ),
      );
      const actual = vmap((...xs: NDArray[]) => [...f(xs)], { inAxes: [...axes] })(...up(batched));
      expectClose(down(actual), expected, ulps, `axes [${axes.map(String).join(", ")}]`);
    };
    row.args.forEach((a, i) => {
      for (let axis = 0; axis <= a.shape.length; axis++) check(row.args.map((_, k) => (k === i ? axis : null)));
    });
    if (row.args.length > 1) {
      check(row.args.map(() => 0));
      check(row.args.map((a, i) => (i + a.shape.length) % (a.shape.length + 1)));
      check(row.args.map((a) => a.shape.length));
    }
  });

  test("jit = eager", () => {
    const inputs = operands(row, "float32", 2);
    expectClose(down(jit((...xs: NDArray[]) => [...f(xs)])(...up(inputs))), down(f(up(inputs))), ulps, "jit");
  });

  for (const device of compiled) {
    test(`${device} = reference`, () => {
      for (const float of ["float32", "float64"] as const) {
        const inputs = operands(row, float, 2);
        const expected = down(f(up(inputs)));
        const here = inputs.map((h) => upload(h, device));
        const slack = float === "float32" ? ulps : ulps * 2 ** -29;
        setDefaultDevice(device);
        try {
          expectClose(down(f(here)), expected, slack, `eager ${float}`);
          expectClose(down(jit((...xs: NDArray[]) => [...f(xs)])(...here)), expected, slack, `jit ${float}`);
        } finally {
          setDefaultDevice("reference");
        }
        if (!row.args.some((a) => a.dtype === "float")) break;
      }
    });
  }

  if (row.smooth > 0) {
    test("jvp = finite differences", () => {
      const { f, at } = differentiated(row, 3);
      const random = generator(4);
      const t = at.map((h) => direction(h.aval, random));
      const [, tangents] = jvp(f, up(at), up(t));
      const numeric = slope((x) => down(f(...up(x))), at, t);
      const visible = numeric.some((d) => d.data.length > 0) && at.some((h) => h.data.length > 0);
      expect(
        numeric.some((d) => d.data.some((v) => v !== 0)),
        "the result changes in the drawn direction",
      ).toBe(visible);
      expectSlope(down(tangents), numeric, tolerance, "tangent");
    });

    test("each operand's tangent alone", () => {
      const { f, at } = differentiated(row, 3);
      const random = generator(5);
      for (let i = 0; i < at.length; i++) {
        const one = (x: NDArray): NDArray[] => f(...up(at).map((h, k) => (k === i ? x : h)));
        const t = direction(at[i]!.aval, random);
        const [, tangents] = jvp(one, up([at[i]!]) as [NDArray], up([t]) as [NDArray]);
        expectSlope(
          down(tangents),
          slope((x) => down(one(upload(x[0]!))), [at[i]!], [t]),
          tolerance,
          `operand ${i}`,
        );
      }
    });

    test("⟨ct, J t⟩ = ⟨Jᵀ ct, t⟩", () => {
      const { f, at } = differentiated(row, 6);
      const random = generator(7);
      const t = at.map((h) => direction(h.aval, random));
      const [, tangents] = jvp(f, up(at), up(t));
      const [outs, pull] = vjp(f, ...up(at));
      const ct = down(outs).map((y) => direction(y.aval, random));
      const cotangents = down(pull(up(ct)));
      cotangents.forEach((g, i) => expect(formatAval(g.aval)).toBe(formatAval(at[i]!.aval)));
      const [left, right] = [dot(ct, down(tangents)), dot(cotangents, t)];
      expect(Math.abs(left - right), `${left} and ${right}`).toBeLessThanOrEqual(
        1e-3 * tolerance * Math.max(1, Math.abs(left)),
      );
    });
  }

  if (row.smooth > 1) {
    test("second order", () => {
      const { f, at } = differentiated(row, 8);
      const random = generator(9);
      const [s, t] = [at.map((h) => direction(h.aval, random)), at.map((h) => direction(h.aval, random))];
      const outs = down(f(...up(at)));
      const ct = outs.map((y) => direction(y.aval, random));
      const gradient = (...xs: NDArray[]): NDArray[] => [...vjp(f, ...xs)[1](up(ct))];
      const numeric = slope((x) => down(gradient(...up(x))), at, s);
      const [, forward] = jvp(gradient, up(at), up(s));
      expectSlope(down(forward), numeric, 10 * tolerance, "forward over reverse");

      const pushed = (...xs: NDArray[]): NDArray[] => [...jvp(f, xs, up(t))[1]];
      const [, pull] = vjp(pushed, ...up(at));
      const reverse = dot(down(pull(up(ct))), s);
      const expected = dot(
        ct,
        slope((x) => down(pushed(...up(x))), at, s),
      );
      expect(Math.abs(reverse - expected), `${reverse} and ${expected}`).toBeLessThanOrEqual(
        10 * tolerance * Math.max(1, Math.abs(expected)),
      );
    });
  }
});
