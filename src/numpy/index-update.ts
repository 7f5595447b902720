import type { NDArray } from "../core/array.js";
import { sizeOf } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { ShapeError } from "../core/errors.js";
import { type ArrayLike, asArray, lit } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { power, trueDivide } from "./arithmetic.js";
import { applyTimes, type ElementFunction, mapElements } from "./index-apply.js";
import { isMask, updateByMask } from "./index-mask.js";
import {
  boxShape,
  boxStarts,
  staysInBounds,
  gatheredShape,
  type Index,
  type IndexPlan,
  isEmptySelection,
  planIndex,
  selectedShape,
  windowPlan,
} from "./index-plan.js";
import { type OutOfBounds, primitiveMode, selectWith } from "./index-select.js";
import { convert, convertAll, expandTo, resultElementType } from "./promotion.js";

export interface UpdateOptions {
  /** Default "drop": updates that are out of bounds are left out. "clip" moves them to the nearest element. */
  readonly mode?: OutOfBounds | null | undefined;
  /** A promise that no element is updated twice. */
  readonly uniqueIndices?: boolean | undefined;
  /** A hint of no consequence here. */
  readonly indicesAreSorted?: boolean | undefined;
  /** Negative entries of index arrays count from the end (the default), else they are out of bounds. */
  readonly wrapNegativeIndices?: boolean | undefined;
}
export interface GetOptions extends UpdateOptions {
  /** For the mode "fill"; by default NaN, the least int32, the greatest uint32, true. */
  readonly fillValue?: number | boolean | null | undefined;
}

/** Updated copies of an array at an index: `x.at(i).set(v)`. Of several updates of one element all count. */
export interface IndexUpdate {
  /** The selected elements; `mode` "fill" gives `fillValue` (NaN) where the index is out of bounds, others clip. */
  get(options?: GetOptions): NDArray;
  /** Replaces the elements; of several updates of one element the last wins. */
  set(values: ArrayLike, options?: UpdateOptions): NDArray;
  /** Adds to the elements; several updates of one element all count. So with those below. */
  add(values: ArrayLike, options?: UpdateOptions): NDArray;
  /** Subtracts from the elements. */
  sub(values: ArrayLike, options?: UpdateOptions): NDArray;
  /** Multiplies the elements. */
  mul(values: ArrayLike, options?: UpdateOptions): NDArray;
  /** Divides the elements, which become floats. */
  div(values: ArrayLike, options?: UpdateOptions): NDArray;
  /** Raises the elements to powers; several of one element multiply. */
  pow(values: ArrayLike, options?: UpdateOptions): NDArray;
  /** Keeps the lesser of element and value. */
  min(values: ArrayLike, options?: UpdateOptions): NDArray;
  /** Keeps the greater of element and value. */
  max(values: ArrayLike, options?: UpdateOptions): NDArray;
  /**
   * Applies a function of one element, a scalar, to each of the elements; several times to one that the index names several
   * times. Where the index holds arrays that may do so (unless `uniqueIndices`), there is no reverse mode.
   * @throws ArgumentError `not-a-function`; ShapeError, DTypeError `apply-result` where it does not give back a scalar of the
   * array's dtype.
   */
  apply(func: ElementFunction, options?: UpdateOptions): NDArray;
  /** JAX's name of `sub`. */
  subtract(values: ArrayLike, options?: UpdateOptions): NDArray;
  /** JAX's name of `mul`. */
  multiply(values: ArrayLike, options?: UpdateOptions): NDArray;
  /** JAX's name of `div`. */
  divide(values: ArrayLike, options?: UpdateOptions): NDArray;
  /** JAX's name of `pow`. */
  power(values: ArrayLike, options?: UpdateOptions): NDArray;
}

type Update = (x: NDArray, values: ArrayLike, options: UpdateOptions, op: string) => NDArray;
type UpdateParams = UpdateOptions & { readonly values: ArrayLike };
type ApplyParams = UpdateOptions & { readonly func: ElementFunction };

