import type { NDArray } from "../core/array.js";
import { type Aval, type HostArray, hostZeros, type Shape, sizeOf, stridesOf } from "../core/aval.js";
import { type DType, isFloat } from "../core/dtype.js";
import { isLinear, type JvpResult, type Primitive, type Tangent } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { isZero, Zero } from "../core/zero.js";
import { requireIndexDType, requireShape } from "./checks.js";
import { full, ops, zerosOf } from "./define.js";
import { type Accepts, extremeOf, numeric, ordered, requireAccepted } from "./elementwise/operands.js";
import { nonlinear, zeroJvp } from "./elementwise/rules.js";
import { forEachIndex } from "./host.js";
import { linearJvp, linearTranspose } from "./linear-rules.js";
import { reduceMax, reduceMin, reduceSum } from "./reduce.js";
import { definePrimitive, type PrimitiveDefinition } from "./table.js";
import {
  batchedWindows,
  batchWindows,
  dilated,
  requireWindows,
  type SlidingWindows,
  windowCounts,
  windows,
} from "./window-views.js";

/**
 * Reductions of windows: the operand's axes, of which some count windows. Padding and dilation of the operand are pads
 * before them.
 */

const reducedAval =
  (op: string, what: Accepts) =>
  (avals: readonly Aval[], w: SlidingWindows): readonly Aval[] => {
    const x = avals[0]!;
    requireAccepted(op, [x], 0, what);
    requireWindows(op, x, w);
    return [{ ...x, shape: windowCounts(x.shape, w) }];
  };

/** Calls `body` for every window, with its flat number and the flat places of its elements in the operand, in order. */
function forEachWindow(x: Shape, w: SlidingWindows, body: (window: number, places: readonly number[]) => void): void {
  const own = stridesOf(x);
  const within: number[] = [];
  forEachIndex(w.sizes, (i) =>
    within.push(w.axes.reduce((sum, axis, k) => sum + i[k]! * w.dilations[k]! * own[axis]!, 0)),
  );
  const steps = own.map((s, axis) => s * (w.strides[w.axes.indexOf(axis)] ?? 1));
  forEachIndex(windowCounts(x, w), (o, window) => {
    const first = o.reduce((sum, n, axis) => sum + n * steps[axis]!, 0);
    body(
      window,
      within.map((p) => first + p),
    );
  });
}

function foldHost(initial: (dtype: DType) => number, combine: (acc: number, x: number) => number) {
  return ([x]: readonly HostArray[], w: SlidingWindows): readonly HostArray[] => {
    const { shape, dtype } = x!.aval;
    const out = hostZeros({ ...x!.aval, shape: windowCounts(shape, w) });
    const isReal = isFloat(dtype);
    forEachWindow(shape, w, (window, places) => {
      let acc = initial(dtype);
      for (const p of places) acc = isReal ? combine(acc, x!.data[p]!) : combine(acc, x!.data[p]!) | 0;
      out.data[window] = acc;
    });
    return [out];
  };
}

/** Axes of `windows(x)` that run within windows. */
const withinAxes = (x: NDArray, w: SlidingWindows): number[] => w.axes.map((_, k) => x.ndim + k);

export const windowSumPrimitive: PrimitiveDefinition<SlidingWindows> = definePrimitive<SlidingWindows>({
  name: "reduce_window_sum",
  abstract: reducedAval("reduceWindowSum", numeric),
  evaluate: foldHost(
    () => 0,
    (acc, x) => acc + x,
  ),
  jvp: linearJvp((x, w) => windowSum(x, w)),
  transpose: linearTranspose((ct, x, w) => {
    if (sizeOf(x.shape) * ct.size === 0) return zerosOf(x);
    return windowSum(spread(ct, x.shape, w, 0), { ...w, strides: w.strides.map(() => 1) });
  }),
  batch: batchWindows(() => windowSumPrimitive),
  lower: { kind: "expand", expand: ([x], w) => [reduceSum(windows(x!, w), withinAxes(x!, w))] },
  facts: { hazards: { nan: true }, simplify: ({ axes }) => (axes.length === 0 ? { same: 0 } : null) },
});
/** Sums of windows. */
export const windowSum = (x: NDArray, w: SlidingWindows): NDArray => bind1(windowSumPrimitive, [x], w);

