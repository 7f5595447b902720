import type { NDArray } from "../core/array.js";
import { formatAval } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { ArgumentError, ShapeError, TreeError } from "../core/errors.js";
import { describeValue } from "../core/literal.js";
import { bind } from "../core/trace.js";
import { leafPaths, TreeDef, unflatten } from "../core/tree.js";
import type { ArraysOf, NextState, Structure } from "../core/types.js";
import { flattenArrays, nameOf, requireFunction } from "../transforms/arguments.js";
import { scanPrimitive } from "../transforms/control/scan.js";
import { stageCarrying, stageFunction, type StagedFunction } from "../transforms/control/staging.js";
import { unrolledScan } from "../transforms/control/unroll.js";

import { scanNow } from "./uncompiled.js";

export interface ScanOptions {
  /** Number of rounds, where `xs` has no arrays. */
  readonly length?: number;
  /** From the last element to the first. */
  readonly reverse?: boolean;
  /** Rounds of the body that are written out in each round of the loop; true: all of them. */
  readonly unroll?: number | boolean;
}

type Body = (carry: never, x: never) => unknown;

const scanParams = signature<{ f: Body; init: unknown; xs: unknown } & ScanOptions>(
  "lax.scan",
  2,
  ["f", "init", "xs", "length", "reverse", "unroll"],
  { trees: 3 },
);

/**
 * Runs a function over the leading axis of arrays while it carries state along: `[carry, y] = f(carry, x)` for each element,
 * giving the last carry and the ys stacked. The function is staged once, however many rounds there are.
 *
 * Carry, xs and ys are pytrees; `xs` may be null where `length` is given. The carry keeps its structure and types; a number in
 * it takes the type that `f` gives it.
 * @throws TreeError `carry-type`, `scan-result`; ShapeError `scan-length`; ArgumentError `scan-length`, `scan-unroll`.
 * @example
 * lax.scan((c, x) => [c.add(x), c.add(x)], 0, np.arange(5)); // [10, [0, 1, 3, 6, 10]]
 */
export function scan<C extends Structure, X extends Structure, Y extends Structure>(
  f: (carry: NoInfer<ArraysOf<C>>, x: NoInfer<ArraysOf<X>>) => readonly [carry: NextState<C>, y: Y],
  init: C,
  xs?: X,
  options?: ScanOptions,
): [carry: ArraysOf<C>, ys: ArraysOf<Y>];
export function scan(...given: unknown[]): unknown {
  const { f, init, xs = null, length: wanted, reverse = false, unroll = 1 } = scanParams(given);
  requireFunction(f, "lax.scan");
  const first = flattenArrays(init, "lax.scan: the initial carry");
  const elements = flattenArrays(xs, "lax.scan: xs");
  const length = lengthOf(elements.leaves, elements.def, wanted);
  const now = scanNow(f, first, elements, length, reverse === true, "lax.scan");
  if (now) return now;
  const slices = elements.leaves.map(({ aval }) => ({ ...aval, shape: aval.shape.slice(1) }));
  const args = new TreeDef({ kind: "list" }, [first.def, elements.def]);
  const { staged, init: carry } = stageCarrying(
    first.leaves,
    first.def,
    (avals) => stageFunction(f, args, [...avals, ...slices], "lax.scan"),
    (s) => carryOf(s, f),
    "lax.scan",
  );
  const { jaxpr, consts } = staged.closed;
  const params = { jaxpr, length, reverse, consts: consts.length, carry: carry.length };
  const operands = [...consts, ...carry, ...elements.leaves];
  const rounds = unrollOf(unroll, length);
  const outs = rounds > 1 ? unrolledScan(operands, params, rounds) : bind(scanPrimitive, operands, params);
  const yDef = staged.outDef.children[1]!;
  return [unflatten(first.def, outs.slice(0, carry.length)), unflatten(yDef, outs.slice(carry.length))];
}

function carryOf(
  { closed, outDef }: StagedFunction,
  f: Body,
): { readonly def: TreeDef; readonly avals: NDArray["aval"][] } {
  if (outDef.node.kind !== "list" || outDef.children.length !== 2) {
    throw new TreeError({
      code: "scan-result",
      message: `lax.scan: ${nameOf(f)} must return a list of two, the next carry and what to stack`,
      details: [["got", outDef.key]],
      hint: "return [carry, y]; [carry, null] where nothing is stacked",
    });
  }
  const def = outDef.children[0]!;
  return { def, avals: closed.jaxpr.outs.slice(0, def.numLeaves).map((a) => a.aval) };
}

function lengthOf(xs: readonly NDArray[], def: TreeDef, wanted: unknown): number {
  if (
    wanted !== undefined &&
    wanted !== null &&
    (typeof wanted !== "number" || !Number.isInteger(wanted) || wanted < 0)
  ) {
    throw new ArgumentError({
      code: "scan-length",
      message: `lax.scan: length must be a whole number, got ${describeValue(wanted)}`,
    });
  }
  const lengths = xs.map((x) => x.shape[0]);
  const length = (wanted as number | null | undefined) ?? lengths[0];
  if (length === undefined && xs.length === 0) {
    throw new ArgumentError({
      code: "scan-length",
      message: "lax.scan: xs has no arrays, and no length is given",
      hint: "lax.scan(f, init, null, {length: 10})",
    });
  }
  if (length === undefined || lengths.some((n) => n !== length)) {
    throw new ShapeError({
      code: "scan-length",
      message: "lax.scan: the arrays of xs must have one leading axis of the same length",
      details: [
        ...leafPaths(def, "xs").map((path, i) => [path, formatAval(xs[i]!.aval)] as const),
        ...(wanted === undefined || wanted === null ? [] : [["length", String(wanted as number)] as const]),
      ],
      hint: "what is the same for all rounds is captured by the function, or goes into the carry",
    });
  }
  return length;
}

function unrollOf(unroll: unknown, length: number): number {
  if (unroll === true) return Math.max(length, 1);
  if (unroll === false) return 1;
  if (typeof unroll !== "number" || !Number.isInteger(unroll) || unroll < 1) {
    throw new ArgumentError({
      code: "scan-unroll",
      message: `lax.scan: unroll must be a positive whole number or a boolean, got ${describeValue(unroll)}`,
    });
  }
  return Math.max(1, Math.min(unroll, length));
}
