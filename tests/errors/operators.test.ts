import { afterEach, describe, expect, it } from "vitest";
import { traceDepth } from "../../src/core/trace.js";
import { ArgumentError, grad, jit, jvp, makeJaxpr, NDArray, numpy as np, TracerError, vmap } from "../../src/index.js";

/** Operators and conversions of JavaScript, applied where TypeScript would not have it. */
const operators: Readonly<Record<string, (x: never) => unknown>> = {
  "x * 2": (x) => (x as number) * 2,
  "x + 1": (x) => (x as number) + 1,
  "x - x": (x) => (x as number) - (x as number),
  "-x": (x) => -(x as number),
  "+x": (x) => +(x as number),
  "x ** 2": (x) => (x as number) ** 2,
  "x > 0": (x) => (x as number) > 0,
  "x <= 1": (x) => (x as number) <= 1,
  // eslint-disable-next-line eqeqeq -- this is what is tested
  "x == 1": (x) => (x as unknown) == 1,
  "x | 0": (x) => (x as number) | 0,
  "Math.sin(x)": (x) => Math.sin(x),
  "Math.max(x, 1)": (x) => Math.max(x, 1),
  "Number(x)": (x) => Number(x),
  "isNaN(x)": (x) => isNaN(x),
};

const templates: Readonly<Record<string, (x: never) => unknown>> = {
  "`${x}`": (x) => `${x as string}`,
  "'x = ' + x": (x) => "x = " + (x as string),
  "{ [x]: 1 }": (x) => ({ [x as string]: 1 }),
  "[1, 2][x]": (x) => [1, 2][x],
};

type Apply = (f: (x: NDArray) => NDArray) => unknown;
const transformations: Readonly<Record<string, Apply>> = {
  jit: (f) => jit(f)(np.array(1.5)),
  grad: (f) => grad(f)(1.5),
  jvp: (f) => jvp(f, [1.5], [1]),
  vmap: (f) => vmap(f)(np.array([1.5])),
  makeJaxpr: (f) => makeJaxpr(f)(1.5),
};

afterEach(() => expect(traceDepth()).toBe(0));

describe("arrays of several elements", () => {
  const x = np.array([[1, 2]]);
  it.each(Object.entries(operators))("%s throws", (_, apply) => {
    expect(() => apply(x as never)).toThrow(ArgumentError);
    expect(() => apply(x as never)).toThrow(/array-as-number[\s\S]*f32\[1,2\][\s\S]*x\.mul\(y\)/);
  });

  it("templates show elements", () => {
    expect(`${x}`).toBe("Array([[1., 2.]])");
  });
});

describe("scalars that can be read", () => {
  it("are numbers to operators, texts to templates", () => {
    const x = np.array(1.5) as never;
    expect(operators["x * 2"]!(x)).toBe(3);
    expect(operators["x > 0"]!(x)).toBe(true);
    expect(operators["x == 1"]!(x)).toBe(false);
    expect(templates["`${x}`"]!(x)).toBe("1.5");
    expect(templates["[1, 2][x]"]!(np.array(1) as never)).toBe(2);
    expect(Number(np.array(true))).toBe(1);
    expect(JSON.stringify({ x: np.array([1.5]) })).toBe('{"x":[1.5]}');
  });
});

describe.each(Object.entries(transformations))("values traced by %s", (_, transform) => {
  it.each(Object.entries({ ...operators, ...templates }))("%s throws", (_name, apply) => {
    let error: unknown;
    expect(() =>
      transform((x) => {
        try {
          apply(x as never);
        } catch (e) {
          error = e;
        }
        return x.mul(2);
      }),
    ).not.toThrow();
    expect(error).toBeInstanceOf(TracerError);
    expect((error as TracerError).code).toBe("tracer-read");
    expect((error as TracerError).message).toMatch(/traced[\s\S]*np\.where/);
  });

  it("printing shows what is known", () => {
    const printed: string[] = [];
    transform((x) => {
      printed.push(x.toString());
      return x;
    });
    expect(printed[0]).toMatch(/^Traced\(.*f32\[\]/);
  });
});

it("arrays are no numbers for TypeScript, and an object for typeof", () => {
  expect(typeof np.array(1)).toBe("object");
  expect(np.array(1)).toBeInstanceOf(NDArray);
});

it("a shape cannot be written to: it is that of all arrays of the type", () => {
  const x = np.ones([2, 3]);
  for (const made of [x, x.add(1), jit((y) => y.mul(2))(x), np.array([[1, 2, 3]]), x.reshape([3, 2])]) {
    expect(() => ((made.shape as number[])[0] = 7)).toThrow(TypeError);
    expect(() => (made.shape as number[]).reverse()).toThrow(TypeError);
  }
  expect(np.ones([2, 3]).shape).toEqual([2, 3]);
});
