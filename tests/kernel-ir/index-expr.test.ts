import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileExpr, ExprTape } from "../../src/kernel-ir/expr-tape.js";
import {
  add,
  addConst,
  axisIndex,
  clamp,
  coefficient,
  div,
  flatten,
  type Index,
  indexDependsOn,
  isLit,
  lit,
  mod,
  scale,
  sub,
  unflatten,
  valueIndex,
} from "../../src/kernel-ir/index-expr.js";
import { indexValue, load } from "../../src/kernel-ir/scalar.js";

/** An index beside the plain function that it must agree with. */
interface Twin {
  readonly index: Index;
  readonly plain: (point: readonly number[]) => number;
}

const EXTENTS = [3, 4, 1, 5];
const floorDiv = (x: number, d: number): number => Math.floor(x / d);
const floorMod = (x: number, d: number): number => x - d * Math.floor(x / d);

function points(extents: readonly number[]): number[][] {
  return extents.reduce<number[][]>(
    (acc, n) => acc.flatMap((p) => Array.from({ length: n }, (_, i) => [...p, i])),
    [[]],
  );
}
const ALL = points(EXTENTS);

/** The value of an index at a point, by the interpreter. */
function valueAt(index: Index): (point: readonly number[]) => number {
  let at: readonly number[] = [];
  const run = compileExpr(indexValue(index), { axis: (k) => at[k]! });
  return (point) => {
    at = point;
    return run() as number;
  };
}

const leaf: fc.Arbitrary<Twin> = fc.oneof(
  fc.integer({ min: -9, max: 9 }).map((n): Twin => ({ index: lit(n), plain: () => n })),
  fc
    .integer({ min: 0, max: EXTENTS.length - 1 })
    .map((k): Twin => ({ index: axisIndex(k, EXTENTS[k]!), plain: (p) => p[k]! })),
);

const twins = fc.letrec<{ twin: Twin }>((tie) => ({
  twin: fc.oneof(
    { maxDepth: 6, depthIdentifier: "index" },
    leaf,
    fc
      .tuple(tie("twin"), tie("twin"))
      .map(([a, b]): Twin => ({ index: add(a.index, b.index), plain: (p) => a.plain(p) + b.plain(p) })),
    fc
      .tuple(tie("twin"), tie("twin"))
      .map(([a, b]): Twin => ({ index: sub(a.index, b.index), plain: (p) => a.plain(p) - b.plain(p) })),
    fc
      .tuple(tie("twin"), fc.integer({ min: -12, max: 12 }))
      .map(([a, c]): Twin => ({ index: scale(a.index, c), plain: (p) => a.plain(p) * c })),
    fc
      .tuple(tie("twin"), fc.integer({ min: -12, max: 12 }))
      .map(([a, c]): Twin => ({ index: addConst(a.index, c), plain: (p) => a.plain(p) + c })),
    fc
      .tuple(tie("twin"), fc.integer({ min: 1, max: 12 }))
      .map(([a, d]): Twin => ({ index: div(a.index, d), plain: (p) => floorDiv(a.plain(p), d) })),
    fc
      .tuple(tie("twin"), fc.integer({ min: 1, max: 12 }))
      .map(([a, d]): Twin => ({ index: mod(a.index, d), plain: (p) => floorMod(a.plain(p), d) })),
    fc
      .tuple(tie("twin"), fc.integer({ min: -10, max: 10 }), fc.integer({ min: 0, max: 10 }))
      .map(([a, lo, n]): Twin => ({
        index: clamp(a.index, lo, lo + n),
        plain: (p) => Math.min(Math.max(a.plain(p), lo), lo + n),
      })),
  ),
})).twin;

describe("index expressions", () => {
  test("agree with integer arithmetic at every point, within their range", () => {
    fc.assert(
      fc.property(twins, ({ index, plain }) => {
        const at = valueAt(index);
        const wrong = ALL.filter((p) => at(p) !== plain(p) || plain(p) < index.lo || plain(p) > index.hi);
        expect(wrong.map((p) => [p, at(p), plain(p), index])).toEqual([]);
      }),
      { numRuns: 3000, seed: 7 },
    );
  });

  test("are canonical: no zero coefficients, terms in the order of their keys, each key once", () => {
    fc.assert(
      fc.property(twins, ({ index }) => {
        const keys = index.terms.map((t) => t.atom.key);
        expect(keys).toEqual([...new Set(keys)].sort());
        expect(index.terms.every((t) => t.coeff !== 0)).toBe(true);
        expect(Object.is(index.base, -0)).toBe(false);
      }),
      { numRuns: 1000, seed: 8 },
    );
  });

  test("of one key are one function", () => {
    fc.assert(
      fc.property(fc.array(twins, { minLength: 20, maxLength: 20 }), (list) => {
        const byKey = new Map<string, Twin>();
        for (const t of list) {
          const same = byKey.get(t.index.key);
          if (same) expect(ALL.filter((p) => t.plain(p) !== same.plain(p))).toEqual([]);
          else byKey.set(t.index.key, t);
        }
      }),
      { numRuns: 200, seed: 9 },
    );
  });

  test("an index that does not depend on an axis does not change with it", () => {
    fc.assert(
      fc.property(twins, fc.integer({ min: 0, max: EXTENTS.length - 1 }), ({ index, plain }, axis) => {
        if (indexDependsOn(index, axis)) return;
        expect(ALL.filter((p) => plain(p) !== plain(p.map((x, k) => (k === axis ? 0 : x))))).toEqual([]);
      }),
      { numRuns: 500, seed: 10 },
    );
  });

  test("the coefficient of an axis is the step along it", () => {
    fc.assert(
      fc.property(twins, fc.integer({ min: 0, max: EXTENTS.length - 1 }), ({ index, plain }, axis) => {
        const c = coefficient(index, axis);
        if (c === undefined) return;
        for (const p of ALL) {
          if (p[axis]! + 1 >= EXTENTS[axis]!) continue;
          const next = p.map((x, k) => (k === axis ? x + 1 : x));
          expect(plain(next) - plain(p)).toBe(c);
        }
      }),
      { numRuns: 500, seed: 11 },
    );
  });
});

