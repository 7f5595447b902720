import type { Code } from "../wgsl/code.js";
import { tilePitch } from "./plan.js";
import { affine, type Operand, quotient, remainder } from "./text.js";

/** What both operands have in common. */
export interface Staging {
  readonly code: Code;
  readonly depth: number;
  /** Extent of the summed axis. */
  readonly k: number;
  /** The array in workgroup memory. */
  readonly tile: string;
  readonly batch: readonly string[];
  readonly threads: number;
}

/** One operand's part of a tile: fours along the kept axis, tilePitch(extent) of them for each k. */
export interface TilePart {
  readonly operand: Operand;
  readonly extent: number;
  /** Where it begins in the array. */
  readonly start: number;
  /** Number of the tile along the kept axis. */
  readonly number: string;
}

/**
 * Brings an operand's tile from k = `base` on into workgroup memory. Both operands are 0 where k ends within the tile, so that
 * no product of what is there with what is not can be NaN; rows beyond the last one are the last one again, and not stored.
 */
export function stage(s: Staging, part: TilePart): void {
  const { code, depth, threads } = s;
  const { operand, extent, start } = part;
  const fours = extent / 4;
  const deep = operand.fours === "summed" ? depth / 4 : depth;
  const units = fours * deep;
  const alongK = readsAlongK(operand);
  const one = (): void => {
    // Neighbours read neighbours.
    code.line(`let q = ${alongK ? quotient("u", deep) : remainder("u", fours)};`);
    code.line(`let d = ${alongK ? remainder("u", deep) : quotient("u", fours)};`);
    if (operand.fours === "summed") transposeBlock(s, part);
    else copyFour(s, part);
  };
  // What does not occupy all goes to the last invocations: the other operand's goes to the first.
  const first = units % threads !== 0 && start > 0 ? `${threads - 1} - lid` : "lid";
  if (units > threads) return code.block(`for (var u = ${first}; u < ${units}; u += ${threads})`, one);
  code.block("", () => {
    code.line(`let u = ${first};`);
    if (units < threads) code.block(`if (u < ${units})`, one);
    else one();
  });
}

function readsAlongK({ fours, keptStride, summedStride }: Operand): boolean {
  if (fours !== "none") return fours === "summed";
  return keptStride !== 1 && Math.abs(summedStride) <= Math.abs(keptStride);
}

const place = ({ tile }: Staging, { start, extent }: TilePart, d: string): string =>
  `${tile}[${affine(start, [d, tilePitch(extent)], ["q", 1])}]`;

/** Coordinate `c` of the kept axis in four `q`. */
function kept({ operand, extent, number }: TilePart, c: number): string {
  const text = affine(c, [number, extent], ["q", 4]);
  return operand.extent % extent === 0 ? text : `min(${text}, ${operand.extent - 1})`;
}

/** `body` where `at` is within k; what it does not set stays 0. */
function withinK({ code, depth, k }: Staging, at: string, body: () => void): void {
  if (k % depth === 0) body();
  else code.block(`if (${at} < ${k})`, body);
}

/** Four along the kept axis at one k. */
function copyFour(s: Staging, part: TilePart): void {
  const { code, batch } = s;
  const { operand, extent, number } = part;
  code.line("var r = vec4f();");
  withinK(s, "base + d", () => {
    if (operand.fours === "kept") {
      const four = affine(0, [number, extent / 4], ["q", 1]);
      const within = operand.extent % extent === 0 ? four : `min(${four}, ${operand.extent / 4 - 1})`;
      code.line(`r = ${operand.four(batch, within, "(base + d)")};`);
    } else {
      const lanes = [0, 1, 2, 3].map((c) => operand.one(batch, kept(part, c), "(base + d)"));
      code.line(`r = vec4f(${lanes.join(", ")});`);
    }
  });
  code.line(`${place(s, part, "d")} = r;`);
}

/** Four vectors along k, of four neighbours on the kept axis, become four the other way. */
function transposeBlock(s: Staging, part: TilePart): void {
  const { code, batch } = s;
  for (let c = 0; c < 4; c++) code.line(`var r${c} = vec4f();`);
  withinK(s, "base + d * 4", () => {
    for (let c = 0; c < 4; c++) code.line(`r${c} = ${part.operand.four(batch, kept(part, c), "((base >> 2u) + d)")};`);
  });
  for (let c = 0; c < 4; c++) {
    const lanes = [0, 1, 2, 3].map((r) => `r${r}.${"xyzw"[c]!}`);
    code.line(`${place(s, part, affine(c, ["d", 4]))} = vec4f(${lanes.join(", ")});`);
  }
}