/**
 * One value a window put where the windows of the operand begin, `value` between them: so that window i, of the same size but
 * stride 1, holds the values of the windows that element i is in, the last one first.
 */
function spread(y: NDArray, x: Shape, w: SlidingWindows, value: number): NDArray {
  return ops.pad(
    y,
    full(value, { shape: [], dtype: y.dtype, weakType: false }),
    x.map((n, axis) => {
      const k = w.axes.indexOf(axis);
      if (k < 0) return [0, 0, 0] as const;
      const before = dilated(w.sizes[k]!, w.dilations[k]!) - 1;
      return [before, n - dilated(y.shape[axis]!, w.strides[k]!), w.strides[k]! - 1] as const;
    }),
  );
}

function extremeJvp(primitive: () => Primitive<SlidingWindows>, isMin: boolean) {
  return ([x]: readonly NDArray[], [t]: readonly Tangent[], w: SlidingWindows): JvpResult => {
    const out = bind1(primitive(), [x!], w);
    if (isZero(t) || !isFloat(out.dtype)) return { outs: [out], tangents: [new Zero(out.aval)] };
    return { outs: [out], tangents: [windowTake(t!, windowPlace(x!, { ...w, isMin }), w)] };
  };
}

function extreme(isMin: boolean): PrimitiveDefinition<SlidingWindows> {
  const self: PrimitiveDefinition<SlidingWindows> = definePrimitive<SlidingWindows>({
    name: isMin ? "reduce_window_min" : "reduce_window_max",
    abstract: reducedAval(isMin ? "reduceWindowMin" : "reduceWindowMax", ordered),
    evaluate: extremeOnHost(isMin),
    jvp: extremeJvp(() => self, isMin),
    transpose: nonlinear,
    batch: batchWindows(() => self),
    lower: {
      kind: "expand",
      expand: ([x], w) => [(isMin ? reduceMin : reduceMax)(windows(x!, w), withinAxes(x!, w))],
    },
    facts: { simplify: ({ axes }) => (axes.length === 0 ? { same: 0 } : null) },
  });
  return self;
}

const extremeOnHost =
  (isMin: boolean) =>
  ([x]: readonly HostArray[], w: SlidingWindows): readonly HostArray[] => {
    const out = hostZeros({ ...x!.aval, shape: windowCounts(x!.aval.shape, w) });
    const combine = isMin ? Math.min : Math.max;
    forEachWindow(x!.aval.shape, w, (window, places) => {
      let acc = extremeOf(x!.aval.dtype, isMin);
      for (const p of places) acc = combine(acc, x!.data[p]!);
      out.data[window] = acc;
    });
    return [out];
  };

export const windowMaxPrimitive: PrimitiveDefinition<SlidingWindows> = /* @__PURE__ */ extreme(false);
export const windowMinPrimitive: PrimitiveDefinition<SlidingWindows> = /* @__PURE__ */ extreme(true);
/** Maxima of windows; NaN where one is in the window. The first of equal elements has the derivative. */
export const windowMax = (x: NDArray, w: SlidingWindows): NDArray => bind1(windowMaxPrimitive, [x], w);
/** Minima of windows; NaN where one is in the window. The first of equal elements has the derivative. */
export const windowMin = (x: NDArray, w: SlidingWindows): NDArray => bind1(windowMinPrimitive, [x], w);

export interface PlaceParams extends SlidingWindows {
  readonly isMin: boolean;
}