const byName = ["mode", "uniqueIndices", "indicesAreSorted", "wrapNegativeIndices"] as const;
const getParams = signature<GetOptions>("at.get", 0, [], { byName: [...byName, "fillValue"] });
const applyParams = signature<ApplyParams>("at.apply", 1, ["func"], { byName });
const paramsOf = (op: string) => signature<UpdateParams>(op, 1, ["values"], { byName });
const names = ["set", "add", "sub", "mul", "div", "pow", "min", "max"] as const;
type Name = (typeof names)[number];
const jaxNames = { subtract: "sub", multiply: "mul", divide: "div", power: "pow" } as const;
const readers = new Map(
  [...names, ...(Object.keys(jaxNames) as (keyof typeof jaxNames)[])].map((name) => [name, paramsOf(`at.${name}`)]),
);

/** How an array is updated at a planned index. */
export type Updates = Readonly<Record<Name, Update>> & {
  readonly apply: (x: NDArray, func: ElementFunction, options: UpdateOptions) => NDArray;
};

/** See `IndexUpdate`. A boolean mask selects where scalars go. */
export function at(x: NDArray, ...index: readonly Index[]): IndexUpdate {
  const masked = index.some(isMask);
  const plan = masked ? undefined : planIndex(x.shape, index, "at");
  const updates: Updates = plan === undefined ? updateByMask(x, index, at) : updatesAt(plan);
  const method =
    (name: Name, called: string) =>
    (...given: unknown[]): NDArray => {
      const { values, ...options } = readers.get(called as Name)!(given);
      return updates[name](x, values, options, `at.${called}`);
    };
  return {
    get: (...given: unknown[]) => {
      const { mode, fillValue, uniqueIndices, wrapNegativeIndices } = getParams(given);
      if (plan === undefined) {
        throw new ShapeError({
          code: "mask-get",
          message: "at.get: the shape of a selection by a mask depends on its values",
          hint: "use np.where(mask, x, fill)",
        });
      }
      return selectWith(x, plan, {
        // numbers are clamped before they select, so that the derivative goes where they point
        mode: primitiveMode(mode ?? (plan.block === undefined ? "clip" : "promiseInBounds"), "at.get"),
        fillValue: fillValue == null ? undefined : Number(fillValue),
        uniqueIndices,
        wrap: wrapNegativeIndices,
      });
    },
    apply: (...given: unknown[]) => {
      const { func, ...options } = applyParams(given);
      return updates.apply(x, func, options);
    },
    ...(Object.fromEntries(names.map((name) => [name, method(name, name)])) as Record<Name, IndexUpdate["set"]>),
    ...(Object.fromEntries(Object.entries(jaxNames).map(([called, name]) => [called, method(name, called)])) as Record<
      keyof typeof jaxNames,
      IndexUpdate["set"]
    >),
  };
}

type Combine = (x: NDArray, y: NDArray) => NDArray;

function updatesAt(plan: IndexPlan): Updates {
  const update =
    (scatter: typeof p.scatter, combine: Combine, prepare: (y: NDArray) => NDArray = (y) => y): Update =>
    (x, values, options, op) => {
      const [target, y] = convertAll([x, values], resultElementType(op, [x, values])) as [NDArray, NDArray];
      return convert(into(target, prepare(y), plan, scatter, combine, options, op), x.dtype, x.weakType);
    };
  const mul = update(p.scatterMul, p.mul);
  /** Extremes, of booleans as integers. */
  const extreme = (scatter: typeof p.scatter, combine: Combine): Update => {
    const ofNumbers = update(scatter, combine);
    return (x, values, options, op) => {
      const y = asArray(values, op, "values");
      if (x.dtype !== "bool" || y.dtype !== "bool") return ofNumbers(x, values, options, op);
      return convert(ofNumbers(convert(x, "int32"), convert(y, "int32"), options, op), "bool");
    };
  };
  /** As JAX: the array combined with ones that were multiplied by the values. */
  const withOnes =
    (combine: (x: NDArray, y: NDArray) => NDArray): Update =>
    (x, values, options, op) =>
      combine(x, mul(p.full(1, { ...x.aval, weakType: false }), values, options, op));
  return {
    set: (x, values, options, op) => {
      const y = p.convertElementType(asArray(values, op, "values"), x.dtype);
      return convert(
        into(x, y, plan, p.scatter, (_, v) => v, options, op),
        x.dtype,
        x.weakType,
      );
    },
    add: update(p.scatterAdd, p.add),
    sub: update(p.scatterAdd, p.add, p.neg),
    mul,
    div: withOnes(trueDivide),
    pow: withOnes(power),
    min: extreme(p.scatterMin, p.min),
    max: extreme(p.scatterMax, p.max),
    apply: (x, func, options) => applyAt(x, plan, func, options),
  };
}

