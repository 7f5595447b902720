import { aval, type HostArray, hostZeros } from "../../src/core/aval.js";
import type { NDArray } from "../../src/core/array.js";
import { none, type Primitive } from "../../src/core/primitive.js";
import { bind } from "../../src/core/trace.js";

const why = "a primitive of tests";
const rules = { jvp: none(why), transpose: none(why), batch: none(why), lower: none(why) };

function map(h: HostArray, f: (v: number) => number): HostArray {
  const out = hostZeros(h.aval);
  for (let i = 0; i < out.data.length; i++) out.data[i] = f(h.data[i]!);
  return out;
}

/** x + by, for an attribute `by`. */
export const addBy: Primitive<{ readonly by: number }> = {
  ...rules,
  name: "addBy",
  abstract: ([x]) => [x!],
  evaluate: ([x], { by }) => [map(x!, (v) => v + by)],
  facts: { elementwise: true },
};

/** a + b of equal shapes, or with scalars. */
export const plus: Primitive<null> = {
  ...rules,
  name: "plus",
  abstract: ([a, b]) => [aval(a!.shape.length >= b!.shape.length ? a!.shape : b!.shape, a!.dtype)],
  evaluate([a, b]) {
    const out = hostZeros(a!.data.length >= b!.data.length ? a!.aval : b!.aval);
    const at = (h: HostArray, i: number): number => h.data[h.data.length === 1 ? 0 : i]!;
    for (let i = 0; i < out.data.length; i++) out.data[i] = at(a!, i) + at(b!, i);
    return [out];
  },
  facts: { elementwise: true },
};

export const reshaped: Primitive<{ readonly shape: readonly number[] }> = {
  ...rules,
  name: "reshaped",
  abstract: ([x], { shape }) => [aval(shape, x!.dtype)],
  evaluate: ([x], { shape }) => [{ aval: aval(shape, x!.aval.dtype), data: x!.data }],
  facts: { reshapes: true },
};

/** Fails when it runs. */
export const failing: Primitive<null> = {
  ...rules,
  name: "failing",
  abstract: ([x]) => [x!],
  evaluate() {
    throw new RangeError("boom");
  },
  facts: {},
};

export const call = <P>(p: Primitive<P>, inputs: readonly NDArray[], params: P): NDArray => bind(p, inputs, params)[0]!;
