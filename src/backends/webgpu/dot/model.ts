import type { Access, Fours } from "./access.js";
import { batchOf, ceilDiv, tiledThreads, type TiledPlan, type TreePlan } from "./plan.js";
import type { Problem } from "./problem.js";

/**
 * What a plan costs on a GPU of the middle class, in its cycles: good enough to rank plans, no prediction.
 *
 * A core starts 128 multiply-adds a cycle and moves 32 floats to or from workgroup memory, 8 from the cache that all cores
 * share; a workgroup that waits for memory waits LATENCY unless others run meanwhile.
 */
const CORES = 32;
const LANES = 128;
const LATENCY = 600;
const BARRIER = 40;
/** Bytes from memory in a cycle, all cores together. */
const BANDWIDTH = 300;
/** A dispatch that waits for the one before it. */
const LAUNCH = 30_000;
/** Workgroups, and invocations, that a core has at once. */
const RESIDENT_GROUPS = 16;
const RESIDENT_THREADS = 1024;

/** Lane-cycles of an element on its way from storage to workgroup memory. */
const staging = (fours: Fours): number => (fours === "none" ? 20 : 16);

export function tiledCycles(p: Problem, access: Access, plan: TiledPlan): number {
  const { rows, cols, depth, threadRows, threadCols, slices, splits, kPerSplit } = plan;
  const groups = batchOf(p) * ceilDiv(p.m, rows) * ceilDiv(p.n, cols) * splits;
  const threads = tiledThreads(plan);
  const tiles = ceilDiv(kPerSplit, depth);
  const steps = tiles * depth;
  // A vector of four from workgroup memory takes a lane as long as sixteen multiply-adds.
  const step = Math.max(threadRows * threadCols, 4 * (threadRows + threadCols));
  const exchange = slices > 1 ? 8 * slices * rows * cols : 0;
  const lanes =
    (threads * steps * step) / slices +
    steps * (rows * staging(access.a) + cols * staging(access.b)) +
    exchange +
    8 * rows * cols;
  const issue = threadRows * threadCols + 2 * (threadRows + threadCols);
  const alone = LATENCY + tiles * (LATENCY + 2 * BARRIER) + (steps / slices) * issue + (slices > 1 ? 4 * BARRIER : 0);
  return busy(groups, threads, lanes / LANES, alone, p);
}

export function directCycles(p: Problem, plan: TreePlan): number {
  const { threadRows, threadCols, groups } = plan;
  const threads = ceilDiv(batchOf(p) * p.m * p.n, threadRows * threadCols);
  const step = threadRows * threadCols + 8 * (threadRows + threadCols) + 4;
  const alone = 2 * LATENCY + p.k * (step + 40);
  return busy(ceilDiv(threads, groups), groups, (groups * p.k * step) / LANES, alone, p);
}

/** `work`: cycles of a core for one workgroup if it is never idle; `alone`: how long one workgroup takes by itself. */
function busy(groups: number, threads: number, work: number, alone: number, p: Problem): number {
  const perCore = Math.max(1, groups / CORES);
  const resident = Math.min(RESIDENT_GROUPS, Math.max(1, Math.floor(RESIDENT_THREADS / threads)));
  const compulsory = (4 * batchOf(p) * (p.m * p.k + p.k * p.n + p.m * p.n)) / BANDWIDTH;
  const parts = [perCore * work, Math.max(1, perCore / resident) * alone, compulsory];
  const longest = Math.max(...parts);
  // They overlap, but not wholly.
  return longest + 0.2 * (parts.reduce((sum, part) => sum + part, 0) - longest);
}

/** The second dispatch where the summed axis is split. */
export function combineCycles(p: Problem, splits: number): number {
  if (splits === 1) return 0;
  return LAUNCH + LATENCY + (8 * splits * batchOf(p) * p.m * p.n) / BANDWIDTH;
}