/** Where in each window its first largest (or least) element is, counted in row-major order; the first NaN, if there is one. */
export const windowPlacePrimitive: PrimitiveDefinition<PlaceParams> = definePrimitive<PlaceParams>({
  name: "window_place",
  abstract: ([x], w) => {
    requireAccepted("windowPlace", [x!], 0, ordered);
    requireWindows("windowPlace", x!, w);
    return [{ shape: windowCounts(x!.shape, w), dtype: "int32", weakType: false }];
  },
  evaluate: ([x], w) => {
    const out = hostZeros({ shape: windowCounts(x!.aval.shape, w), dtype: "int32", weakType: false });
    forEachWindow(x!.aval.shape, w, (window, places) => {
      let best = 0;
      places.forEach((p, i) => {
        const [old, now] = [x!.data[places[best]!]!, x!.data[p]!];
        if ((w.isMin ? now < old : now > old) || (Number.isNaN(now) && !Number.isNaN(old))) best = i;
      });
      out.data[window] = best;
    });
    return [out];
  },
  jvp: zeroJvp(() => windowPlacePrimitive),
  transpose: nonlinear,
  batch: batchWindows(() => windowPlacePrimitive),
  lower: {
    kind: "expand",
    expand: ([x], { isMin, ...w }) => {
      const all = windows(x!, w);
      const within = withinAxes(x!, w);
      const best = spreadOver((isMin ? reduceMin : reduceMax)(all, within), all.shape);
      const equal = ops.eq(all, best);
      const isBest = isFloat(all.dtype) ? ops.or(equal, ops.ne(all, all)) : equal;
      const none = full(sizeOf(w.sizes), { shape: all.shape, dtype: "int32", weakType: false });
      return [reduceMin(ops.select(isBest, placeWithin(all.shape, w, false), none), within)];
    },
  },
  facts: { cost: 8 },
});
export const windowPlace = (x: NDArray, params: PlaceParams): NDArray => bind1(windowPlacePrimitive, [x], params);

/** A value a window, the same for all elements of it. */
const spreadOver = (y: NDArray, shape: Shape): NDArray =>
  ops.broadcastInDim(
    y,
    shape,
    y.shape.map((_, k) => k),
  );

/** For each element of `windows`, of a shape, its place in its window; reversed: counted from the end along every axis. */
function placeWithin(shape: Shape, { sizes }: SlidingWindows, reversed: boolean): NDArray {
  const first = shape.length - sizes.length;
  const strides = stridesOf(sizes);
  let place = full(0, { shape, dtype: "int32", weakType: false });
  sizes.forEach((n, k) => {
    if (n === 1) return;
    const along = ops.iota("int32", shape, first + k);
    const scalar = (value: number): NDArray => full(value, { shape: [], dtype: "int32", weakType: false });
    const step = ops.mul(reversed ? ops.sub(scalar(n - 1), along) : along, scalar(strides[k]!));
    place = ops.add(place, step);
  });
  return place;
}

const requirePlaces = (op: string, values: Shape, places: Aval): void => {
  requireIndexDType(op, places, "places");
  requireShape(values.length === places.shape.length && values.every((n, k) => n === places.shape[k]), () => ({
    code: "window-places",
    message: `${op} needs one place for each window`,
    operands: [
      ["windows", values],
      ["places", places],
    ],
  }));
};

