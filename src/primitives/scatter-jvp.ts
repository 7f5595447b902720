import type { NDArray } from "../core/array.js";
import { aval } from "../core/aval.js";
import type { JvpResult, Tangent } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import { full, instantiate, ops, type PrimitiveDefinition, zerosOf } from "./define.js";
import type { ScatterParams } from "./scatter.js";

/**
 * Tangent of a scatter that sets. Of the updates of one element one wins: all get an id, the ids are scattered as well, and
 * tangents of updates and elements whose id did not survive are dropped; the rest is added together (JAX's `_scatter_jvp`).
 */
export function setJvp(
  primitive: PrimitiveDefinition<ScatterParams>,
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  p: ScatterParams,
): JvpResult {
  const [x, indices, updates] = primals as readonly [NDArray, NDArray, NDArray];
  const y = bind1(primitive, primals, p);
  const [dx, , du] = tangents as readonly [Tangent, Tangent, Tangent];
  if (isZero(dx) && isZero(du)) return { outs: [y], tangents: [new Zero(y.aval)] };
  if (p.uniqueIndices)
    return { outs: [y], tangents: [bind1(primitive, [instantiate(dx), indices, instantiate(du)], p)] };
  const ids = ops.add(ops.reshape(ops.iota("uint32", [updates.size], 0), updates.shape), 1);
  const idType = aval(x.shape, "uint32");
  const survivors = bind1(primitive, [zerosOf(idType), indices, ids], p);
  const untouched = ops.eq(survivors, 0);
  const wins = ops.eq(ids, ops.gatherBack(survivors, indices, updates.shape, p));
  const keep = (mask: NDArray, t: Tangent): NDArray =>
    isZero(t) ? instantiate(t) : ops.select(mask, t, zerosOf(t.aval));
  return {
    outs: [y],
    tangents: [ops.scatterAdd(keep(untouched, dx), indices, keep(wins, du), p.dimensionNumbers, { mode: p.mode })],
  };
}

/**
 * Tangent of a scatter that takes minima or maxima: the mean over those, updates and old element, that equal the result
 * (JAX's `_scatter_extremal_jvp`).
 */
export function extremalJvp(
  primitive: PrimitiveDefinition<ScatterParams>,
  primals: readonly NDArray[],
  tangents: readonly Tangent[],
  p: ScatterParams,
): JvpResult {
  const [x, indices, updates] = primals as readonly [NDArray, NDArray, NDArray];
  const y = bind1(primitive, primals, p);
  const [dx, , du] = tangents as readonly [Tangent, Tangent, Tangent];
  if (isZero(dx) && isZero(du)) return { outs: [y], tangents: [new Zero(y.aval)] };
  // As in JAX whatever the mode: updates out of bounds see the nearest element but do not count. So "clip" gives NaN and
  // infinities where it moved one, and other modes drop what is out of bounds again.
  const there = (a: NDArray): NDArray => ops.gatherBack(a, indices, updates.shape, p, "promiseInBounds");
  const ones = full(1, { ...updates.aval, weakType: false });
  const zeros = zerosOf({ ...updates.aval, weakType: false });
  /** How many updates of the same element are counted by `weights`, for each update. */
  const count = (weights: NDArray): NDArray =>
    there(
      ops.scatterAdd(zerosOf({ ...x.aval, weakType: false }), indices, weights, p.dimensionNumbers, { mode: "fill" }),
    );
  const results = there(y);
  const succeeds = ops.eq(updates, results);
  const retained = ops.eq(there(x), results);
  const winners = count(ops.select(succeeds, ones, zeros));
  const all = count(ones);
  const shareWithOld = ops.div(1, ops.add(winners, 1));
  const ofUpdate = ops.select(succeeds, ops.select(retained, shareWithOld, ops.div(1, winners)), zeros);
  // what the old element keeps is taken away from it once, in equal parts by all the updates that meet there
  const ofOld = ops.div(ops.sub(ops.select(retained, shareWithOld, zeros), 1), all);
  const g = instantiate(dx);
  const change = ops.add(ops.mul(there(g), ofOld), ops.mul(instantiate(du), ofUpdate));
  return { outs: [y], tangents: [ops.scatterAdd(g, indices, change, p.dimensionNumbers, { mode: p.mode })] };
}
