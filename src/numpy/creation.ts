import { ConcreteArray, type NDArray } from "../core/array.js";
import { asShape, hostZeros, type Shape } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { asDType, type DType } from "../core/dtype.js";
import { getEngine } from "../core/engine.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import { ArgumentError } from "../core/errors.js";
import * as p from "../primitives/all.js";
import { broadcastToShape } from "./broadcasting.js";
import { convert } from "./promotion.js";

/** Arrays of one value. */

export type ShapeLike = number | readonly number[];

export interface CreationOptions {
  readonly dtype?: DType | null | undefined;
  readonly device?: string | undefined;
}
interface ShapeParams extends CreationOptions {
  readonly shape: ShapeLike;
}

/** An array of one value; on a given device it is filled on the host and sent there. */
function filled(shape: Shape, value: number, dtype: DType, weakType: boolean, device: string | undefined): NDArray {
  if (device === undefined) return p.full(value, { shape, dtype, weakType });
  const host = hostZeros({ shape, dtype, weakType });
  host.data.fill(value);
  return getEngine().fromHost(host, device);
}

const shapeNames = ["shape", "dtype"] as const;
const zerosParams = /* @__PURE__ */ signature<ShapeParams>("zeros", 1, shapeNames, { byName: ["device"] });
/**
 * An array of zeros: float32 unless `dtype` says otherwise.
 *
 * @throws ShapeError `shape-invalid`; DTypeError `dtype-unsupported`; DeviceError `device-unknown`.
 * @example
 * np.zeros([2, 3]); // float32[2, 3]
 * np.zeros(2, "int32"); // [0, 0]
 */
export function zeros(shape: ShapeLike, dtype?: DType | null | CreationOptions, options?: CreationOptions): NDArray;
export function zeros(): NDArray {
  return constant("zeros", 0, zerosParams(arguments));
}

const onesParams = /* @__PURE__ */ signature<ShapeParams>("ones", 1, shapeNames, { byName: ["device"] });
/**
 * An array of ones: float32 unless `dtype` says otherwise.
 *
 * @throws ShapeError `shape-invalid`; DTypeError `dtype-unsupported`; DeviceError `device-unknown`.
 * @example
 * np.ones([2, 2], { dtype: "bool" }); // [[true, true], [true, true]]
 */
export function ones(shape: ShapeLike, dtype?: DType | null | CreationOptions, options?: CreationOptions): NDArray;
export function ones(): NDArray {
  return constant("ones", 1, onesParams(arguments));
}

const emptyParams = /* @__PURE__ */ signature<ShapeParams>("empty", 1, shapeNames, { byName: ["device"] });
/**
 * Zeros, as JAX has it: no array is ever uninitialised.
 *
 * @throws as `zeros`.
 * @example
 * np.empty([2]); // [0, 0]
 */
export function empty(shape: ShapeLike, dtype?: DType | null | CreationOptions, options?: CreationOptions): NDArray;
export function empty(): NDArray {
  return constant("empty", 0, emptyParams(arguments));
}

function constant(op: string, value: number, { shape, dtype, device }: ShapeParams): NDArray {
  return filled(asShape(shape, op), value, asDType(dtype ?? defaultFloat()), false, device);
}

interface FullParams extends ShapeParams {
  readonly fillValue: ArrayLike;
}
const fullParams = /* @__PURE__ */ signature<FullParams>("full", 2, ["shape", "fillValue", "dtype"], {
  byName: ["device"],
});
/**
 * An array filled with a value, which is broadcast to `shape`. Without `dtype` it has that of the value: a whole JS number
 * gives a weak int32, another a weak float32.
 *
 * @throws ShapeError `shape-invalid`, `shape-broadcast`; DTypeError `dtype-unsupported`; ArgumentError `device-traced` where a
 * traced value is to go to a device.
 * @example
 * np.full([2], 7); // int32[2]
 * np.full([2, 2], np.array([0.5, 1])); // [[0.5, 1], [0.5, 1]]
 */
export function full(
  shape: ShapeLike,
  fillValue: ArrayLike,
  dtype?: DType | null | CreationOptions,
  options?: CreationOptions,
): NDArray;
export function full(): NDArray {
  const { shape, fillValue, dtype, device } = fullParams(arguments);
  return fullOf("full", asShape(shape, "full"), fillValue, dtype ?? undefined, device);
}

