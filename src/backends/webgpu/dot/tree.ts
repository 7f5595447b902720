import { Code } from "../wgsl/code.js";
import type { ModuleBuilder } from "../wgsl/module.js";
import type { Access } from "./access.js";
import { batchOf, ceilDiv, storesFours, type TreePlan } from "./plan.js";
import type { Problem } from "./problem.js";
import { type Emitted, type Order, scratchOrder, Sink } from "./sink.js";
import { affine, operandA, operandB, quotient, remainder, unflatten } from "./text.js";

export const treeOrder = (p: Problem): Order => scratchOrder(p, "j", 1);

/** The sums of a product by lanes that share the summed axis: what TreePlan says. */
export function emitTree(module: ModuleBuilder, p: Problem, access: Access, plan: TreePlan): Emitted {
  const { lanes, groups, threadRows, threadCols, splits, kPerSplit } = plan;
  const threads = lanes * groups;
  const [down, across] = [ceilDiv(p.m, threadRows), ceilDiv(p.n, threadCols)];
  const units = batchOf(p) * down * across;
  const blocks = ceilDiv(units, groups);
  const [a, b] = [operandA(module, p, access), operandB(module, p, access)];
  const width = a.fours === "summed" ? 4 : 1;
  const sink = new Sink(module, p, access, splits, treeOrder(p));
  const code = new Code();

  const [split, block] = unflatten(code, "group", [
    ["split", splits],
    ["block", blocks],
  ]) as [string, string];
  const [member, lane] = unflatten(code, "lid", [
    ["member", groups],
    ["lane", lanes],
  ]) as [string, string];
  const isFull = units % groups === 0;
  const own = affine(0, [block, groups], [member, 1]);
  const decode = (unit: string): { flat: string; batch: string[]; row: string; col: string } => {
    const [flat, row, col] = unflatten(code, unit, [
      ["flat", batchOf(p)],
      ["row", down],
      ["col", across],
    ]) as [string, string, string];
    const axes = p.batch.map(({ size }, axis) => [`z${axis}`, size] as const);
    return { flat, batch: unflatten(code, flat, axes), row, col };
  };
  const names: string[][] = Array.from({ length: threadRows }, (_, r) =>
    Array.from({ length: threadCols }, (_, c) => `s${r}_${c}`),
  );
  for (const name of names.flat()) code.line(`var ${name} = ${width === 4 ? "vec4f()" : "0.0f"};`);

  code.block("", () => {
    // Lanes without a result of their own work on the last one, so that all meet at the barriers.
    code.line(`let unit = ${isFull ? own : `min(${own}, ${units - 1})`};`);
    const { batch, row, col } = decode("unit");
    const rowAt = (at: number): string => {
      const text = affine(at, [row, threadRows]);
      return p.m % threadRows === 0 ? text : `min(${text}, ${p.m - 1})`;
    };
    const begin = affine(0, [split, kPerSplit], [lane, width]);
    const end = splits > 1 ? "end" : String(p.k);
    if (splits > 1) code.line(`let end = min(${affine(kPerSplit, [split, kPerSplit])}, ${p.k});`);
    const stride = lanes * width;
    const steps = (count: number): void => {
      for (let u = 0; u < count; u++)
        for (let r = 0; r < threadRows; r++) {
          const i = rowAt(r);
          const k = affine(u * stride, ["k", 1]);
          const value = width === 4 ? a.four(batch, i, affine(u * lanes, ["(k >> 2u)", 1])) : a.one(batch, i, k);
          code.line(`let x${u}_${r} = ${value};`);
        }
      for (let u = 0; u < count; u++)
        for (let c = 0; c < threadCols; c++) {
          const j = affine(c, [col, threadCols]);
          const k = (at: number): string => affine(u * stride + at, ["k", 1]);
          const each = (value: (at: number) => string): string =>
            width === 1 ? value(0) : `vec4f(${[0, 1, 2, 3].map(value).join(", ")})`;
          if (b.fours === "kept" && c === 0)
            for (let at = 0; at < width; at++) code.line(`let q${u}_${at} = ${b.four(batch, col, k(at))};`);
          const value =
            b.fours === "kept"
              ? each((at) => `q${u}_${at}.${"xyzw"[c]!}`)
              : b.fours === "summed"
                ? b.four(batch, j, affine(u * lanes, ["(k >> 2u)", 1]))
                : each((at) => b.one(batch, j, k(at)));
          code.line(`let y${u}_${c} = ${value};`);
        }
      for (let u = 0; u < count; u++)
        for (let r = 0; r < threadRows; r++)
          for (let c = 0; c < threadCols; c++) code.line(`s${r}_${c} = fma(x${u}_${r}, y${u}_${c}, s${r}_${c});`);
    };
    if (p.k === 0) return;
    code.line(`var k = ${begin};`);
    if (plan.unroll > 1)
      code.block(`for (; k + ${(plan.unroll - 1) * stride} < ${end}; k += ${plan.unroll * stride})`, () =>
        steps(plan.unroll),
      );
    code.block(`for (; k < ${end}; k += ${stride})`, () => steps(1));
  });

  const results = threadRows * threadCols;
  const partial = (name: string): string => (width === 4 ? `(${name}.x + ${name}.y) + (${name}.z + ${name}.w)` : name);
  /** Result `at` of a unit; in fours, four of them from 4·at on. */
  const store = (unit: string, at: string, sum: string, fours: boolean): void => {
    const { flat, batch, row, col } = decode(unit);
    const perRow = threadCols / (fours ? 4 : 1);
    code.line(`let i = ${affine(0, [row, threadRows], [quotient(at, perRow), 1])};`);
    code.line(`let j = ${affine(0, [col, threadCols], [remainder(at, perRow), fours ? 4 : 1])};`);
    const write = (): void => {
      code.line(`let sum = ${sum};`);
      const place = { split, flat, place: { batch, i: "i", j: "j" } };
      if (fours) sink.four(code, "j", place, "sum");
      else sink.one(code, place, "sum");
    };
    if (p.m % threadRows === 0) write();
    else code.block(`if (i < ${p.m})`, write);
  };

  if (lanes === 1) {
    const fours = storesFours(plan);
    const values = fours ? names.map((row) => `vec4f(${row.map(partial).join(", ")})`) : names.flat().map(partial);
    code.line(`var sums = array<${fours ? "vec4f" : "f32"}, ${values.length}>(${values.join(", ")});`);
    const all = (): void =>
      code.block(`for (var at = 0; at < ${values.length}; at++)`, () => store(own, "at", "sums[at]", fours));
    if (isFull) all();
    else code.block(`if (${own} < ${units})`, all);
  } else {
    const tree = module.workgroupArray("tree", "f32", results * threads);
    names.flat().forEach((name, at) => code.line(`${tree}[${affine(at * threads, ["lid", 1])}] = ${partial(name)};`));
    code.block(`for (var half = ${lanes / 2}; half > 0; half >>= 1u)`, () => {
      code.line("workgroupBarrier();");
      code.block(`if (${lane} < half)`, () => {
        for (let at = 0; at < results; at++) {
          const place = affine(at * threads, ["lid", 1]);
          code.line(`${tree}[${place}] += ${tree}[${place} + half];`);
        }
      });
    });
    code.line("workgroupBarrier();");
    code.block(`for (var o = lid; o < ${groups * results}; o += ${threads})`, () => {
      code.line(`let unit = ${affine(0, [block, groups], [quotient("o", results), 1])};`);
      const place = affine(0, [remainder("o", results), threads], [quotient("o", results), lanes]);
      const all = (): void => {
        code.line(`let at = ${remainder("o", results)};`);
        store("unit", "at", `${tree}[${place}]`, false);
      };
      if (isFull) all();
      else code.block(`if (unit < ${units})`, all);
    });
  }
  return {
    body: code,
    groups: splits * blocks,
    threads,
    flops: 2 * batchOf(p) * p.m * p.n * p.k,
    loads: blocks * groups * p.k * (threadRows + threadCols),
  };
}
