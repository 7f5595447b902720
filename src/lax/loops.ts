import type { NDArray } from "../core/array.js";
import { type Aval, formatAval } from "../core/aval.js";
import { isInteger } from "../core/dtype.js";
import { ArgumentError, DTypeError, TreeError } from "../core/errors.js";
import { evalJaxpr } from "../core/interpreter.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { type ArrayLike, asArray, lit, scalarOf } from "../core/literal.js";
import { memoize } from "../core/memo.js";
import { bind } from "../core/trace.js";
import { TreeDef, unflatten } from "../core/tree.js";
import type { ArraysOf, NextState, Structure } from "../core/types.js";
import { add, convertElementType, lt } from "../primitives/all.js";
import { flattenArrays, nameOf, requireFunction } from "../transforms/arguments.js";
import { scanPrimitive } from "../transforms/control/scan.js";
import { stageClosed, widen } from "../transforms/control/shared.js";
import { stageCarrying, stageFunction, type StagedFunction } from "../transforms/control/staging.js";
import { whilePrimitive } from "../transforms/control/while.js";

import { countNow, whileNow } from "./uncompiled.js";

const resultOf = ({ closed, outDef }: StagedFunction): { readonly def: TreeDef; readonly avals: Aval[] } => ({
  def: outDef,
  avals: closed.jaxpr.outs.map((a) => a.aval),
});

/**
 * Repeats `state = bodyFun(state)` while `condFun(state)` holds; both are staged once.
 *
 * The state is a pytree that keeps its structure and types; a number in it takes the type that the body gives it. Under `vmap`
 * examples stop one by one. Forward mode works; reverse mode needs to know how many rounds there are at most: `lax.scan`,
 * `lax.foriLoop` between numbers, or `lax.boundedWhile`.
 * @throws TreeError `carry-type`, `while-condition`; TransformError `no-rule` in reverse mode.
 * @example
 * lax.whileLoop((v) => v.less(100), (v) => v.mul(3), 1); // 243
 */
export function whileLoop<C extends Structure>(
  condFun: (state: NoInfer<ArraysOf<C>>) => ArrayLike,
  bodyFun: (state: NoInfer<ArraysOf<C>>) => NextState<C>,
  initVal: C,
): NoInfer<ArraysOf<C>> {
  requireFunction(condFun, "lax.whileLoop");
  requireFunction(bodyFun, "lax.whileLoop");
  const first = flattenArrays(initVal, "lax.whileLoop: the initial state");
  const now = whileNow(condFun, bodyFun, first, "lax.whileLoop");
  if (now.ended) return unflatten(first.def, now.state.leaves) as ArraysOf<C>;
  const args = new TreeDef({ kind: "list" }, [first.def]);
  const { staged, init } = stageCarrying(
    now.state.leaves,
    first.def,
    (avals) => stageFunction(bodyFun, args, avals, "lax.whileLoop"),
    resultOf,
    "lax.whileLoop",
  );
  const avals = init.map((x) => x.aval);
  const condition = stageCondition(condFun, args, avals, "lax.whileLoop");
  const [a, b] = [condition.closed, staged.closed];
  const own = (list: readonly unknown[]): null[] => list.map(() => null);
  const types = (list: readonly NDArray[]): Aval[] => list.map((x) => x.aval);
  const outs = bind(whilePrimitive, [...a.consts, ...b.consts, ...init], {
    condition: widen(a.jaxpr, [...own(a.consts), ...types(b.consts), ...own(init)]),
    body: widen(b.jaxpr, [...types(a.consts), ...own(b.consts), ...own(init)]),
    consts: a.consts.length + b.consts.length,
  });
  return unflatten(first.def, outs) as ArraysOf<C>;
}

/** Stages a condition: one bool scalar. @throws TreeError `while-condition`. */
export function stageCondition(
  f: (state: never) => unknown,
  args: TreeDef,
  avals: readonly Aval[],
  op: string,
): StagedFunction {
  const staged = stageFunction(f, args, avals, `${op}: condition`);
  const outs = staged.closed.jaxpr.outs.map((a) => a.aval);
  const out = outs[0];
  if (staged.outDef.node.kind === "leaf" && out?.dtype === "bool" && out.shape.length === 0) return staged;
  throw new TreeError({
    code: "while-condition",
    message: `${op}: ${nameOf(f)} must give one bool scalar`,
    details: [["got", `${staged.outDef.key}  ${outs.map(formatAval).join(", ")}`]],
    hint: "np.all and np.any make one predicate of many; compare numbers, as in x.notEqual(0)",
  });
}