/** Whether two of an index's vectors can name one element: where there are several that arrays decide. */
const namesTwice = (plan: IndexPlan): boolean => plan.block !== undefined && sizeOf(plan.block) > 1;

/** Elements that no two index vectors can name are taken out, changed and put back; of others is counted how often. */
function applyAt(x: NDArray, plan: IndexPlan, func: ElementFunction, options: UpdateOptions): NDArray {
  const op = "at.apply";
  if (!namesTwice(plan) || options.uniqueIndices === true) {
    const old = selectWith(x, plan, { mode: "clip", wrap: options.wrapNegativeIndices });
    const updated = mapElements(op, func, old);
    return into(x, updated, plan, p.scatter, (_, v) => v, options, op);
  }
  const zeros = p.full(0, { shape: x.shape, dtype: "int32", weakType: false });
  const counts = into(zeros, lit(1, "int32"), plan, p.scatterAdd, p.add, options, op);
  return applyTimes(op, func, x, counts);
}

/** Updates by scattering; where one box is selected, by cutting it out, combining and putting it back. */
function into(
  x: NDArray,
  values: NDArray,
  plan: IndexPlan,
  scatter: typeof p.scatter,
  combine: Combine,
  { mode, uniqueIndices = false, wrapNegativeIndices = true }: UpdateOptions,
  op: string,
): NDArray {
  const outOfBounds = primitiveMode(mode ?? "drop", op);
  const spread = asUpdates(values, plan, op);
  if (isEmptySelection(plan)) return x;
  const starts = staysInBounds(plan, wrapNegativeIndices) ? boxStarts(plan) : undefined;
  if (starts) {
    const box = boxShape(plan);
    const old = p.slice(
      x,
      starts,
      starts.map((s, k) => s + box[k]!),
    );
    const updated = combine(old, p.reshape(spread, box));
    const whole = box.every((n, k) => n === x.shape[k]);
    return whole
      ? updated
      : p.dynamicUpdateSlice(
          x,
          updated,
          starts.map((s) => lit(s, "int32")),
        );
  }
  const { indices, indexed, dropped, windows } = windowPlan(plan, wrapNegativeIndices);
  return scatter(
    x,
    indices,
    p.reshape(spread, gatheredShape(plan)),
    { updateWindowDims: windows, insertedWindowDims: dropped, scatterDimsToOperandDims: indexed },
    { mode: outOfBounds, uniqueIndices: uniqueIndices || !namesTwice(plan) },
  );
}

/** Values broadcast to what the index selects. */
function asUpdates(y: NDArray, plan: IndexPlan, op: string): NDArray {
  const shape = selectedShape(plan);
  const offset = shape.length - y.ndim;
  if (offset < 0 || !y.shape.every((n, k) => n === 1 || n === shape[k + offset])) {
    throw new ShapeError({
      code: "update-shape",
      message: `${op}: the values do not broadcast to what the index selects`,
      details: [
        ["selected", `[${shape.join(",")}]`],
        ["values", `[${y.shape.join(",")}]`],
      ],
    });
  }
  return expandTo(y, shape);
}
