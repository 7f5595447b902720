import { Code } from "../wgsl/code.js";
import type { ModuleBuilder } from "../wgsl/module.js";
import type { Access } from "./access.js";
import { type Emitted, type Order, scratchOrder, Sink } from "./sink.js";
import { batchOf, ceilDiv, tileBytes, tiledThreads, type TiledPlan, tilePitch } from "./plan.js";
import type { Problem } from "./problem.js";
import { affine, operandA, operandB, type Operand, quotient, remainder, unflatten } from "./text.js";

/** One operand's part of a tile in workgroup memory: fours along the kept axis, `pitch` of them for each k. */
interface Part {
  readonly operand: Operand;
  readonly extent: number;
  readonly pitch: number;
  /** Where it begins, in fours. */
  readonly start: number;
  /** Number of the tile along the kept axis. */
  readonly tile: string;
}

/** Results next to each other in a row are one invocation's. */
export const tiledOrder = (p: Problem): Order => scratchOrder(p, "j", 4);

/** The sums of a product by tiles: what TiledPlan says. */
export function emitTiled(module: ModuleBuilder, p: Problem, access: Access, plan: TiledPlan): Emitted {
  const { rows, cols, depth, splits, slices, kPerSplit } = plan;
  const threads = tiledThreads(plan);
  const [tilesDown, tilesAcross] = [ceilDiv(p.m, rows), ceilDiv(p.n, cols)];
  const [a, b] = [operandA(module, p, access), operandB(module, p, access)];
  const tile = module.workgroupArray("tile", "vec4f", tileBytes(plan) / 16);
  const sink = new Sink(module, p, access, splits, tiledOrder(p));
  const groups = batchOf(p) * splits * tilesDown * tilesAcross;
  const code = new Code();

  const [flat, split, down, across] = unflatten(code, "group", [
    ["flat", batchOf(p)],
    ["split", splits],
    ["down", tilesDown],
    ["across", tilesAcross],
  ]) as [string, string, string, string];
  const batch = unflatten(
    code,
    flat,
    p.batch.map(({ size }, axis) => [`z${axis}`, size]),
  );
  const parts: readonly [Part, Part] = [
    { operand: a, extent: rows, pitch: tilePitch(rows), start: 0, tile: down },
    { operand: b, extent: cols, pitch: tilePitch(cols), start: depth * tilePitch(rows), tile: across },
  ];
  const [rowGroups, colGroups] = [rows / plan.threadRows, cols / plan.threadCols];
  const [slice, rowGroup, colGroup] = unflatten(code, "lid", [
    ["slice", slices],
    ["rowGroup", rowGroups],
    ["colGroup", colGroups],
  ]) as [string, string, string];

  const [rowFours, colFours] = [plan.threadRows / 4, plan.threadCols / 4];
  const sums: string[] = [];
  for (let r = 0; r < plan.threadRows; r++)
    for (let c = 0; c < colFours; c++) {
      sums.push(`s${r}_${c}`);
      code.line(`var s${r}_${c} = vec4f();`);
    }

  const isLoop = kPerSplit > depth;
  const begin = affine(0, [split, kPerSplit]);
  const to = splits > 1 ? `min(${affine(kPerSplit, [split, kPerSplit])}, ${p.k})` : String(p.k);
  if (splits > 1) code.line(`let end = ${to};`);
  const header = isLoop ? `for (var base = ${begin}; base < ${splits > 1 ? "end" : to}; base += ${depth})` : "";
  code.block(header, () => {
    if (!isLoop) code.line(`let base = ${begin};`);
    for (const part of parts) stage(code, plan, p.k, tile, part, batch, threads);
    code.line("workgroupBarrier();");
    code.block(`for (var t = 0; t < ${depth / slices}; t++)`, () => {
      code.line(`let depth = ${affine(0, [slice, depth / slices], ["t", 1])};`);
      const read = (name: string, { start, pitch }: Part, group: string, apart: number, count: number): void => {
        for (let at = 0; at < count; at++)
          code.line(`let ${name}${at} = ${tile}[${affine(start + at * apart, ["depth", pitch], [group, 1])}];`);
      };
      read("x", parts[0], rowGroup, rowGroups, rowFours);
      read("y", parts[1], colGroup, colGroups, colFours);
      for (let r = 0; r < plan.threadRows; r++)
        for (let c = 0; c < colFours; c++) {
          const sum = `s${r}_${c}`;
          code.line(`${sum} = fma(vec4f(x${r >> 2}.${"xyzw"[r & 3]!}), y${c}, ${sum});`);
        }
    });
    if (isLoop || slices > 1) code.line("workgroupBarrier();");
  });

  const store = (row: string, colQuad: string, sum: string): void => {
    code.line(`let i = ${affine(0, [down, rows], [row, 1])};`);
    code.line(`let j = ${affine(0, [across, cols], [colQuad, 4])};`);
    const tests = [...(p.m % rows === 0 ? [] : [`i < ${p.m}`]), ...(p.n % cols === 0 ? [] : [`j < ${p.n}`])];
    const place = { batch, i: "i", j: "j" };
    const write = (): void => {
      code.line(`let sum = ${sum};`);
      sink.four(code, "j", { split, flat, place }, "sum");
    };
    if (tests.length > 0) code.block(`if (${tests.join(" && ")})`, write);
    else write();
  };
  if (slices === 1) {
    code.line(`var sums = array<vec4f, ${sums.length}>(${sums.join(", ")});`);
    code.block(`for (var at = 0; at < ${sums.length}; at++)`, () => {
      const r = quotient("at", colFours);
      code.line(`let row = ${affine(0, [quotient(r, 4), 4 * rowGroups], [rowGroup, 4], [remainder(r, 4), 1])};`);
      store("row", affine(0, [remainder("at", colFours), colGroups], [colGroup, 1]), "sums[at]");
    });
  } else {
    const quads = (rows * cols) / 4;
    for (let r = 0; r < plan.threadRows; r++)
      for (let c = 0; c < colFours; c++) {
        const row = (r >> 2) * 4 * rowGroups + (r & 3);
        const place = affine(row * (cols / 4) + c * colGroups, [slice, quads], [rowGroup, cols], [colGroup, 1]);
        code.line(`${tile}[${place}] = s${r}_${c};`);
      }
    code.line("workgroupBarrier();");
    code.block(`for (var o = lid; o < ${quads}; o += ${threads})`, () => {
      code.line(`var total = ${tile}[o];`);
      code.line(`for (var s = 1; s < ${slices}; s++) { total += ${tile}[s * ${quads} + o]; }`);
      store(quotient("o", cols / 4), remainder("o", cols / 4), "total");
    });
  }

  const loads = batchOf(p) * tilesDown * tilesAcross * p.k * (rows + cols);
  return {
    body: code,
    groups,
    threads,
    flops: 2 * batchOf(p) * p.m * p.n * p.k,
    loads,
  };
}

