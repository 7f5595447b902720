import type { Dispatch, LaunchContext, Limits } from "../dispatch.js";
import { indent, type Place, WordShader } from "./shader.js";

/**
 * Stable sorts of records (a key of 32 bits and a number) along rows of n.
 *
 * A workgroup sorts what fits into its memory: each thread a few records in registers, then the sorted runs are merged, twice
 * as long each time, every thread making as many records of the result as it holds. Rows that do not fit are sorted in tiles,
 * and the tiles merged in passes over scratch memory in the same way (merge path: a binary search along a diagonal says
 * where in both runs the piece of the result starts). Merges prefer the left run where keys tie, so that all is stable.
 */
export interface RecordSource {
  /** Gives text that runs first, and expressions (u32) of the key and the number of record i of a row. */
  read(shader: WordShader, row: string, i: string): { setup: string; key: string; number: string };
  /** Words read for a record, and where. */
  readonly words: number;
  readonly places: readonly Place[];
}
export interface RecordSink {
  /** Statements that put away record i of a sorted row. */
  write(shader: WordShader, row: string, i: string, key: string, number: string): string;
  /** Words read and written for a record. */
  readonly reads: number;
  readonly writes: number;
  readonly places: readonly Place[];
}
export interface SortShape {
  readonly rows: number;
  readonly n: number;
  /** Neighbours in memory are elements of different rows. */
  readonly interleaved: boolean;
}

const floorPowerOfTwo = (x: number): number => 2 ** Math.floor(Math.log2(x));
const ceilPowerOfTwo = (x: number): number => 2 ** Math.ceil(Math.log2(x));

const RECORD = 8;
const threadsOf = (l: Limits): number =>
  floorPowerOfTwo(Math.min(256, l.maxComputeInvocationsPerWorkgroup, l.maxComputeWorkgroupSizeX));
const tileOf = (l: Limits, bytes: number, each: number): number =>
  floorPowerOfTwo(Math.min(threadsOf(l) * each, bytes / RECORD));

/** Records that one workgroup sorts. */
export const sortTile = (l: Limits): number => tileOf(l, l.maxComputeWorkgroupStorageSize, 8);
/** Records that one workgroup merges; it keeps two words besides. */
const mergeTile = (l: Limits): number => Math.min(sortTile(l), tileOf(l, l.maxComputeWorkgroupStorageSize - RECORD, 4));

const registers = (each: number): number[] => Array.from({ length: each }, (_, r) => r);

/** Sorts what a thread holds: neighbours change places as often as there are records, never where their keys are equal. */
function sortRegisters(each: number): string {
  const lines: string[] = [];
  for (let round = 0; round < each; round++) {
    for (let r = round % 2; r + 1 < each; r += 2) {
      const [k, l, x, y] = [`k${r}`, `k${r + 1}`, `x${r}`, `x${r + 1}`];
      lines.push(`if (${k} > ${l}) { let k = ${k}; ${k} = ${l}; ${l} = k; let x = ${x}; ${x} = ${y}; ${y} = x; }`);
    }
  }
  return lines.join("\n");
}

/**
 * Text that makes, from the runs [aStart, aStart + aLength) and [bStart, bStart + bLength) in workgroup memory, the records
 * from `diagonal` on of what they merge to, in registers.
 */
const mergeToRegisters = (each: number, tile: number): string => `var lo = max(0, diagonal - bLength);
var hi = min(diagonal, aLength);
while (lo < hi) {
  let middle = (lo + hi) >> 1u;
  if (keys[aStart + middle] <= keys[bStart + diagonal - 1 - middle]) { lo = middle + 1; } else { hi = middle; }
}
var a = aStart + lo;
var b = bStart + diagonal - lo;
let aEnd = aStart + aLength;
let bEnd = bStart + bLength;
${registers(each)
  .map(
    (r) => `{
  let left = b >= bEnd || (a < aEnd && keys[a] <= keys[b]);
  let place = min(select(b, a, left), ${tile - 1});
  k${r} = keys[place];
  x${r} = numbers[place];
  a += select(0, 1, left);
  b += select(1, 0, left);
}`,
  )
  .join("\n")}`;

const registersToMemory = (each: number): string =>
  registers(each)
    .map((r) => `keys[base + ${r}] = k${r}; numbers[base + ${r}] = x${r};`)
    .join("\n");

function declareMemory(shader: WordShader, tile: number): void {
  shader.declare(`var<workgroup> keys: array<u32, ${tile}>;`);
  shader.declare(`var<workgroup> numbers: array<u32, ${tile}>;`);
}

/** How a workgroup sorts: rows side by side in its memory, or one tile of a row. */
interface BlockPlan {
  readonly threads: number;
  /** Records a thread. */
  readonly each: number;
  /** Records of a row, padded to a power of two. */
  readonly run: number;
}

function planBlock({ rows, n }: SortShape, limits: Limits): BlockPlan {
  const largest = sortTile(limits);
  const run = Math.min(ceilPowerOfTwo(n), largest);
  const threads = threadsOf(limits);
  const records = rows * run * Math.ceil(n / run);
  // More records a thread are fewer rounds of merging, but fewer threads.
  const each = Math.max(Math.min(run, records >= 2 ** 18 ? 8 : 4), Math.ceil(run / threads));
  const wanted = ceilPowerOfTwo(Math.max(run / each, Math.ceil((rows * run) / each)));
  return { each, run, threads: Math.min(threads, wanted, largest / each) };
}