function fullOf(
  op: string,
  shape: Shape,
  fillValue: ArrayLike,
  dtype: DType | undefined,
  device: string | undefined,
): NDArray {
  const value = asArray(fillValue, op, "fillValue");
  const known = value.ndim === 0 && value instanceof ConcreteArray ? value.storage.scalar : undefined;
  const to = dtype === undefined ? value.dtype : asDType(dtype);
  const weak = dtype === undefined && value.weakType;
  // A number that dtype does not hold as it is goes through conversion.
  if (known !== undefined && (value.dtype === to || to === "float32" || to === "float64"))
    return filled(shape, known, to, weak, device);
  const x = broadcastToShape(op, convert(value, to, weak), shape);
  if (device === undefined) return x;
  if (x instanceof ConcreteArray) return getEngine().put(x, device);
  throw new ArgumentError({
    code: "device-traced",
    message: `${op}: a traced value cannot be put on device ${device}`,
  });
}

export interface LikeOptions extends CreationOptions {
  readonly shape?: ShapeLike | null | undefined;
}
interface LikeParams extends LikeOptions {
  readonly a: ArrayLike;
}
const likeNames = ["a", "dtype", "shape"] as const;

function constantLike(op: string, value: number, { a, dtype, shape, device }: LikeParams): NDArray {
  const x = asArray(a, op, "a");
  const to = shape === undefined || shape === null ? x.shape : asShape(shape, op);
  const given = dtype ?? undefined;
  return filled(to, value, given === undefined ? x.dtype : asDType(given), given === undefined && x.weakType, device);
}

const zerosLikeParams = /* @__PURE__ */ signature<LikeParams>("zerosLike", 1, likeNames, { byName: ["device"] });
/**
 * Zeros of an array's shape and dtype, or of those given.
 *
 * @throws ShapeError `shape-invalid`; DTypeError `dtype-unsupported`.
 * @example
 * np.zerosLike(np.array([[1, 2]])); // [[0, 0]]
 */
export function zerosLike(a: ArrayLike, dtype?: DType | null | LikeOptions, options?: LikeOptions): NDArray;
export function zerosLike(): NDArray {
  return constantLike("zerosLike", 0, zerosLikeParams(arguments));
}

const onesLikeParams = /* @__PURE__ */ signature<LikeParams>("onesLike", 1, likeNames, { byName: ["device"] });
/**
 * Ones of an array's shape and dtype, or of those given.
 *
 * @throws ShapeError `shape-invalid`; DTypeError `dtype-unsupported`.
 * @example
 * np.onesLike(np.zeros([2]), "int32"); // int32[2]
 */
export function onesLike(a: ArrayLike, dtype?: DType | null | LikeOptions, options?: LikeOptions): NDArray;
export function onesLike(): NDArray {
  return constantLike("onesLike", 1, onesLikeParams(arguments));
}

const emptyLikeParams = /* @__PURE__ */ signature<LikeParams>("emptyLike", 1, likeNames, { byName: ["device"] });
/** Zeros of an array's shape and dtype. */
export function emptyLike(a: ArrayLike, dtype?: DType | null | LikeOptions, options?: LikeOptions): NDArray;
export function emptyLike(): NDArray {
  return constantLike("emptyLike", 0, emptyLikeParams(arguments));
}

interface FullLikeParams extends LikeParams {
  readonly fillValue: ArrayLike;
}
const fullLikeParams = /* @__PURE__ */ signature<FullLikeParams>("fullLike", 2, ["a", "fillValue", "dtype", "shape"], {
  byName: ["device"],
});
/**
 * An array of another's shape and dtype, or of those given, filled with a value.
 *
 * @throws ShapeError `shape-invalid`, `shape-broadcast`; DTypeError `dtype-unsupported`.
 * @example
 * np.fullLike(np.zeros([2]), 7); // [7, 7]
 */
export function fullLike(
  a: ArrayLike,
  fillValue: ArrayLike,
  dtype?: DType | null | LikeOptions,
  options?: LikeOptions,
): NDArray;
export function fullLike(): NDArray {
  const { a, fillValue, dtype, shape, device } = fullLikeParams(arguments);
  const x = asArray(a, "fullLike", "a");
  const to = shape === undefined || shape === null ? x.shape : asShape(shape, "fullLike");
  return fullOf("fullLike", to, fillValue, dtype ?? x.dtype, device);
}
