import type { NDArray } from "../core/array.js";
import { ConcreteArray } from "../core/array.js";
import { TracerError } from "../core/errors.js";
import { asArray } from "../core/literal.js";
import { flatten, unflatten } from "../core/tree.js";
import { currentDevice, findDevice } from "./devices.js";
import { committed, committedInPlace, storageOf } from "./placement.js";
import { Standing } from "./storage.js";

/**
 * Puts arrays on a device: one, or the leaves of a pytree. They are committed there: operations with them run there, and with
 * arrays that are committed elsewhere they are an error. What is committed there already is returned as it is. Without
 * `device`, arrays stay where they are, and numbers become arrays of the default device that are not committed.
 *
 * Arrays that were never put anywhere by name (made by np.array, np.zeros, random and so on, and what is computed of such only)
 * go along with committed ones: those made of numbers first, host data where nothing else will do. Neither happens where it
 * would mean to wait for a device: then it is an error that says so.
 * @throws TracerError `tracer-device` for traced values: a compiled function runs where its arguments lie;
 * DeviceError `async-read` for arrays of a device that can only be awaited (`devicePutAsync`).
 * @example
 * devicePut(np.ones([3]), "reference").device; // "reference"
 */
export function devicePut(x: NDArray | number | boolean, device?: string): NDArray;
export function devicePut<T>(x: T, device?: string): T;
export function devicePut(x: unknown, device?: string): unknown {
  const [leaves, def] = flatten(x);
  const target = device === undefined ? undefined : findDevice(device);
  return unflatten(
    def,
    leaves.map((leaf) => {
      const array = movable(leaf, "devicePut");
      return target === undefined ? uncommitted(array) : committed(array, target);
    }),
  );
}

/**
 * `devicePut` from every device: from a GPU to "wasm", where everything can be read at once. All leaves travel at the same time.
 * @throws as devicePut, and what failed while the arrays were computed.
 * @example
 * const y = await devicePutAsync(np.ones([3]), "wasm");
 */
export function devicePutAsync(x: NDArray | number | boolean, device?: string): Promise<NDArray>;
export function devicePutAsync<T>(x: T, device?: string): Promise<T>;
export async function devicePutAsync(x: unknown, device?: string): Promise<unknown> {
  const [leaves, def] = flatten(x);
  const target = device === undefined ? undefined : findDevice(device);
  const arrays = await Promise.all(
    leaves.map(async (leaf) => {
      const array = movable(leaf, "devicePutAsync");
      if (target === undefined) return uncommitted(array);
      return (
        committedInPlace(array, target) ??
        target.upload({ aval: array.aval, data: await storageOf(array).read() }, Standing.committed)
      );
    }),
  );
  return unflatten(def, arrays);
}

/**
 * Waits until all arrays of a tree have been computed; gives the tree itself.
 * @throws what failed while they were computed.
 * @example
 * await blockUntilReady([np.ones([2]), np.zeros([2])]); // [[1, 1], [0, 0]]
 */
export async function blockUntilReady<T>(x: T): Promise<T> {
  const [leaves] = flatten(x);
  await Promise.all(leaves.map((leaf) => (leaf instanceof ConcreteArray ? leaf.blockUntilReady() : undefined)));
  return x;
}

function movable(x: unknown, op: string): ConcreteArray {
  const array = asArray(x, op, "x");
  if (array instanceof ConcreteArray) return array;
  throw new TracerError({
    code: "tracer-device",
    message: `${op} cannot move ${array.describe()}`,
    hint: "a transformed function runs on the device of its arguments: move them before the call",
  });
}

/** An array as it is; a number as one of the default device. */
function uncommitted(x: ConcreteArray): ConcreteArray {
  const storage = storageOf(x);
  return storage.owner ? x : currentDevice().upload({ aval: x.aval, data: storage.readSync() }, Standing.data);
}
