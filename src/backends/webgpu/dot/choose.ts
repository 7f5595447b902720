import type { LaunchContext, Limits } from "../dispatch.js";
import { type Access, accessOf } from "./access.js";
import { combineCycles, directCycles, tiledCycles } from "./model.js";
import {
  batchOf,
  ceilDiv,
  type Plan,
  type SplitK,
  storesFours,
  type SweepPlan,
  tileBytes,
  tiledThreads,
  type TiledPlan,
  type TreePlan,
} from "./plan.js";
import { FEW, type Problem } from "./problem.js";

/** Invocations that keep a large GPU busy. */
const BUSY = 32_768;
/** Steps over k that one invocation may take alone, one after another, before the axis is split among workgroups. */
const LONG = 256;
const MAX_SPLITS = 64;

const powerOf2AtMost = (x: number): number => 2 ** Math.floor(Math.log2(Math.max(1, x)));
const powerOf2AtLeast = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, x)));
const between = (lo: number, x: number, hi: number): number => Math.min(Math.max(lo, x), Math.max(lo, hi));

/** How memory is reached by tiles: whatever lies in fours. */
const tiledAccess = (p: Problem, ctx: LaunchContext): Access =>
  accessOf(p, ctx, { a: ["kept", "summed"], b: ["kept", "summed"], along: "j" });

/** By lanes along k: fours of it, and of the second operand's columns where they are four. */
function treeAccess(p: Problem, ctx: LaunchContext, along: "j" | null): Access {
  const access = accessOf(p, ctx, { a: ["summed"], b: ["kept", "summed"], along });
  return access.a === "none" && access.b === "summed" ? accessOf(p, ctx, { a: [], b: ["kept"], along }) : access;
}

/** By lanes along the rows, each of so many rows. */
const sweepAccess = (p: Problem, ctx: LaunchContext, width: 1 | 4): Access =>
  accessOf(p, ctx, { a: width === 4 ? ["kept"] : [], b: ["kept"], along: width === 4 ? "i" : null });

/** How the plan reaches memory. */
export function accessFor(p: Problem, plan: Plan, ctx: LaunchContext): Access {
  switch (plan.kind) {
    case "tiled":
      return tiledAccess(p, ctx);
    case "tree":
      return treeAccess(p, ctx, storesFours(plan) ? "j" : null);
    case "sweep":
      return sweepAccess(p, ctx, plan.width);
  }
}

export function planProblem(p: Problem, ctx: LaunchContext): Plan {
  const { limits } = ctx;
  if (p.n > FEW && p.k > 0) return cheapest(p, tiledAccess(p, ctx), ctx);
  const isAlongK = Math.abs(p.a.col) <= Math.abs(p.a.row) || p.a.row === 0;
  return isAlongK || p.k === 0
    ? planTree(p, treeAccess(p, ctx, null), ctx)
    : planSweep(p, sweepAccess(p, ctx, 4), limits);
}

/** Splits of the summed axis that fill the device and fit the scratch memory; `step`: of what kPerSplit is a multiple. */
function splitK(p: Problem, limits: Limits, splits: number, step: number): SplitK {
  const bytes = 4 * batchOf(p) * p.m * p.n;
  const fit = Math.max(1, Math.floor(Math.min(limits.maxStorageBufferBindingSize, 2 ** 27) / bytes));
  const wanted = Math.max(1, Math.min(splits, fit, MAX_SPLITS));
  const kPerSplit = Math.max(step, ceilDiv(ceilDiv(p.k, wanted), step) * step);
  return { splits: Math.max(1, ceilDiv(p.k, kPerSplit)), kPerSplit };
}

