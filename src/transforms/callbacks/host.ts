import { ConcreteArray, NDArray } from "../../core/array.js";
import { type Aval, formatAval, type HostArray, hostZeros, sameShape } from "../../core/aval.js";
import { type DType, dtypeInfo, type TypedArray } from "../../core/dtype.js";
import { getEngine } from "../../core/engine.js";
import { CallbackError, type ErrorDetail, type TsaxError } from "../../core/errors.js";
import { describeValue } from "../../core/literal.js";
import { outsideStaging, refusePromise } from "../../core/trace.js";
import { flatten, leafPaths, type TreeDef, unflatten } from "../../core/tree.js";
import { nameOf } from "../arguments.js";

type AnyFunction = (...args: never[]) => unknown;

/** A function of the user's with the structure of its arguments, of which some are static. */
export interface HostCallback {
  /** What the user called: "pureCallback". */
  readonly op: string;
  readonly f: AnyFunction;
  readonly def: TreeDef;
  /** The leaves of the arguments: undefined stands for the next operand. */
  readonly leaves: readonly ({ readonly value: unknown } | undefined)[];
}

/** Results of a callback: their structure and types; undefined: whatever it gives is left alone. */
export interface HostResults {
  readonly def: TreeDef;
  readonly avals: readonly Aval[];
}

/**
 * Calls a user's function with arrays that can be read at once, and takes its results apart.
 * @throws CallbackError `callback-failed` with what it threw as its cause, `callback-result`.
 */
export function callHost(
  callback: HostCallback,
  inputs: readonly HostArray[],
  results: HostResults | undefined,
): HostArray[] {
  const { op, f, def, leaves } = callback;
  return getEngine().onHost(() => {
    let next = 0;
    const args = unflatten(
      def,
      leaves.map((leaf) => (leaf ? leaf.value : arrayOf(inputs[next++]!))),
    ) as never[];
    let result: unknown;
    try {
      result = outsideStaging(() => f(...args));
    } catch (e) {
      throw failed(op, f, e);
    }
    if (!results) return [];
    refusePromise(result, `${op}: the result of ${nameOf(f)}`);
    return takeApart(callback, result, results);
  });
}

const arrayOf = (x: HostArray): NDArray =>
  x.aval.shape.length === 0 && x.aval.dtype !== "key"
    ? getEngine().scalar(x.data[0]!, x.aval)
    : getEngine().fromHost(x);

function failed(op: string, f: AnyFunction, e: unknown): TsaxError {
  if (e instanceof CallbackError) return e;
  const what = e instanceof Error ? `${e.name}: ${e.message}` : String(e);
  return new CallbackError({
    code: "callback-failed",
    message: `${op}: ${nameOf(f)} threw ${what.split("\n")[0]}`,
    hint: "the error itself is the cause of this one",
    cause: e,
  });
}

function takeApart({ op, f }: HostCallback, result: unknown, { def, avals }: HostResults): HostArray[] {
  const [values, got] = flatten(result);
  const wrong = (details: readonly ErrorDetail[], hint: string): CallbackError =>
    new CallbackError({
      code: "callback-result",
      message: `${op}: ${nameOf(f)} must give what its result types promise`,
      details,
      hint,
    });
  if (got.key !== def.key) {
    throw wrong(
      [
        ["promised", def.key],
        ["given", got.key],
      ],
      "the result has the structure of the result types: one array, or a list or an object of arrays",
    );
  }
  const paths = leafPaths(def, "result");
  return values.map((x, i) => {
    const type = avals[i]!;
    const taken = hostOf(x, type);
    if (typeof taken !== "string") return { aval: type, data: taken };
    throw wrong(
      [
        ["at", paths[i]!],
        ["promised", formatAval(type)],
        ["given", taken],
      ],
      `give an array of exactly this type, as np.array(…, { dtype: "${type.dtype}" }) makes it; scalars may be numbers`,
    );
  });
}

/** The elements of one result; what it is, in words, where it does not fit. */
function hostOf(x: unknown, type: Aval): TypedArray | string {
  if (x instanceof NDArray) return ofArray(x, type);
  if (typeof x === "number" || typeof x === "boolean") {
    const { data } = hostZeros(type);
    if (type.shape.length > 0 || !holds(type.dtype, x)) return describeValue(x);
    data[0] = Number(x);
    return data;
  }
  if (ArrayBuffer.isView(x) && !(x instanceof DataView)) return ofTyped(x as unknown as ArrayLike<number>, type);
  return describeValue(x);
}

function holds(dtype: DType, x: number | boolean): boolean {
  if (dtype === "bool" || typeof x === "boolean") return dtype === "bool" && typeof x === "boolean";
  if (dtype === "int32") return (x | 0) === x;
  if (dtype === "uint32") return x >>> 0 === x;
  return dtype !== "key";
}

function ofArray(x: NDArray, type: Aval): TypedArray | string {
  if (!(x instanceof ConcreteArray)) return `${x.describe()}: a traced value, made while another function was traced`;
  if (!sameShape(x.shape, type.shape)) return formatAval(x.aval);
  if (!x.storage.synchronous) return `${formatAval(x.aval)} on ${x.device}, which cannot be read at once`;
  const data = x.storage.readSync();
  if (x.dtype === type.dtype) return data;
  // a bare number takes the type that is wanted
  if (!x.weakType || type.shape.length > 0) return formatAval(x.aval);
  const scalar = hostZeros(type).data;
  scalar[0] = data[0]!;
  return scalar[0] === data[0] || Number.isNaN(data[0]) || type.dtype.startsWith("float") ? scalar : formatAval(x.aval);
}

/** Elements in a typed array, in row-major order; bytes for bools. */
function ofTyped(x: ArrayLike<number>, type: Aval): TypedArray | string {
  const { data } = hostZeros(type);
  const kind = (x as object).constructor.name;
  const fits = type.dtype === "bool" ? x instanceof Uint8Array : kind === dtypeInfo[type.dtype].storage.name;
  if (!fits || type.dtype === "key" || x.length !== data.length) return `a ${kind} of ${x.length}`;
  data.set(x);
  return data;
}