/** The body of a loop with a counter as the first of its carry. */
const counting = memoize((jaxpr: Jaxpr, consts: number): Jaxpr => {
  const avals = jaxpr.inVars.map((v) => v.aval);
  return stageClosed(
    (args) => [add(args[consts]!, scalarOf(1, avals[consts]!)), ...evalJaxpr(jaxpr, args)],
    avals,
    "lax.foriLoop",
  );
});

/** Whether a counter is below a bound: the constants of the body, then the bound; the counter, then the state. */
const below = memoize((jaxpr: Jaxpr, consts: number): Jaxpr => {
  const avals = jaxpr.inVars.map((v) => v.aval);
  const types = [...avals.slice(0, consts), avals[consts]!, ...avals.slice(consts)];
  return stageClosed((args) => [lt(args[consts + 1]!, args[consts]!)], types, "lax.foriLoop");
});

/**
 * `for (i = lower; i < upper; i++) val = bodyFun(i, val)`, staged once.
 *
 * Bounds that are numbers make a loop of known length, which has reverse mode; bounds that are arrays a `whileLoop`.
 * @throws TreeError `carry-type`, ArgumentError `loop-bounds`.
 * @example
 * lax.foriLoop(0, 3, (i, x) => x.mul(2).add(i), 1); // 12
 */
export function foriLoop<C extends Structure>(
  lower: ArrayLike,
  upper: ArrayLike,
  bodyFun: (i: NDArray, val: NoInfer<ArraysOf<C>>) => NextState<C>,
  initVal: C,
): NoInfer<ArraysOf<C>> {
  requireFunction(bodyFun, "lax.foriLoop");
  const from = boundOf(lower, "lower");
  const to = boundOf(upper, "upper");
  const known = knownBound(from) !== undefined && knownBound(to) !== undefined;
  const type: Aval = known || (from.aval.weakType && to.aval.weakType) ? counterType : strongest(from.aval, to.aval);
  const first = flattenArrays(initVal, "lax.foriLoop: the initial value");
  const now = countNow(from, to, type, bodyFun, first, "lax.foriLoop");
  if (now) return now.result as ArraysOf<C>;
  const args = new TreeDef({ kind: "list" }, [leafDef, first.def]);
  const { staged, init } = stageCarrying(
    first.leaves,
    first.def,
    (avals) => stageFunction(bodyFun, args, [type, ...avals], "lax.foriLoop"),
    resultOf,
    "lax.foriLoop",
  );
  const { jaxpr, consts } = staged.closed;
  const body = counting(jaxpr, consts.length);
  if (known) {
    const begin = knownBound(from)!;
    const outs = bind(scanPrimitive, [...consts, scalarOf(begin, type), ...init], {
      jaxpr: body,
      length: Math.max(0, knownBound(to)! - begin),
      reverse: false,
      consts: consts.length,
      carry: init.length + 1,
    });
    return unflatten(first.def, outs.slice(1)) as ArraysOf<C>;
  }
  const [a, b] = [from, to].map((x) => (x.dtype === type.dtype ? x : convertElementType(x, type.dtype)));
  const outs = bind(whilePrimitive, [...consts, b!, a!, ...init], {
    condition: below(jaxpr, consts.length),
    body: widen(body, [...consts.map(() => null), b!.aval, ...[a, ...init].map(() => null)]),
    consts: consts.length + 1,
  });
  return unflatten(first.def, outs.slice(1)) as ArraysOf<C>;
}

const leafDef = new TreeDef({ kind: "leaf" }, []);
/** The counter of a loop between numbers is a number. */
const counterType: Aval = { shape: [], dtype: "int32", weakType: true };

const strongest = (a: Aval, b: Aval): Aval => ({ ...(a.weakType ? b : a), weakType: false });

/** A bound that is a number, or an array that holds one on the host. */
const knownBound = (x: NDArray): number | undefined => x.concrete()?.storage.scalar;

function boundOf(x: ArrayLike, name: string): NDArray {
  if (typeof x === "number" && !Number.isInteger(x)) {
    throw new ArgumentError({ code: "loop-bounds", message: `lax.foriLoop: ${name} must be a whole number, got ${x}` });
  }
  const bound = typeof x === "boolean" ? lit(Number(x), "int32") : asArray(x, "lax.foriLoop", name);
  if (bound.ndim !== 0 || !isInteger(bound.dtype)) {
    throw new DTypeError({
      code: "loop-bounds",
      message: `lax.foriLoop: ${name} must be an integer scalar`,
      details: [["got", formatAval(bound.aval)]],
    });
  }
  return bound;
}
