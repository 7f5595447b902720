import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { currentStaging, traceDepth } from "../../src/core/trace.js";
import {
  checkGrads,
  defaultDevice,
  evalShape,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  linearTranspose,
  listDevices,
  makeJaxpr,
  memoryStats,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  ShapeError,
  valueAndGrad,
  vjp,
  vjpAux,
  vmap,
} from "../../src/index.js";

type F = (x: NDArray) => NDArray;

let v: NDArray;
let scalar: NDArray;

/** Each transformation, applied to a function and called: the result for f(x) = sum(x·x), whose nested numbers must come. */
const transformations: Readonly<Record<string, readonly [apply: (f: F) => unknown, expected: unknown]>> = {
  jit: [(f) => jit(f)(v), 14],
  lower: [(f) => jit(f).lower(v).compile()(v), 14],
  grad: [(f) => grad(f)(v), [2, 4, 6]],
  valueAndGrad: [(f) => valueAndGrad(f)(v)[1], [2, 4, 6]],
  jvp: [(f) => jvp(f, [v], [v])[1], 28],
  vjp: [(f) => vjp(f, v)[1](1)[0], [2, 4, 6]],
  vjpAux: [(f) => vjpAux((x: NDArray) => [f(x), x] as const, v)[1](1)[0], [2, 4, 6]],
  linearize: [(f) => linearize(f, v)[1](v), 28],
  linearTranspose: [(f) => linearTranspose((x: NDArray) => f(v).mul(x), scalar)(scalar)[0], 28],
  vmap: [(f) => vmap(f)(np.stack([v, v])), [14, 14]],
  jacfwd: [(f) => jacfwd(f)(v), [2, 4, 6]],
  jacrev: [(f) => jacrev(f)(v), [2, 4, 6]],
  hessian: [(f) => hessian(f)(scalar), 2],
  makeJaxpr: [(f) => np.array(makeJaxpr(f)(v).jaxpr.outs.length), 1],
  evalShape: [(f) => np.array(evalShape(f, v).shape), []],
  checkGrads: [(f) => (checkGrads(f, [scalar], { modes: ["rev"], order: 1 }), np.array(1)), 1],
  "jit of grad": [(f) => jit(grad(f))(v), [2, 4, 6]],
  "grad of jit": [(f) => grad(jit(f))(v), [2, 4, 6]],
  "vmap of grad of jit": [
    (f) => vmap(grad(jit(f)))(np.stack([v, v])),
    [
      [2, 4, 6],
      [2, 4, 6],
    ],
  ],
  "jit of vmap": [(f) => jit(vmap(f))(np.stack([v, v])), [14, 14]],
  "grad of grad": [(f) => grad((x: NDArray) => np.sum(grad(f)(x)))(v), [2, 2, 2]],
  "jvp of vjp": [(f) => jvp((x: NDArray) => vjp(f, x)[1](1)[0], [v], [v])[1], [2, 4, 6]],
};

const squares: F = (x) => np.sum(x.mul(x));
const elements = (x: unknown): unknown => (x as NDArray).js();

class UserError extends Error {}

const home = defaultDevice();
afterAll(() => setDefaultDevice(home));
afterEach(() => {
  expect(traceDepth()).toBe(0);
  expect(currentStaging()).toBeUndefined();
});

describe.each(listDevices())("functions that throw on %s", (device) => {
  beforeAll(() => {
    setDefaultDevice(device);
    v = np.array([1, 2, 3]);
    scalar = np.array(2);
  });

  describe.each(Object.entries(transformations))("%s", (_, [apply, expected]) => {
    it("passes the user's own error on, and leaves everything as it was", () => {
      const mine = new UserError("mine");
      let seen = 0;
      const throwing: F = (x) => {
        seen++;
        np.sum(x.mul(x));
        throw mine;
      };
      expect(() => apply(throwing)).toThrow(mine);
      expect(seen).toBe(1);
      expect(traceDepth()).toBe(0);
      expect(elements(apply(squares))).toEqual(expected);
    });

    it("keeps nothing of a first call that failed", () => {
      let broken = true;
      const f: F = (x) => {
        if (broken) throw new UserError("the first time");
        return squares(x);
      };
      expect(() => apply(f)).toThrow(UserError);
      broken = false;
      expect(elements(apply(f))).toEqual(expected);
    });

    it("may fail and be caught inside", () => {
      const f: F = (x) => {
        try {
          jit(
            grad((y: NDArray) =>
              np
                .ones([6])
                .add(np.ones([7, 5]))
                .mul(y),
            ),
          )(x);
        } catch (e) {
          expect(e).toBeInstanceOf(ShapeError);
          expect((e as ShapeError).details.map(([, what]) => what).join()).toMatch(/\[7,5\]/);
        }
        return squares(x);
      };
      expect(elements(apply(f))).toEqual(expected);
    });
  });

  it("failed calls leave no program behind", () => {
    const fail = (): void => {
      expect(() =>
        jit((x: NDArray) => {
          np.sin(x);
          throw new UserError("always");
        })(v),
      ).toThrow(UserError);
    };
    fail();
    const { programs, modules } = memoryStats(device);
    for (let k = 0; k < 20; k++) fail();
    expect(memoryStats(device)).toMatchObject({ programs, modules });
  });
});