/** Of each window the element at a place of it. */
export const windowTakePrimitive: PrimitiveDefinition<SlidingWindows> = definePrimitive<SlidingWindows>({
  name: "window_take",
  abstract: ([x, places], w) => {
    requireWindows("windowTake", x!, w);
    const shape = windowCounts(x!.shape, w);
    requirePlaces("windowTake", shape, places!);
    return [{ ...x!, shape }];
  },
  evaluate: ([x, places], w) => {
    const out = hostZeros({ ...x!.aval, shape: places!.aval.shape });
    forEachWindow(x!.aval.shape, w, (window, elements) => {
      const from = elements[places!.data[window]!];
      if (from !== undefined) out.data[window] = x!.data[from]!;
    });
    return [out];
  },
  jvp: ([x, places], [t], w) => {
    const y = windowTake(x!, places!, w);
    return { outs: [y], tangents: [isZero(t) ? new Zero(y.aval) : windowTake(t!, places!, w)] };
  },
  transpose: ([ct], [x, places], w) => [
    isZero(ct) || !isLinear(x!) ? new Zero(x!.aval) : windowPut(ct!, places as NDArray, { ...w, shape: x!.aval.shape }),
    null,
  ],
  batch: (size, [x, places], [dx, dp], w) => ({
    outs: [windowTake(ops.batchInFront(x!, dx!, size), ops.batchInFront(places!, dp!, size), batchedWindows(w, 0))],
    dims: [0],
  }),
  lower: {
    kind: "expand",
    expand: ([x, places], w) => {
      const all = windows(x!, w);
      const isTaken = ops.eq(placeWithin(all.shape, w, false), spreadOver(places!, all.shape));
      return [reduceSum(ops.select(isTaken, all, zerosOf(all.aval)), withinAxes(x!, w))];
    },
  },
  facts: { cost: 8 },
});
export const windowTake = (x: NDArray, places: NDArray, w: SlidingWindows): NDArray =>
  bind1(windowTakePrimitive, [x, places], w);

export interface PutParams extends SlidingWindows {
  /** Of the result. */
  readonly shape: Shape;
}

/** The sum, for every element of the windowed array, of the values of those windows of which it is the element at the place. */
export const windowPutPrimitive: PrimitiveDefinition<PutParams> = definePrimitive<PutParams>({
  name: "window_put",
  abstract: ([y, places], { shape, ...w }) => {
    requireWindows("windowPut", { ...y!, shape }, w);
    requirePlaces("windowPut", windowCounts(shape, w), places!);
    requirePlaces("windowPut", y!.shape, places!);
    return [{ ...y!, shape }];
  },
  evaluate: ([y, places], { shape, ...w }) => {
    const out = hostZeros({ ...y!.aval, shape });
    const sums = isFloat(y!.aval.dtype) ? new Float64Array(out.data.length) : out.data;
    forEachWindow(shape, w, (window, elements) => {
      const to = elements[places!.data[window]!];
      if (to !== undefined) sums[to] = sums[to]! + y!.data[window]!;
    });
    out.data.set(sums);
    return [out];
  },
  jvp: ([y, places], [t], params) => {
    const x = windowPut(y!, places!, params);
    return { outs: [x], tangents: [isZero(t) ? new Zero(x.aval) : windowPut(t!, places!, params)] };
  },
  transpose: ([ct], [y, places], { shape: _, ...w }) => [
    isZero(ct) || !isLinear(y!) ? new Zero(y!.aval) : windowTake(ct!, places as NDArray, w),
    null,
  ],
  batch: (size, [y, places], [dy, dp], { shape, ...w }) => ({
    outs: [
      windowPut(ops.batchInFront(y!, dy!, size), ops.batchInFront(places!, dp!, size), {
        ...batchedWindows(w, 0),
        shape: [size, ...shape],
      }),
    ],
    dims: [0],
  }),
  lower: {
    kind: "expand",
    expand: ([y, places], { shape, ...w }) => {
      if (sizeOf(shape) === 0 || y!.size === 0) return [zerosOf({ ...y!.aval, shape })];
      const closer: SlidingWindows = { ...w, strides: w.strides.map(() => 1) };
      const values = windows(spread(y!, shape, w, 0), closer);
      const isHere = ops.eq(windows(spread(places!, shape, w, -1), closer), placeWithin(values.shape, w, true));
      return [reduceSum(ops.select(isHere, values, zerosOf(values.aval)), withinAxes(y!, w))];
    },
  },
  facts: { cost: 8 },
});
export const windowPut = (y: NDArray, places: NDArray, params: PutParams): NDArray =>
  bind1(windowPutPrimitive, [y, places], params);

/** Adds each value to the first largest (or least) element of its window in `x`: what pooling transposes to. */
export const selectAndScatterAdd = (source: NDArray, x: NDArray, params: PlaceParams): NDArray => {
  const { isMin: _, ...w } = params;
  return windowPut(source, windowPlace(x, params), { ...w, shape: x.shape });
};
