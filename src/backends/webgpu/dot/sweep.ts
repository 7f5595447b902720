import { Code } from "../wgsl/code.js";
import type { ModuleBuilder } from "../wgsl/module.js";
import type { Access } from "./access.js";
import { batchOf, ceilDiv, type SweepPlan } from "./plan.js";
import type { Problem } from "./problem.js";
import { type Emitted, type Order, scratchOrder, Sink } from "./sink.js";
import { affine, operandA, operandB, quotient, remainder, unflatten } from "./text.js";

export const sweepOrder = (p: Problem, { width }: SweepPlan): Order => scratchOrder(p, "i", width);

/** The sums of a product by lanes along its rows that walk along k: what SweepPlan says. */
export function emitSweep(module: ModuleBuilder, p: Problem, access: Access, plan: SweepPlan): Emitted {
  const { lanes, slices, splits, kPerSplit, unroll } = plan;
  const [a, b] = [operandA(module, p, access), operandB(module, p, access)];
  const width = a.fours === "kept" ? plan.width : 1;
  const type = width === 4 ? "vec4f" : "f32";
  const threads = lanes * slices;
  const down = p.m / width;
  const units = batchOf(p) * down;
  const blocks = ceilDiv(units, lanes);
  const isFull = units % lanes === 0;
  const sink = new Sink(module, p, access, splits, sweepOrder(p, plan));
  const code = new Code();

  const [split, block] = unflatten(code, "group", [
    ["split", splits],
    ["block", blocks],
  ]) as [string, string];
  const [slice, lane] = unflatten(code, "lid", [
    ["slice", slices],
    ["lane", lanes],
  ]) as [string, string];
  const decode = (unit: string): { flat: string; batch: string[]; row: string } => {
    const [flat, row] = unflatten(code, unit, [
      ["flat", batchOf(p)],
      ["row", down],
    ]) as [string, string];
    const axes = p.batch.map(({ size }, axis) => [`z${axis}`, size] as const);
    return { flat, batch: unflatten(code, flat, axes), row };
  };
  const columns = Array.from({ length: p.n }, (_, c) => c);
  for (const c of columns) code.line(`var s${c} = ${type}();`);

  const own = affine(0, [block, lanes], [lane, 1]);
  code.block("", () => {
    // Lanes without rows of their own work on the last ones, so that all meet at the barrier.
    code.line(`let unit = ${isFull ? own : `min(${own}, ${units - 1})`};`);
    const { batch, row } = decode("unit");
    const end = splits > 1 ? "end" : String(p.k);
    if (splits > 1) code.line(`let end = min(${affine(kPerSplit, [split, kPerSplit])}, ${p.k});`);
    const steps = (count: number): void => {
      const k = (u: number): string => affine(u * slices, ["k", 1]);
      for (let u = 0; u < count; u++)
        code.line(`let x${u} = ${width === 4 ? a.four(batch, row, k(u)) : a.one(batch, row, k(u))};`);
      for (let u = 0; u < count; u++)
        if (b.fours === "kept") code.line(`let y${u} = ${b.four(batch, "0", k(u))};`);
        else for (const c of columns) code.line(`let y${u}_${c} = ${b.one(batch, String(c), k(u))};`);
      for (let u = 0; u < count; u++)
        for (const c of columns) {
          const factor = b.fours === "kept" ? `y${u}.${"xyzw"[c]!}` : `y${u}_${c}`;
          code.line(`s${c} = fma(x${u}, ${width === 4 ? `vec4f(${factor})` : factor}, s${c});`);
        }
    };
    code.line(`var k = ${affine(0, [split, kPerSplit], [slice, 1])};`);
    if (unroll > 1)
      code.block(`for (; k + ${(unroll - 1) * slices} < ${end}; k += ${unroll * slices})`, () => steps(unroll));
    code.block(`for (; k < ${end}; k += ${slices})`, () => steps(1));
  });

  const store = (unit: string, column: string, sum: string): void => {
    const { flat, batch, row } = decode(unit);
    code.line(`let sum = ${sum};`);
    const i = affine(0, [row, width]);
    if (i !== "0") code.line(`let i = ${i};`);
    const place = { batch, i: i === "0" ? i : "i", j: column };
    if (width === 4) sink.four(code, "i", { split, flat, place }, "sum");
    else sink.one(code, { split, flat, place }, "sum");
  };
  if (slices === 1) {
    const all = (): void => {
      if (p.n === 1) return code.block("", () => store(own, "0", "s0"));
      code.line(`var sums = array<${type}, ${p.n}>(${columns.map((c) => `s${c}`).join(", ")});`);
      code.block(`for (var j = 0; j < ${p.n}; j++)`, () => store(own, "j", "sums[j]"));
    };
    if (isFull) all();
    else code.block(`if (${own} < ${units})`, all);
  } else {
    const shares = module.workgroupArray("shares", type, slices * lanes * p.n);
    for (const c of columns) code.line(`${shares}[${affine(c * lanes, [slice, lanes * p.n], [lane, 1])}] = s${c};`);
    code.line("workgroupBarrier();");
    code.block(`for (var o = lid; o < ${lanes * p.n}; o += ${threads})`, () => {
      const all = (): void => {
        code.line(`var total = ${shares}[o];`);
        code.line(`for (var s = 1; s < ${slices}; s++) { total += ${shares}[s * ${lanes * p.n} + o]; }`);
        if (p.n > 1) code.line(`let j = ${quotient("o", lanes)};`);
        store("unit", p.n > 1 ? "j" : "0", "total");
      };
      code.line(`let unit = ${affine(0, [block, lanes], [remainder("o", lanes), 1])};`);
      if (isFull) all();
      else code.block(`if (unit < ${units})`, all);
    });
  }
  return {
    body: code,
    groups: splits * blocks,
    threads,
    flops: 2 * batchOf(p) * p.m * p.n * p.k,
    loads: blocks * lanes * p.k * (width + p.n),
  };
}