/** Sorts rows, or each tile of `sortTile` records of the longer ones. */
export function sortBlocks(
  label: string,
  shape: SortShape,
  source: RecordSource,
  sink: RecordSink,
  ctx: LaunchContext,
): Dispatch {
  const { rows, n, interleaved } = shape;
  const { threads, each, run } = planBlock(shape, ctx.limits);
  const tile = threads * each;
  const shader = new WordShader(ctx);
  declareMemory(shader, tile);
  const side = tile / run;
  const tiles = Math.ceil(n / run);
  const groups = tiles > 1 ? rows * tiles : Math.ceil(rows / side);

  // Neighbouring threads take what is near in memory.
  const place =
    tiles > 1
      ? `let row = group / ${tiles};\nlet i = (group % ${tiles}) * ${run} + e;\nlet slot = e;`
      : side === 1
        ? `let row = group;\nlet i = e;\nlet slot = e;`
        : interleaved
          ? `let i = e / ${side};\nlet row = group * ${side} + e % ${side};\nlet slot = (e % ${side}) * ${run} + i;`
          : `let i = e % ${run};\nlet row = group * ${side} + e / ${run};\nlet slot = e;`;
  const inside = [
    ...(n % run === 0 ? [] : [`i < ${n}`]),
    ...(tiles > 1 || rows % side === 0 ? [] : [`row < ${rows}`]),
  ].join(" && ");
  const guarded = (text: string): string => (inside === "" ? text : `if (${inside}) {\n${indent(text)}\n}`);
  const record = source.read(shader, "row", "i");
  const put = sink.write(shader, "row", "i", "keys[slot]", "numbers[slot]");
  const body = `for (var e = t; e < ${tile}; e += ${threads}) {
${indent(place)}
  // Beyond the end of a row: last, whatever its keys are.
  var key = 0xffffffffu;
  var number = 0u;
${indent(guarded(`${record.setup}key = ${record.key};\nnumber = ${record.number};`))}
  keys[slot] = key;
  numbers[slot] = number;
}
workgroupBarrier();
let base = t * ${each};
${registers(each)
  .map((r) => `var k${r} = keys[base + ${r}]; var x${r} = numbers[base + ${r}];`)
  .join("\n")}
${sortRegisters(each)}
${
  run > each
    ? `for (var width = ${each}; width < ${run}; width = width * 2) {
${indent(registersToMemory(each))}
  workgroupBarrier();
  let aStart = base & ~(2 * width - 1);
  let bStart = aStart + width;
  let aLength = width;
  let bLength = width;
  let diagonal = base - aStart;
${indent(mergeToRegisters(each, tile))}
  workgroupBarrier();
}
`
    : ""
}${registersToMemory(each)}
workgroupBarrier();
for (var e = t; e < ${tile}; e += ${threads}) {
${indent(place)}
${indent(guarded(put))}
}`;
  const records = rows * n;
  const rounds = Math.log2(run);
  return shader.finish(label, groups, threads, body, {
    flops: groups * tile * rounds,
    loadBytes: 4 * records * (source.words + sink.reads),
    storeBytes: 4 * records * sink.writes,
    workgroupBytes: tile * RECORD,
  });
}

/** Merges sorted runs of `width` records to runs twice as long. `source` must read records without a setup. */
export function mergeRuns(
  label: string,
  { rows, n }: SortShape,
  width: number,
  source: RecordSource,
  sink: RecordSink,
  ctx: LaunchContext,
): Dispatch {
  const tile = mergeTile(ctx.limits);
  const each = Math.min(4, tile);
  const threads = tile / each;
  const shader = new WordShader(ctx);
  declareMemory(shader, tile);
  shader.declare("var<workgroup> splits: array<i32, 2>;");
  const tiles = Math.ceil(n / tile);
  const key = (i: string): string => source.read(shader, "row", i).key;
  const record = source.read(shader, "row", "place");
  const body = `let row = group / ${tiles};
let first = (group % ${tiles}) * ${tile};
let count = min(${tile}, ${n} - first);
let left = first & ~(2 * ${width} - 1);
let leftLength = min(${width}, ${n} - left);
let right = left + leftLength;
let rightLength = min(${width}, ${n} - right);
if (t < 2) {
  let diagonal = first - left + t * count;
  var lo = max(0, diagonal - rightLength);
  var hi = min(diagonal, leftLength);
  while (lo < hi) {
    let middle = (lo + hi) >> 1u;
    if (${key("(left + middle)")} <= ${key("(right + diagonal - 1 - middle)")}) { lo = middle + 1; } else { hi = middle; }
  }
  splits[t] = lo;
}
workgroupBarrier();
let aFirst = left + splits[0];
let bFirst = right + first - left - splits[0];
let aLength = splits[1] - splits[0];
let bLength = count - aLength;
for (var e = t; e < count; e += ${threads}) {
  let place = select(bFirst + e - aLength, aFirst + e, e < aLength);
  keys[e] = ${record.key};
  numbers[e] = ${record.number};
}
workgroupBarrier();
let base = t * ${each};
let aStart = 0;
let bStart = aLength;
let diagonal = min(base, count);
${registers(each)
  .map((r) => `var k${r} = 0u; var x${r} = 0u;`)
  .join("\n")}
${mergeToRegisters(each, tile)}
workgroupBarrier();
${registersToMemory(each)}
workgroupBarrier();
for (var e = t; e < count; e += ${threads}) {
  let i = first + e;
${indent(sink.write(shader, "row", "i", "keys[e]", "numbers[e]"))}
}`;
  const records = rows * n;
  const search = 2 * Math.ceil(Math.log2(width + 1));
  return shader.finish(label, rows * tiles, threads, body, {
    flops: records * (1 + Math.log2(tile) / each),
    loadBytes: 4 * (records * (source.words + sink.reads) + rows * tiles * 2 * search),
    storeBytes: 4 * records * sink.writes,
    workgroupBytes: tile * RECORD + 8,
  });
}
