import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ArgumentError,
  defaultDevice,
  devicePut,
  explain,
  grad,
  jit,
  makeJaxpr,
  memoryStats,
  type NDArray,
  nn,
  numpy as np,
  setDefaultDevice,
} from "../../src/index.js";

const x = np.ones([4, 8]);
const scaled = (a: NDArray): NDArray => nn.softmax(a.mul(2));

describe("on a device with a compiler", () => {
  test("every stage of what a call runs, under headings", () => {
    const { name, device, jaxpr, plan, kernels, code, toString } = explain(scaled)(x);
    expect([name, device]).toEqual(["jit(scaled)", "wasm"]);
    expect(jaxpr).toBe(String(makeJaxpr(scaled)(x)));
    expect(plan).toMatch(
      /^function main#0\(in0: float32 128B\) -> \(out0: float32 128B\), arena 0B\n {2}launch \w+#0\(in0, out0\)$/,
    );
    expect(kernels).toMatch(/^#0 nest \w+\(b0: read f32\[32\], b1: write f32\[32\]\)\n {2}rows a0<4/);
    expect(code).toMatch(/^func \w+ /);
    expect(code).toBe(jit(scaled).lower(x).compile().asText());
    const text = toString();
    expect(text).toMatch(/^jit\(scaled\) on wasm\n\n── jaxpr ──\n[^]*── plan ──\n[^]*── kernels ──\n[^]*── code ──\n/);
    for (const part of [jaxpr, plan, kernels, code]) expect(text).toContain(part);
    expect(inspect(explain(scaled)(x))).toBe(text);
  });

  test("it is what a call runs: the call compiles nothing more", () => {
    const f = jit((a: NDArray) => np.sum(np.tanh(a).mul(3)));
    explain(f)(x);
    expect(f.traceCount).toBe(1);
    const { modules } = memoryStats("wasm");
    f(x);
    expect(f.traceCount).toBe(1);
    expect(memoryStats("wasm").modules).toBe(modules);
  });

  test("gradients, static arguments, several kernels, captured arrays", () => {
    const w = np.ones([8, 3]);
    const loss = (a: NDArray): NDArray => np.sum(np.square(np.dot(a, w)));
    const { plan, kernels, jaxpr } = explain(grad(loss))(x);
    expect(kernels).toMatch(/^#1 /m);
    expect(plan).toMatch(/launch \w+#1\(/);
    expect(jaxpr).toContain("f32[8,3]");
    const power = jit((a: NDArray, n: number) => a.pow(n), { staticArgnums: 1 });
    expect(explain(power)(x, 2).jaxpr).toContain("integer_pow");
  });
});

describe("where jaxprs are interpreted", () => {
  const home = defaultDevice();
  beforeAll(() => setDefaultDevice("reference"));
  afterAll(() => setDefaultDevice(home));

  test("there is the jaxpr only", () => {
    const { device, plan, kernels, jaxpr, code, toString } = explain(scaled)(devicePut(x, "reference"));
    expect([device, plan, kernels]).toEqual(["reference", "", ""]);
    expect(code).toBe(jaxpr);
    expect(toString()).not.toContain("── plan");
  });
  test("arguments decide, not the default device", () => {
    expect(explain(scaled)(devicePut(x, "wasm")).device).toBe("wasm");
    expect(explain(() => np.arange(3))().device).toBe("reference");
  });
});

test("no function", () => {
  expect(() => explain(3 as never)).toThrowError(ArgumentError);
  expect(() => explain((a: NDArray) => a)("text" as never)).toThrowError(/string "text"/);
});
