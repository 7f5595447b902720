import { afterAll, describe, expect, it } from "vitest";
import { InterpreterBackend } from "../../src/backends/reference/interpreter.js";
import { CallPolicy } from "../../src/compiler/calls.js";
import { compile } from "../../src/compiler/index.js";
import { simplify } from "../../src/compiler/simplify.js";
import { checkJaxpr } from "../../src/core/checker.js";
import { printJaxpr } from "../../src/core/printer.js";
import type { NDArray } from "../../src/index.js";
import {
  defaultDevice,
  grad,
  jit,
  lax,
  makeJaxpr,
  nn,
  numpy as np,
  random,
  setDefaultDevice,
  tree,
  valueAndGrad,
  vmap,
} from "../../src/index.js";
import { printProgram } from "../../src/kernel-ir/printer.js";
import type { Program } from "../../src/kernel-ir/program.js";
import { verifyProgram } from "../../src/kernel-ir/verifier.js";
import { CompiledDevice } from "../../src/runtime/compiled-device.js";
import { registerDevice } from "../../src/runtime/devices.js";

type F = (...args: NDArray[]) => unknown;

const home = defaultDevice();
const interpreter = new InterpreterBackend();
const { traits } = interpreter;
registerDevice(new CompiledDevice(interpreter, compile), false);
afterAll(() => setDefaultDevice(home));

function program(f: F, ...args: NDArray[]): Program {
  const { jaxpr } = makeJaxpr(f)(...args);
  checkJaxpr(jaxpr);
  checkJaxpr(simplify(jaxpr, new CallPolicy(jaxpr)));
  const p = compile(jaxpr, { name: "main", traits });
  verifyProgram(p);
  return p;
}
const launches = (p: Program): number => p.functions[0]!.steps.filter((s) => s.kind === "launch").length;
const kinds = (p: Program): string => p.kernels.map((k) => k.kind).join(" ");

const x = np.array([
  [1, 2, 3],
  [4, 5, 6],
]);
const cube = np.arange(24).astype("float32").reshape([2, 3, 4]);
const moved = (y: NDArray): NDArray[] => [y, y.T];
const layernorm = (v: NDArray): NDArray =>
  v.sub(np.mean(v, -1, { keepdims: true })).div(np.sqrt(np.var_(v, -1, { keepdims: true }).add(1e-5)));
const attention = (q: NDArray, k: NDArray, v: NDArray): NDArray => np.matmul(nn.softmax(np.matmul(q, k.T), -1), v);
const exampleLoss = (w: NDArray, a: NDArray, y: NDArray): NDArray => {
  const z = np.dot(a, w);
  return np.sum(y.mul(z.sub(nn.logsumexp(z)))).neg();
};
const loss = (w: NDArray, a: NDArray, y: NDArray): NDArray => np.mean(vmap(exampleLoss, [null, 0, 0])(w, a, y));

describe("how few kernels programs need", () => {
  it.each<[string, F, NDArray[], number]>([
    ["an elementwise chain", (v) => np.tanh(v!).mul(2).add(np.exp(v!.neg())), [x], 1],
    ["two results of one domain", (v) => [np.sin(v!), np.cos(v!)], [x], 1],
    ["softmax along rows", (v) => nn.softmax(v!, -1), [x], 1],
    ["softmax along columns", (v) => nn.softmax(v!, 0), [x], 1],
    ["logsumexp", (v) => nn.logsumexp(v!, -1), [x], 1],
    ["layernorm", (v) => layernorm(v!), [x], 1],
    ["gradient of softmax", (v) => grad((u: NDArray) => np.sum(nn.softmax(u, -1).mul(x)))(v!), [x], 1],
    ["random.normal", (k) => random.normal(k!, [5]), [random.key(0)], 1],
    ["attention", attention as F, [x, x, x], 3],
    ["softmax-regression gradient", grad(loss) as F, [np.ones([3, 2]), x, np.ones([2, 2])], 3],
    ["a product, transposed", (v) => np.matmul(v!, np.sin(v!.T)).T, [x], 2],
    [
      "a batch of products, its axes moved",
      (v) => np.transpose(np.einsum("bij,bkj->bik", v!, v!), [1, 0, 2]),
      [cube],
      1,
    ],
    ["a product that is needed as it lies too", (v) => moved(np.matmul(v!.T, v!)), [x], 2],
    [
      "a convolution with the channels last",
      (v, w) => lax.convGeneralDilated(v!, w!, [1, 1], "VALID", { dimensionNumbers: ["NHWC", "HWIO", "NHWC"] }),
      [np.ones([2, 5, 6, 3]), np.ones([1, 1, 3, 4])],
      1,
    ],
    ["a reshape of a result", (v) => np.sin(v!).reshape([6]), [x], 1],
    ["views on the way in", (v) => np.exp(v!.T.slice([1], [])).mul(2), [x], 1],
  ])("%s", (_, f, args, expected) => {
    expect(launches(program(f, ...args))).toBe(expected);
  });

  it("needs no kernel to hand an input through", () => {
    const p = program((v) => [v!, v!.reshape([6])], x);
    expect(launches(p)).toBe(0);
    expect(p.functions[0]!.outputIsInput).toEqual([0, 0]);
  });

  it("reads transposed operands of a product where they lie", () => {
    expect(kinds(program((v) => np.matmul(v!.T, v!), x))).toBe("dot");
    expect(kinds(program(grad((w: NDArray) => np.sum(np.square(np.dot(x, w)))) as F, np.ones([3, 2])))).toBe(
      "dot nest dot",
    );
  });
});