function planTree(p: Problem, access: Access, { limits, threads }: LaunchContext): TreePlan {
  const width = access.a === "summed" ? 4 : 1;
  const most = Math.min(256, limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
  const threadCols = Math.min(p.n, FEW);
  const units = batchOf(p) * p.m * ceilDiv(p.n, threadCols);
  // At least two loads for each lane; a wave's worth of lanes, and more where there are few results.
  const useful = powerOf2AtMost(p.k / (2 * width));
  const lanes = Math.min(useful, between(32, powerOf2AtLeast(BUSY / Math.max(1, units)), most));
  const threadRows = p.m >= 4 && units * lanes >= 4 * BUSY ? 4 : 1;
  const groups = Math.max(
    1,
    threads !== undefined && threads % lanes === 0 ? threads / lanes : Math.min(64, most) / lanes,
  );
  const steps = p.k / (lanes * width);
  const splits = units * lanes >= BUSY / 4 ? 1 : Math.floor(Math.min(steps / (LONG / 8), BUSY / (units * lanes)));
  const unroll = threadRows === 1 && steps >= 4 ? 4 : 1;
  const share = splitK(p, limits, steps > LONG ? splits : 1, lanes * width);
  return { kind: "tree", lanes, groups, threadRows, threadCols, unroll, ...share };
}

function planSweep(p: Problem, access: Access, limits: Limits): SweepPlan {
  const width = access.a === "kept" ? 4 : 1;
  const most = Math.min(256, limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
  const units = (batchOf(p) * p.m) / width;
  // The slices' sums lie in workgroup memory: at most 256 invocations × 4 columns × 4 rows × 4 bytes.
  const room = powerOf2AtMost(limits.maxComputeWorkgroupStorageSize / (4 * width * p.n));
  const threads = Math.min(most, room);
  // Sixteen fours are still whole cache lines; where there are few rows, that leaves more workgroups.
  const lanes = Math.min(width === 4 && units * 8 < BUSY ? 16 : 32, powerOf2AtLeast(units), threads);
  const useful = powerOf2AtMost(p.k / 4);
  const slices = Math.min(useful, between(64 / lanes, powerOf2AtLeast(BUSY / units), threads / lanes));
  const steps = p.k / slices;
  const splits = units * slices >= BUSY / 4 ? 1 : Math.floor(Math.min(steps / (LONG / 8), BUSY / (units * slices)));
  const unroll = steps >= 8 ? 4 : 1;
  const share = splitK(p, limits, steps > LONG ? splits : 1, slices);
  return { kind: "sweep", lanes, slices, width, unroll, ...share };
}

/** Cycles that are not worth a shader with barriers, and an invocation more in a workgroup: microseconds beside a launch. */
const SIMPLER = 2000;
const PER_THREAD = 2;
/** Multiply-adds of a product that reads little however often it reads it. */
const TINY = 2 ** 15;
/** Sums that an invocation may have each way, and extents of tiles made of them. */
const EXTENTS: readonly (readonly [extent: number, perThread: number])[] = [
  [8, 4],
  [12, 4],
  [16, 4],
  [32, 4],
  [64, 4],
  [64, 8],
];
const SLICES = [1, 2, 4, 8];
const DEPTHS = [16, 32, 64];
const SPLITS = [1, 2, 4, 8, 16, 32];

/** A tiled plan of this tile, or undefined where the device's limits or the shape do not allow it. */
export function tiledPlan(
  p: Problem,
  access: Access,
  limits: Limits,
  tile: Pick<TiledPlan, "rows" | "cols" | "depth" | "threadRows" | "threadCols" | "slices">,
  splits: number,
): TiledPlan | undefined {
  const { slices } = tile;
  const step = access.a === "summed" || access.b === "summed" ? Math.max(4, slices) : slices;
  const perSplit = ceilDiv(p.k, splits);
  // Tiles of equal depth, none deeper than asked for: as little as can be of the last one is beyond the end.
  const depth = ceilDiv(ceilDiv(perSplit, ceilDiv(perSplit, tile.depth)), step) * step;
  const plan: TiledPlan = { ...tile, kind: "tiled", depth, ...splitK(p, limits, splits, depth) };
  const threads = tiledThreads(plan);
  const fits =
    threads <= Math.min(limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX) &&
    tileBytes(plan) <= limits.maxComputeWorkgroupStorageSize;
  return fits ? plan : undefined;
}

/** Low tiles only for what is low: small tiles read everything often. */
const extentsFor = (size: number): typeof EXTENTS =>
  EXTENTS.filter(([extent]) => extent >= 16 || size <= extent).filter(
    ([extent], at, all) => at === 0 || extent === all[at - 1]![0] || all[at - 1]![0] < size,
  );

function cheapest(p: Problem, access: Access, { limits, threads }: LaunchContext): Plan {
  const direct = directPlan(p, threads ?? 64);
  let best: Plan = direct;
  const isTiny = Math.max(p.m, p.n) <= 16 || batchOf(p) * p.m * p.n * p.k <= TINY;
  let least = isTiny ? directCycles(p, direct) - SIMPLER : Infinity;
  for (const tile of tilesFor(p))
    for (const splits of SPLITS) {
      if (splits > 1 && p.k < 64 * splits) break;
      const plan = tiledPlan(p, access, limits, tile, splits);
      if (plan === undefined || (splits > 1 && plan.splits === 1)) continue;
      if (threads !== undefined && tiledThreads(plan) !== threads) continue;
      const cycles = tiledCycles(p, access, plan) + combineCycles(p, plan.splits) + PER_THREAD * tiledThreads(plan);
      if (cycles < least) [best, least] = [plan, cycles];
    }
  return best;
}

function* tilesFor({ m, n, k }: Problem): Generator<Parameters<typeof tiledPlan>[3]> {
  for (const [rows, threadRows] of extentsFor(m))
    for (const [cols, threadCols] of extentsFor(n))
      for (const slices of SLICES)
        for (const depth of DEPTHS) {
          const threads = (rows / threadRows) * (cols / threadCols) * slices;
          if (threads < 16 || 2 * slices > k + 1 || (depth > 16 && k <= depth / 2)) continue;
          yield { rows, cols, depth, threadRows, threadCols, slices };
        }
}

/** Each invocation reads all that its sums need by itself: for matrices too small to share anything. */
function directPlan(p: Problem, threads: number): TreePlan {
  const threadCols = [4, 3, 2, 1].find((cols) => p.n % cols === 0)!;
  const units = (batchOf(p) * p.m * p.n) / threadCols;
  const threadRows = p.m >= 4 && units >= BUSY / 4 ? 4 : 1;
  return { kind: "tree", lanes: 1, groups: threads, threadRows, threadCols, unroll: 1, splits: 1, kPerSplit: p.k };
}
