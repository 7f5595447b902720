import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  customVjp,
  defaultDevice,
  grad,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  listDevices,
  makeJaxpr,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  vmap,
} from "../../src/index.js";
import { f32, int, scalar } from "../arrays.js";

/** What JAX refuses, and how often it traces. */

const bools = (): NDArray => np.array([true, false]);

const own = customVjp((x: NDArray) => np.sin(x)).defvjp(
  (x: NDArray) => [np.sin(x), x] as const,
  (x, g) => [np.cos(x).mul(g)],
);
const wrongArity = customVjp((x: NDArray) => np.sin(x)).defvjp((x: NDArray) => [np.sin(x), x] as const, ((
  x: NDArray,
  g: NDArray,
) => [g, x]) as never);
const whileCubed = (x: NDArray): NDArray =>
  lax.whileLoop(
    ([i]) => i.less(3),
    ([i, v]) => [i.add(1), v.mul(x)] as [NDArray, NDArray],
    [int(0), x] as [NDArray, NDArray],
  )[1];

const refusals: Readonly<Record<string, readonly [f: () => unknown, message: RegExp]>> = {
  "grad of an integer": [() => grad((x: NDArray) => x.mul(2))(int(3)), /grad-dtype/],
  "grad of a function that gives an integer": [
    () => grad((x: NDArray) => np.sign(x).astype("int32"))(scalar(3)),
    /grad/,
  ],
  "grad of a function that gives a vector": [() => grad((x: NDArray) => x.mul(2))(f32(1, 2)), /grad/],
  "jvp of a function with its own vjp": [() => jvp(own, [scalar(1)], [scalar(1)]), /forward-mode/],
  "jacfwd of a function with its own vjp": [() => jacfwd(own)(scalar(1)), /forward-mode/],
  "a backward rule that gives too much": [() => grad(wrongArity)(scalar(1)), /custom/],
  "reverse mode through a while loop": [() => grad(whileCubed)(scalar(2)), /scan[\s\S]*boundedWhile/],
  "reverse mode through a loop with traced bounds": [
    () => jit((n: NDArray, x: NDArray) => grad((y: NDArray) => lax.foriLoop(0, n, (_, v: NDArray) => v.mul(y), scalar(1)))(x))(int(3), scalar(2)), // prettier-ignore
    /boundedWhile/,
  ],
  "lax.add of float32 and int32": [() => lax.add(scalar(1), int(1)), /dtype/],
  "bool − bool": [() => bools().sub(bools()), /bool/],
  "−bool": [() => bools().neg(), /bool/],
};

describe.each(listDevices())("on %s", (device) => {
  const home = defaultDevice();
  beforeAll(() => setDefaultDevice(device));
  afterAll(() => setDefaultDevice(home));

  it.each(Object.entries(refusals))("%s throws", (_, [f, message]) => {
    expect(f).toThrow(message);
    expect(() => jit(() => f() as NDArray)()).toThrow(message);
  });

  it("branches and bodies are traced once, whatever is done with them", () => {
    const count = { yes: 0, no: 0, body: 0 };
    const f = (x: NDArray): NDArray => {
      const start = lax.cond(
        x.greater(0),
        (y: NDArray) => (count.yes++, np.sin(y)),
        (y: NDArray) => (count.no++, np.cos(y)),
        x,
      );
      return lax.scan((c: NDArray) => (count.body++, [c.mul(x), null]), start, null, { length: 5 })[0];
    };
    const compiled = jit(f);
    compiled(scalar(1));
    compiled(scalar(-1));
    expect(count).toEqual({ yes: 1, no: 1, body: 1 });
    grad(compiled)(scalar(1));
    vmap(compiled)(f32(1, -1));
    jacrev(jacfwd(compiled))(scalar(1));
    expect(count).toEqual({ yes: 1, no: 1, body: 1 });
    expect(makeJaxpr(compiled)(scalar(1)).toString()).toMatch(/scan/);
  });
});