/** Brings an operand's tile from `base` on into workgroup memory; both operands are 0 where k ends within the tile. */
function stage(
  code: Code,
  { depth }: TiledPlan,
  k: number,
  tile: string,
  { operand, extent, pitch, start, tile: number }: Part,
  batch: readonly string[],
  threads: number,
): void {
  const { fours, keptStride, summedStride } = operand;
  const quads = extent / 4;
  const deep = fours === "summed" ? depth / 4 : depth;
  const units = quads * deep;
  const isEdge = operand.extent % extent !== 0;
  const isGuarded = k % depth !== 0;
  // Neighbours read neighbours.
  const alongK = fours === "summed" || (fours === "none" && keptStride !== 1 && Math.abs(summedStride) <= Math.abs(keptStride)); // prettier-ignore
  const at = (d: string, q: string): string => `${tile}[${affine(start, [d, pitch], [q, 1])}]`;
  const guarded = (test: string, value: (into: (text: string) => string) => void): void => {
    if (isGuarded) code.block(`if (${test})`, () => value((text) => text));
    else value((text) => text);
  };
  const kept = (c: number): string => {
    const text = affine(c, [number, extent], ["q", 4]);
    return isEdge ? `min(${text}, ${operand.extent - 1})` : text;
  };

  const one = (): void => {
    code.line(`let q = ${alongK ? quotient("u", deep) : remainder("u", quads)};`);
    code.line(`let d = ${alongK ? remainder("u", deep) : quotient("u", quads)};`);
    if (fours === "summed") {
      for (let c = 0; c < 4; c++) code.line(`var r${c} = vec4f();`);
      guarded(`base + d * 4 < ${k}`, () => {
        for (let c = 0; c < 4; c++) code.line(`r${c} = ${operand.four(batch, kept(c), "((base >> 2u) + d)")};`);
      });
      for (let c = 0; c < 4; c++) {
        const lanes = [0, 1, 2, 3].map((r) => `r${r}.${"xyzw"[c]!}`);
        code.line(`${at(affine(c, ["d", 4]), "q")} = vec4f(${lanes.join(", ")});`);
      }
      return;
    }
    code.line("var r = vec4f();");
    guarded(`base + d < ${k}`, () => {
      if (fours === "kept") {
        const quad = affine(0, [number, quads], ["q", 1]);
        code.line(
          `r = ${operand.four(batch, isEdge ? `min(${quad}, ${operand.extent / 4 - 1})` : quad, "(base + d)")};`,
        );
      } else {
        const lanes = [0, 1, 2, 3].map((c) => operand.one(batch, kept(c), "(base + d)"));
        code.line(`r = vec4f(${lanes.join(", ")});`);
      }
    });
    code.line(`${at("d", "q")} = r;`);
  };
  // What does not occupy all goes to the last ones: the other operand's goes to the first.
  const first = units % threads !== 0 && start > 0 ? `${threads - 1} - lid` : "lid";
  if (units > threads) code.block(`for (var u = ${first}; u < ${units}; u += ${threads})`, one);
  else
    code.block("", () => {
      code.line(`let u = ${first};`);
      if (units < threads) code.block(`if (u < ${units})`, one);
      else one();
    });
}
