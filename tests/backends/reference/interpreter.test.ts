import { afterAll, describe, expect, test } from "vitest";
import "../../../src/runtime/install.js";
import { InterpreterBackend } from "../../../src/backends/reference/interpreter.js";
import { compile } from "../../../src/compiler/index.js";
import { aval } from "../../../src/core/aval.js";
import type { NDArray } from "../../../src/core/array.js";
import { getEngine } from "../../../src/core/engine.js";
import { hostFromJs } from "../../../src/core/from-js.js";
import { axisIndex, lit as literal, sub } from "../../../src/kernel-ir/index-expr.js";
import type { NestKernel } from "../../../src/kernel-ir/kernel.js";
import { load } from "../../../src/kernel-ir/scalar.js";
import { CompiledDevice } from "../../../src/runtime/compiled-device.js";
import { registerDevice, setDefaultDevice } from "../../../src/runtime/devices.js";
import * as p from "../../../src/primitives/all.js";
import { jit } from "../../../src/transforms/jit.js";
import { grad } from "../../../src/transforms/grad.js";

registerDevice(new CompiledDevice(new InterpreterBackend(), compile), false);
afterAll(() => setDefaultDevice("reference"));

/** Runs a function on the interpreter, eagerly and jitted, and on the reference device. */
function compare(f: (...xs: NDArray[]) => NDArray, args: readonly unknown[]): void {
  const run = (device: string, g: (...xs: NDArray[]) => NDArray): unknown => {
    setDefaultDevice(device);
    return g(...args.map((a) => getEngine().fromHost(hostFromJs(a)))).js();
  };
  const round = (v: unknown): unknown =>
    Array.isArray(v) ? v.map(round) : typeof v === "number" ? Number(v.toPrecision(5)) : v;
  const expected = round(run("reference", f));
  expect(round(run("interpreter", f))).toEqual(expected);
  expect(round(run("interpreter", jit(f)))).toEqual(expected);
}

const m = [
  [1, 2, 3],
  [4, 5, -6],
];

describe("programs of the compiler, interpreted", () => {
  test("elementwise chains", () => compare((x) => p.add(p.tanh(p.mul(x, 0.5)), p.exp(p.neg(x))), [m]));
  test("reductions", () => compare((x) => p.reduceSum(p.mul(x, x), [1]), [m]));
  test("softmax", () =>
    compare(
      (x) => {
        const shifted = p.sub(x, p.broadcastInDim(p.reduceMax(x, [1]), [2, 3], [0]));
        const e = p.exp(shifted);
        return p.div(e, p.broadcastInDim(p.reduceSum(e, [1]), [2, 3], [0]));
      },
      [m],
    ));
  test("views", () => compare((x) => p.transpose(p.reshape(p.rev(x, [1]), [3, 2]), [1, 0]), [m]));
  test("products", () =>
    compare((x, y) => p.dotGeneral(x, y, { lhsContract: [1], rhsContract: [1], lhsBatch: [], rhsBatch: [] }), [m, m]));
  test("sums along an axis", () => compare((x) => p.cumsum(x, 1), [m]));
  test("gradients", () => compare((x) => grad((y: NDArray) => p.reduceSum(p.mul(p.tanh(y), y), [0, 1]))(x), [m]));
});

describe("what is not allowed", () => {
  const backend = new InterpreterBackend();
  const n = 8;
  const i = axisIndex(0, n);
  const kernel = (from: ReturnType<typeof axisIndex>, to = i, length = n): NestKernel => ({
    kind: "nest",
    name: "k",
    buffers: [
      { type: "f32", access: "read", length },
      { type: "f32", access: "write", length },
    ],
    parallel: [n],
    reduced: [],
    sequential: false,
    slots: [],
    keeps: [],
    phases: [{ body: [{ kind: "store", buffer: 1, index: to, value: load("f32", 0, from) }], after: [] }],
  });
  const run = (k: NestKernel): Float32Array => {
    const type = { dtype: "float32" as const, bytes: 4 * n };
    const x = backend.allocate(4 * n);
    backend.write(
      x,
      Float32Array.from({ length: n }, (_, k) => k),
    );
    const y = backend.allocate(4 * n);
    const input = { kind: "input" as const, index: 0 };
    const output = { kind: "output" as const, index: 0 };
    backend
      .compile({
        name: "test",
        kernels: [k],
        functions: [
          {
            name: "test",
            inputs: [type],
            outputs: [type],
            arenaBytes: 0,
            steps: [{ kind: "launch", kernel: 0, args: [input, output] }],
            outputIsInput: [null],
            outputReusesInput: [null],
          },
        ],
      })
      .run([x], [y]);
    const out = new Float32Array(n);
    backend.readSync(y, out);
    return out;
  };
  const flipped = sub(literal(n - 1), i);

  test("elements in another order", () => {
    expect([...run(kernel(i))]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([...run(kernel(flipped))]).toEqual([7, 6, 5, 4, 3, 2, 1, 0]);
  });
  test("two points that write one element", () => {
    expect(() => run(kernel(i, literal(0)))).toThrowError(/kernel k, buffer 1, element 0/);
  });
  test("elements out of bounds", () => {
    expect(() => run(kernel(i, i, n - 1))).toThrowError(/a load outside of/);
  });
  test("memory that was freed", () => {
    const x = backend.allocate(16);
    backend.free(x);
    expect(() => backend.free(x)).toThrowError(/used after it was freed/);
  });
});

test("scalars, donation, and results that are operands", () => {
  setDefaultDevice("interpreter");
  const x = getEngine().fromHost({ aval: aval([2], "float32"), data: Float32Array.of(1, 2) });
  const f = jit((a: NDArray, s: NDArray | number) => [p.mul(a, s as NDArray), a, s as NDArray], { donateArgnums: [] });
  const [y, same, s] = f(x, 3.5) as NDArray[];
  expect([y!.js(), same!.js(), s!.js()]).toEqual([[3.5, 7], [1, 2], 3.5]);
  const g = jit((a: NDArray) => p.add(a, a), { donateArgnums: [0] });
  expect(g(y!).js()).toEqual([7, 14]);
  expect(() => y!.js()).toThrowError(/array-deleted/);
});