describe("flat indices", () => {
  const shapes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 0, maxLength: 4 });
  const stridesOf = (shape: readonly number[]): number[] =>
    shape.map((_, k) => shape.slice(k + 1).reduce((a, b) => a * b, 1));

  test("unflatten undoes flatten symbolically", () => {
    fc.assert(
      fc.property(shapes, (shape) => {
        const axes = shape.map((n, k) => axisIndex(k, n));
        const back = unflatten(flatten(axes, stridesOf(shape)), shape);
        if (!shape.includes(0)) expect(back.map((i) => i.key)).toEqual(axes.map((i) => i.key));
        expect(back.every((i) => Number.isInteger(i.base) && Number.isInteger(i.lo) && Number.isInteger(i.hi))).toBe(
          true,
        );
      }),
      { seed: 12 },
    );
  });

  test("a reshape there and back is no index arithmetic", () => {
    const axes = [axisIndex(0, 4), axisIndex(1, 6)];
    const flat = flatten(axes, [6, 1]);
    const reshaped = unflatten(flat, [3, 8]);
    expect(flatten(reshaped, [8, 1]).key).toBe(flat.key);
  });

  test("unflatten agrees with division at every place", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 }), (shape) => {
        const size = shape.reduce((a, b) => a * b, 1);
        const coordinates = unflatten(axisIndex(0, size), shape).map(valueAt);
        const strides = stridesOf(shape);
        for (let i = 0; i < size; i++) {
          expect(coordinates.map((f) => f([i]))).toEqual(shape.map((n, k) => Math.floor(i / strides[k]!) % n));
        }
      }),
      { numRuns: 50, seed: 13 },
    );
  });
});

describe("simplifications", () => {
  const a = axisIndex(0, 8);
  const b = axisIndex(1, 4);
  test("an axis of extent 1 is 0", () => {
    expect(isLit(axisIndex(3, 1))).toBe(true);
  });
  test("multiples leave a division, small rests vanish", () => {
    expect(div(add(scale(a, 4), b), 4).key).toBe(a.key);
    expect(mod(add(scale(a, 4), b), 4).key).toBe(b.key);
  });
  test("divisions of divisions and remainders of remainders are one", () => {
    expect(div(div(a, 2), 3).key).toBe(div(a, 6).key);
    expect(mod(mod(a, 6), 3).key).toBe(mod(a, 3).key);
  });
  test("x = d·(x / d) + x mod d", () => {
    expect(add(scale(div(a, 3), 3), mod(a, 3)).key).toBe(a.key);
  });
  test("a clamp to at least the range vanishes, one outside of it is a constant", () => {
    expect(clamp(a, 0, 7).key).toBe(a.key);
    expect(clamp(a, 9, 12).key).toBe("9");
    expect(clamp(a, -3, 0).key).toBe("0");
  });
  test("values loaded at run time are opaque, the same expression the same index", () => {
    const e = load("i32", 0, a);
    expect(valueIndex(e, 0, 9).key).toBe(valueIndex(e, 0, 9).key);
    expect(valueIndex(e, 0, 9).key).not.toBe(valueIndex(load("i32", 0, a), 0, 9).key);
    expect(indexDependsOn(valueIndex(e, 0, 9), 0)).toBe(true);
    expect(indexDependsOn(valueIndex(e, 0, 9), 1)).toBe(false);
    expect(coefficient(valueIndex(e, 0, 9), 0)).toBeUndefined();
  });
  test("an index out of the range that it claims is found when it runs", () => {
    const tape = new ExprTape({ axis: () => 0, load: () => 12, slot: () => 0, keep: () => 0 }, "once");
    const index = tape.index(valueIndex(load("i32", 0, lit(0)), 0, 9));
    tape.run();
    expect(index).toThrow(/out of its own range \[0, 9\]/);
  });
});