describe("goldens", () => {
  it("simplifies", () => {
    const { jaxpr } = makeJaxpr((v: NDArray) => {
      const f = jit((u: NDArray) => np.sin(u).mul(1).add(0));
      return [f(v).neg().neg(), np.sin(v), v.T.T];
    })(x);
    expect(printJaxpr(simplify(jaxpr, new CallPolicy(jaxpr)))).toMatchSnapshot();
  });

  it("makes softmax one kernel of three phases", () => {
    expect(printProgram(program((v) => nn.softmax(v!, -1), x))).toMatchSnapshot();
  });

  it("keeps functions that are called often as functions", () => {
    let f = jit((v: NDArray) => np.sin(v).add(1));
    for (let i = 0; i < 12; i++) {
      const g = f;
      f = jit((v: NDArray) => g(g(v)));
    }
    const p = program(f as F, np.ones([2]));
    expect(p.functions.length).toBeLessThan(13);
    expect(p.functions.flatMap((fn) => fn.steps).length).toBeLessThan(64);
  });
});

describe("compiled programs, interpreted with all checks, agree with plain evaluation", () => {
  const programs: [string, F, NDArray[]][] = [
    ["normalisation", (v) => layernorm(v!), [x]],
    ["value and gradient", valueAndGrad(loss) as F, [np.ones([3, 2]).mul(0.1), x, np.ones([2, 2])]],
    ["concatenate, pad, reverse", (v) => np.flip(np.pad(np.concatenate([v!, v!.mul(2)], 0), 1), 0), [x]],
    [
      "cumulative, both ways",
      (v) => [np.cumsum(v!, 0), lax.cumprod(v!, { axis: 1, reverse: true }), lax.cumlogsumexp(v!, { axis: 1 })],
      [x],
    ],
    ["sorting", (v) => [np.sort(np.sin(v!), 1), np.argsort(np.cos(v!), 0)], [x]],
    [
      "gather and scatter",
      (v) => [v!.slice([], np.array([2, 0], { dtype: "int32" })), v!.at(np.array([0, 0], { dtype: "int32" })).add(1)],
      [x],
    ],
    [
      "contractions",
      (v) => [np.einsum("ij,kj->ik", v!, v!), np.tensordot(v!, v!, 2), np.outer(v!.slice(0), v!.slice(1))],
      [x],
    ],
    [
      "contractions whose results are moved",
      (v, c) => [
        np.matmul(v!.T, v!.add(1)).T,
        moved(np.matmul(v!, v!.T)),
        ...["ikb", "bki", "ibk", "kib", "kbi", "bik"].map((out) => np.einsum(`bij,bkj->${out}`, c!, np.sin(c!))),
        np.einsum("ij,kl->ljki", v!, v!),
        [1, 2].map((s) => np.flip(np.einsum("bij,bkj->ikb", c!, c!), s)),
      ],
      [x, cube],
    ],
    [
      "random numbers",
      () => [
        random.uniform(random.key(1), [3]),
        random.permutation(random.key(2), 7),
        random.keyData(random.split(random.key(3), 2)),
      ],
      [],
    ],
    [
      "keys",
      (v) =>
        vmap((k: NDArray) => random.normal(k, [2]))(np.flip(random.split(random.key(0), 3), 0)).add(
          v!.slice(0, [0, 2]),
        ),
      [x],
    ],
    ["empty arrays", (v) => [np.sum(v!.slice([0, 0]), 0), np.dot(np.zeros([2, 0]), np.zeros([0, 3]))], [x]],
    ["one value twice, inputs, numbers", (v) => [np.sin(v!), v!, np.sin(v!), 3, v!.reshape([6])], [x]],
    [
      "higher derivatives",
      (v) => grad((s: NDArray) => grad((t: NDArray) => np.tanh(t).mul(t))(s))(v!.slice(0, 0)),
      [x],
    ],
  ];
  it.each(programs)("%s", (_, f, args) => {
    const results = ["reference", "interpreter"].map((device) => {
      setDefaultDevice(device);
      const moved = args.map((a) => np.array(a.js() as number[], { dtype: a.dtype }));
      return tree
        .leaves(jit((...vs: NDArray[]) => f(...vs))(...moved))
        .map((y) => [(y as NDArray).dtype, (y as NDArray).shape, (y as NDArray).dataSync()] as const);
    });
    setDefaultDevice(home);
    results[0]!.forEach(([dtype, shape, data], i) => {
      const [gotType, gotShape, got] = results[1]![i]!;
      expect([gotType, gotShape]).toEqual([dtype, shape]);
      data.forEach((v, k) =>
        expect(Math.abs(Number(got[k]) - Number(v)), `result ${i}, element ${k}`).toBeLessThanOrEqual(
          1e-5 * Math.max(1, Math.abs(Number(v))),
        ),
      );
    });
  });
});
