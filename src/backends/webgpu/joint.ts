import type { Binding, Dispatch, KernelCode, Limits } from "./dispatch.js";
import type { PlacedLaunch } from "./temporaries.js";
import { foldGroups } from "./wgsl/module.js";
import { type ModulePart, type ModuleSource, printJoint } from "./wgsl/source.js";

/** A dispatch on its way: its launch, the launch's code, and the tenants that are its scratch. */
export interface Planned {
  readonly dispatch: Dispatch;
  readonly launch: PlacedLaunch;
  readonly code: KernelCode;
  readonly scratch: readonly number[];
}

/** Storage that a dispatch binds for one of its parts. */
export interface Bound {
  readonly part: Planned;
  readonly binding: Binding;
}

/** One dispatch for several launches: each of them is that of some of its workgroups. */
export interface Joint {
  readonly parts: readonly Planned[];
  readonly dispatch: Dispatch;
  /** What its bindings are. */
  readonly bound: readonly Bound[];
}

export interface JoinContext {
  readonly limits: Limits;
  /** Names what a part binds: equal for what may be one binding. */
  readonly keyOf: (bound: Bound) => string;
  /** Names the storage that a part binds a piece of, or all. */
  readonly storageOf: (bound: Bound) => string;
  /** The code of a launch for workgroups of so many invocations. */
  readonly withThreads: (part: Planned, threads: number) => KernelCode;
}

/** Bytes that may be read in excess of what launches read on their own: less than what a launch costs. */
const slack = 2 ** 20;
/** Groups that are looked at for a launch to join. */
const nearest = 8;
/** Launches that one dispatch is of. */
const most = 6;
/** Operations and bytes (as four) of what joins: work that is little beside what a launch costs. */
const little = 2e7;

const alone = (part: Planned): Joint => ({
  parts: [part],
  dispatch: part.dispatch,
  bound: part.dispatch.bindings.map((binding) => ({ part, binding })),
});

/**
 * Gives small launches that do not depend on each other one dispatch, as workgroups next to each other: a GPU does them at the
 * same time, and is asked once. A launch goes back to the first dispatch that can take it, behind all that it depends on.
 */
export function join(planned: readonly Planned[], context: JoinContext): readonly Joint[] {
  const joints: Joint[] = [];
  for (const part of planned) {
    const own = alone(part);
    let first = joints.length;
    while (first > Math.max(0, joints.length - nearest) && !dependsOn(own, joints[first - 1]!, context)) first--;
    let joined = false;
    for (let at = first; at < joints.length && !joined; at++) {
      const both = together([...joints[at]!.parts, part], context);
      if (!both) continue;
      joints[at] = both;
      joined = true;
    }
    if (!joined) joints.push(own);
  }
  return joints;
}

/** Whether one of two writes what the other reads or writes. */
function dependsOn(a: Joint, b: Joint, { storageOf }: JoinContext): boolean {
  const touched = (j: Joint, written: boolean): Set<string> =>
    new Set(j.bound.filter(({ binding }) => !written || binding.access === "read_write").map(storageOf));
  const clash = (writes: ReadonlySet<string>, all: ReadonlySet<string>): boolean =>
    [...writes].some((storage) => all.has(storage));
  return clash(touched(a, true), touched(b, false)) || clash(touched(b, true), touched(a, false));
}

const weightOf = ({ dispatch: { cost } }: Planned): number => cost.flops + 4 * (cost.loadBytes + cost.storeBytes);
const threadsOf = ({ size }: ModuleSource): number => size.reduce((a, b) => a * b, 1);
const isOne = ({ dispatches, scratch }: KernelCode): boolean => dispatches.length === 1 && scratch.length === 0;

/**
 * One dispatch for some launches, with workgroups of the size at which they read least; undefined where that cannot be, or all but
 * the largest are not little.
 */
function together(parts: readonly Planned[], context: JoinContext): Joint | undefined {
  const weights = parts.map(weightOf);
  if (weights.reduce((a, b) => a + b) - Math.max(...weights) > little) return undefined;
  const sizes = new Set(parts.map((p) => (p.dispatch.source ? threadsOf(p.dispatch.source) : 0)));
  if (parts.length > most || sizes.has(0)) return undefined;
  let best: Joint | undefined;
  let least = parts.reduce((sum, p) => sum + p.dispatch.cost.loadBytes, 0) + slack;
  for (const threads of sizes) {
    const fitted = parts.map((p) => withThreads(p, threads, context));
    if (!fitted.every((p) => p !== undefined)) continue;
    const joint = jointOf(fitted, context);
    if (joint && joint.dispatch.cost.loadBytes < least) [best, least] = [joint, joint.dispatch.cost.loadBytes];
  }
  return best;
}

function withThreads(part: Planned, threads: number, context: JoinContext): Planned | undefined {
  const { source } = part.dispatch;
  if (threadsOf(source!) === threads) return part;
  if (!isOne(part.code)) return undefined;
  const code = context.withThreads(part, threads);
  const dispatch = code.dispatches[0];
  if (!isOne(code) || !dispatch?.source || threadsOf(dispatch.source) !== threads) return undefined;
  return { ...part, code, dispatch };
}

function jointOf(parts: readonly Planned[], context: JoinContext): Joint | undefined {
  const { limits } = context;
  const storage: { element: ModuleSource["storage"][number]["element"]; written: boolean }[] = [];
  const bound: Bound[] = [];
  const known = new Map<string, number>();
  const modules = parts.map((part): ModulePart => {
    const source = part.dispatch.source!;
    const numbers = source.storage.map(({ element, written }, k) => {
      const own: Bound = { part, binding: part.dispatch.bindings[k]! };
      const key = `${element} ${context.keyOf(own)}`;
      let number = known.get(key);
      if (number === undefined) {
        number = storage.push({ element, written }) - 1;
        bound.push(own);
        known.set(key, number);
      }
      return number;
    });
    return { source, storage: numbers };
  });
  const costs = parts.map((p) => p.dispatch.cost);
  const total = (key: keyof (typeof costs)[number]): number => costs.reduce((n, cost) => n + cost[key], 0);
  const workgroupBytes = total("workgroupBytes");
  if (bound.length > limits.maxStorageBuffersPerShaderStage) return undefined;
  if (workgroupBytes > limits.maxComputeWorkgroupStorageSize) return undefined;
  const groups = parts.reduce((n, p) => n + p.dispatch.workgroups.reduce((a, b) => a * b, 1), 0);
  const workgroups = foldGroups(groups, limits.maxComputeWorkgroupsPerDimension);
  return {
    parts,
    bound,
    dispatch: {
      label: parts.map((p) => p.dispatch.label).join(" | "),
      wgsl: printJoint(modules, storage, workgroups),
      bindings: bound.map(({ binding }) => binding),
      workgroups,
      cost: { flops: total("flops"), loadBytes: total("loadBytes"), storeBytes: total("storeBytes"), workgroupBytes },
    },
  };
}
