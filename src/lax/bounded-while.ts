import type { NDArray } from "../core/array.js";
import type { Aval } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { ArgumentError } from "../core/errors.js";
import { evalJaxpr } from "../core/interpreter.js";
import type { Jaxpr } from "../core/jaxpr.js";
import { type ArrayLike, describeValue } from "../core/literal.js";
import { bind } from "../core/trace.js";
import { TreeDef, unflatten } from "../core/tree.js";
import type { ArraysOf, NextState, Structure } from "../core/types.js";
import { convertElementType } from "../primitives/all.js";
import { flattenArrays, requireFunction } from "../transforms/arguments.js";
import { checkpoint } from "../transforms/checkpoint/checkpoint.js";
import { condPrimitive } from "../transforms/control/cond.js";
import { scanPrimitive } from "../transforms/control/scan.js";
import { stageClosed, widen } from "../transforms/control/shared.js";
import { stageCarrying, stageFunction } from "../transforms/control/staging.js";
import { stageCondition } from "./loops.js";
import { whileNow } from "./uncompiled.js";

export interface BoundedWhileOptions {
  /** The loop ends after so many rounds, though the condition may still hold. */
  readonly maxSteps: number;
}

type AnyFunction = (...args: never[]) => unknown;

const params = signature<{ condFun: AnyFunction; bodyFun: AnyFunction; initVal: unknown } & BoundedWhileOptions>(
  "lax.boundedWhile",
  4,
  ["condFun", "bodyFun", "initVal", "maxSteps"],
  { trees: 3 },
);

/**
 * A `whileLoop` of at most `maxSteps` rounds, which has reverse mode.
 *
 * Rounds go in blocks of about the square root of `maxSteps`, each a checkpoint: reverse mode keeps the states between blocks
 * and computes a block again when it comes to it. What comes after the end of the loop is skipped, block by block.
 * @throws as `whileLoop`; ArgumentError `max-steps`.
 * @example
 * const root = (a) => lax.boundedWhile((x) => np.abs(x.mul(x).sub(a)).greater(1e-6), (x) => x.add(a.div(x)).mul(0.5), a, { maxSteps: 20 });
 * const slope = grad(root)(4); // 0.25
 */
export function boundedWhile<C extends Structure>(
  condFun: (state: NoInfer<ArraysOf<C>>) => ArrayLike,
  bodyFun: (state: NoInfer<ArraysOf<C>>) => NextState<C>,
  initVal: C,
  options: BoundedWhileOptions,
): NoInfer<ArraysOf<C>>;
export function boundedWhile(...given: unknown[]): unknown {
  const { condFun, bodyFun, initVal, maxSteps } = params(given);
  requireFunction(condFun, "lax.boundedWhile");
  requireFunction(bodyFun, "lax.boundedWhile");
  if (typeof maxSteps !== "number" || !Number.isInteger(maxSteps) || maxSteps < 0) {
    throw new ArgumentError({
      code: "max-steps",
      message: `lax.boundedWhile: maxSteps must be a whole number, got ${describeValue(maxSteps)}`,
    });
  }
  const first = flattenArrays(initVal, "lax.boundedWhile: the initial state");
  const now = whileNow(condFun, bodyFun, first, "lax.boundedWhile", maxSteps);
  if (now.ended) return unflatten(first.def, now.state.leaves);
  const args = new TreeDef({ kind: "list" }, [first.def]);
  const { staged, init } = stageCarrying(
    now.state.leaves,
    first.def,
    (avals) => stageFunction(bodyFun, args, avals, "lax.boundedWhile"),
    (s) => ({ def: s.outDef, avals: s.closed.jaxpr.outs.map((a) => a.aval) }),
    "lax.boundedWhile",
  );
  const avals = init.map((x) => x.aval);
  const [a, b] = [stageCondition(condFun, args, avals, "lax.boundedWhile").closed, staged.closed];
  const own = (list: readonly unknown[]): null[] => list.map(() => null);
  const types = (list: readonly NDArray[]): Aval[] => list.map((x) => x.aval);
  const blocks = blocksOf(
    widen(a.jaxpr, [...own(a.consts), ...types(b.consts), ...own(init)]),
    widen(b.jaxpr, [...types(a.consts), ...own(b.consts), ...own(init)]),
    a.consts.length + b.consts.length,
    maxSteps - now.steps,
  );
  const consts = [...a.consts, ...b.consts];
  const run = (state: readonly NDArray[], jaxpr: Jaxpr, length: number): readonly NDArray[] =>
    bind(scanPrimitive, [...consts, ...state], {
      jaxpr,
      length,
      reverse: false,
      consts: consts.length,
      carry: init.length,
    });
  const state = blocks.reduce((now, { jaxpr, times }) => run(now, jaxpr, times), init);
  return unflatten(first.def, state);
}

interface Block {
  /** Some rounds, if the condition holds. */
  readonly jaxpr: Jaxpr;
  readonly times: number;
}

const known = new WeakMap<Jaxpr, WeakMap<Jaxpr, Map<number, readonly Block[]>>>();

function blocksOf(condition: Jaxpr, body: Jaxpr, consts: number, maxSteps: number): readonly Block[] {
  const ofCondition = known.get(condition) ?? new WeakMap<Jaxpr, Map<number, readonly Block[]>>();
  known.set(condition, ofCondition);
  const ofBody = ofCondition.get(body) ?? new Map<number, readonly Block[]>();
  ofCondition.set(body, ofBody);
  let blocks = ofBody.get(maxSteps);
  if (!blocks) {
    const size = Math.max(1, Math.ceil(Math.sqrt(maxSteps)));
    const rest = maxSteps % size;
    blocks = [
      { jaxpr: block(condition, body, consts, size), times: Math.floor(maxSteps / size) },
      ...(rest > 0 ? [{ jaxpr: block(condition, body, consts, rest), times: 1 }] : []),
    ];
    ofBody.set(maxSteps, blocks);
  }
  return blocks;
}

/** So many rounds of which each is done if the condition holds, if it holds at all. */
function block(condition: Jaxpr, body: Jaxpr, consts: number, size: number): Jaxpr {
  const step = guarded(condition, consts, body);
  const rounds = stageClosed(
    (args) =>
      checkpoint((...xs: readonly NDArray[]) => [
        ...bind(scanPrimitive, xs, {
          jaxpr: step,
          length: size,
          reverse: false,
          consts,
          carry: body.outs.length,
        }),
      ])(...args),
    body.inVars.map((v) => v.aval),
    "lax.boundedWhile",
  );
  return guarded(condition, consts, rounds);
}

/** A function of constants and state where the condition holds, else the state as it is. */
function guarded(condition: Jaxpr, consts: number, body: Jaxpr): Jaxpr {
  const idle: Jaxpr = { ...body, eqns: [], outs: body.inVars.slice(consts), effects: new Set() };
  return stageClosed(
    (args) => {
      const [holds] = evalJaxpr(condition, args);
      return bind(condPrimitive, [convertElementType(holds!, "int32"), ...args], { branches: [idle, body] });
    },
    body.inVars.map((v) => v.aval),
    "lax.boundedWhile",
  );
}
