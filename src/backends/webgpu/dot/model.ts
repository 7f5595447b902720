import type { Access, Fours } from "./access.js";
import { batchOf, ceilDiv, tileBytes, tiledThreads, type TiledPlan, type TreePlan } from "./plan.js";
import type { Problem } from "./problem.js";

/**
 * What a plan costs on a GPU of the middle class, in its cycles: good enough to rank plans, no prediction.
 *
 * A core starts 128 multiply-adds a cycle and moves 32 floats to or from workgroup memory, 8 from the cache that all cores
 * share; a workgroup that waits for memory waits LATENCY unless others run meanwhile.
 */
const CORES = 32;
const LANES = 128;
/** Invocations that run in step; a workgroup takes whole waves. */
const WAVE = 32;
const LATENCY = 600;
const BARRIER = 40;
/** Bytes from memory in a cycle, all cores together. */
const BANDWIDTH = 300;
/** Share of what is read again that comes from memory again. */
const MISSES = 0.25;
/** A dispatch that waits for the one before it. */
const LAUNCH = 30_000;
/** Workgroups, invocations, and bytes of workgroup memory that a core has at once. */
const RESIDENT_GROUPS = 16;
const RESIDENT_THREADS = 1024;
const RESIDENT_BYTES = 49_152;

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
    (WAVE * ceilDiv(threads, WAVE) * steps * step) / slices +
    steps * (rows * staging(access.a) + cols * staging(access.b)) +
    exchange +
    8 * rows * cols;
  const issue = threadRows * threadCols + 2 * (threadRows + threadCols);
  const alone = LATENCY + tiles * (LATENCY + 2 * BARRIER) + (steps / slices) * issue + (slices > 1 ? 4 * BARRIER : 0);
  const resident = residents(threads, tileBytes(plan));
  return busy(p, groups, resident, lanes / LANES, alone, groups * (rows + cols) * steps);
}

export function directCycles(p: Problem, plan: TreePlan): number {
  const { threadRows, threadCols, groups } = plan;
  const threads = ceilDiv(batchOf(p) * p.m * p.n, threadRows * threadCols);
  const step = threadRows * threadCols + 8 * (threadRows + threadCols) + 4;
  const alone = 2 * LATENCY + p.k * (step + 40);
  const loads = threads * p.k * (threadRows + threadCols);
  return busy(p, ceilDiv(threads, groups), residents(groups, 0), (groups * p.k * step) / LANES, alone, loads);
}

const residents = (threads: number, bytes: number): number =>
  Math.max(1, Math.min(RESIDENT_GROUPS, Math.floor(RESIDENT_THREADS / threads), Math.floor(RESIDENT_BYTES / bytes)));

/**
 * `resident`: workgroups that a core has at once; `work`: cycles of a core for one if it is never idle; `alone`: how long one
 * takes by itself; `loads`: elements read, by all.
 */
function busy(p: Problem, groups: number, resident: number, work: number, alone: number, loads: number): number {
  const perCore = Math.max(1, groups / CORES);
  const inputs = batchOf(p) * p.k * (p.m + p.n);
  const bytes = 4 * (inputs + MISSES * Math.max(0, loads - inputs) + batchOf(p) * p.m * p.n);
  const parts = [perCore * work, Math.max(1, perCore / resident) * alone, bytes / BANDWIDTH];
  const longest = Math.max(...parts);
  // They overlap, but not wholly.
  return longest + 0.2 * (parts.reduce((sum, part) => sum + part, 0) - longest);
}

/** The second dispatch where the summed axis is split. */
export function combineCycles(p: Problem, splits: number): number {
  if (splits === 1) return 0;
  return LAUNCH + LATENCY + (8 * splits * batchOf(p) * p.m * p.n) / BANDWIDTH;
}
