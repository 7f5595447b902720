import type { NDArray } from "../core/array.js";
import type { Aval } from "../core/aval.js";
import { config } from "../core/config.js";
import { getEngine } from "../core/engine.js";
import { scalarOf } from "../core/literal.js";
import { sameStructure, type TreeDef, unflatten } from "../core/tree.js";
import { concatenate, expandDims, slice, squeeze } from "../primitives/all.js";
import { type FlatArrays, flattenArrays, nameOf } from "../transforms/arguments.js";

/**
 * Control flow under `disableJit`: what is known runs as JavaScript. Functions here give undefined where that cannot be, because
 * jit is not disabled, or a value is traced, or lies where it cannot be read at once.
 */

type AnyFunction = (...args: never[]) => unknown;

/** The value of a scalar that can be read now. */
function known(x: NDArray): number | undefined {
  const c = x.concrete();
  return c && getEngine().valuesNow(c)?.[0];
}

const call = (f: AnyFunction, args: readonly unknown[], op: string): FlatArrays =>
  flattenArrays(f(...(args as never[])), `${op}: the result of ${nameOf(f)}`);

/** The result of the branch that an index, clamped, names. */
export function branchNow(
  index: NDArray,
  branches: readonly AnyFunction[],
  { leaves, def }: FlatArrays,
  op: string,
): { readonly result: unknown } | undefined {
  const k = config.disableJit ? known(index) : undefined;
  if (k === undefined) return undefined;
  const f = branches[Math.min(Math.max(k, 0), branches.length - 1)]!;
  const out = call(f, unflatten(def, leaves) as unknown[], op);
  return { result: unflatten(out.def, out.leaves) };
}

/** Rounds of a loop while its condition is known to hold: what they come to, and whether the loop has ended. */
export function whileNow(
  condFun: AnyFunction,
  bodyFun: AnyFunction,
  first: FlatArrays,
  op: string,
  maxSteps = Infinity,
): { readonly state: FlatArrays; readonly steps: number; readonly ended: boolean } {
  let state = first;
  for (let steps = 0; ; steps++) {
    if (!config.disableJit) return { state, steps, ended: false };
    if (steps >= maxSteps) return { state, steps, ended: true };
    const tree = unflatten(state.def, state.leaves);
    const holds = known(call(condFun, [tree], op).leaves[0]!);
    if (holds === undefined) return { state, steps, ended: false };
    if (holds === 0) return { state, steps, ended: true };
    state = next(bodyFun, [tree], state.def, op);
  }
}

/** The state after a round, of the structure that it has. */
function next(f: AnyFunction, args: readonly unknown[], def: TreeDef, op: string): FlatArrays {
  const out = call(f, args, op);
  sameStructure(def, out.def, `${op}: the result of ${nameOf(f)}`);
  return out;
}

/** A loop with a counter between numbers that are known. */
export function countNow(
  from: NDArray,
  to: NDArray,
  counter: Aval,
  bodyFun: AnyFunction,
  first: FlatArrays,
  op: string,
): { readonly result: unknown } | undefined {
  const [begin, end] = config.disableJit ? [known(from), known(to)] : [];
  if (begin === undefined || end === undefined) return undefined;
  let state = first;
  for (let i = begin; i < end; i++)
    state = next(bodyFun, [scalarOf(i, counter), unflatten(state.def, state.leaves)], state.def, op);
  return { result: unflatten(state.def, state.leaves) };
}

/** A scan, round by round. What no round gives is of unknown type: not for a length of 0. */
export function scanNow(
  f: AnyFunction,
  first: FlatArrays,
  xs: FlatArrays,
  length: number,
  reverse: boolean,
  op: string,
): readonly [carry: unknown, ys: unknown] | undefined {
  if (!config.disableJit || length === 0) return undefined;
  let carry: unknown = unflatten(first.def, first.leaves);
  const ys: FlatArrays[] = [];
  for (let i = 0; i < length; i++) {
    const k = reverse ? length - 1 - i : i;
    const x = unflatten(
      xs.def,
      xs.leaves.map((a) => element(a, k)),
    );
    const [state, y] = f(...([carry, x] as never[])) as [unknown, unknown];
    const after = flattenArrays(state, `${op}: the carry that ${nameOf(f)} gives`);
    sameStructure(first.def, after.def, `${op}: the carry that ${nameOf(f)} gives`);
    carry = unflatten(after.def, after.leaves);
    ys[k] = flattenArrays(y, `${op}: what ${nameOf(f)} gives to stack`);
  }
  const stacked = ys[0]!.leaves.map((_, j) =>
    concatenate(
      ys.map((y) => expandDims(y.leaves[j]!, [0])),
      0,
    ),
  );
  return [carry, unflatten(ys[0]!.def, stacked)];
}

const element = (x: NDArray, k: number): NDArray =>
  squeeze(
    slice(
      x,
      x.shape.map((_, i) => (i === 0 ? k : 0)),
      x.shape.map((n, i) => (i === 0 ? k + 1 : n)),
    ),
    [0],
  );
