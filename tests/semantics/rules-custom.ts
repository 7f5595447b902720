import {
  checkpoint,
  customJvp,
  customVjp,
  grad,
  jacfwd,
  jacrev,
  jit,
  lax,
  type NDArray,
  nn,
  numpy as np,
  random,
  vmap,
} from "../../src/index.js";
import type { Fact } from "./rules.js";
import { f32, scalar } from "../arrays.js";

/** JAX's numbers about rules of one's own, checkpoint, the autodiff cookbook and named axes. */

const square = (x: NDArray): NDArray => x.mul(x);

const log1pexp = customJvp((x: NDArray) => np.log(np.exp(x).add(1))).defjvp(([x], [t]) => [
  np.log(np.exp(x).add(1)),
  np.subtract(1, np.divide(1, np.exp(x).add(1))).mul(t),
]);
const plainLog1pexp = (x: NDArray): NDArray => np.log(np.exp(x).add(1));
const fByVjp = customVjp((x: NDArray, y: NDArray) => np.sin(x).mul(y)).defvjp(
  (x: NDArray, y: NDArray) => [np.sin(x).mul(y), [np.cos(x), np.sin(x), y] as const],
  ([c, s, y], g) => [c.mul(g).mul(y), s.mul(g)],
);
/** Two for the root of 4, by bisection; derived implicitly. */
const sqrt = (a: NDArray): NDArray =>
  lax.customRoot(
    (x: NDArray) => square(x).sub(a),
    scalar(1),
    (f: (x: NDArray) => NDArray, x0: NDArray) => lax.foriLoop(0, 20, (_, x: NDArray) => x.sub(f(x).div(x.mul(2))), x0),
    (g: (x: NDArray) => NDArray, y: NDArray) => y.div(g(scalar(1))),
  );
const sinOfSin = checkpoint((x: NDArray) => np.sin(np.sin(x)));

const inputs = (): NDArray =>
  f32(0.52, 1.12, 0.77, 0.88, -1.08, 0.15, 0.52, 0.06, -1.3, 0.74, -2.49, 1.39).reshape([4, 3]);
const targets = (): NDArray => np.array([true, true, false, true]);
const predict = (w: NDArray, b: NDArray): NDArray => nn.sigmoid(np.dot(inputs(), w).add(b));
const loss = (w: NDArray, b: NDArray): NDArray => {
  const p = predict(w, b);
  return np.sum(np.log(np.where(targets(), p, np.subtract(1, p)))).neg();
};
const cookbook = (): [NDArray, NDArray] => {
  const keys = random.split(random.key(0), 3);
  return [random.normal(keys.slice(1), [3]), random.normal(keys.slice(2), [])];
};

const overI = (f: (x: NDArray) => NDArray) => vmap(f, { axisName: "i" });
const x4 = (): NDArray => f32(0, 1, 2, 3);
const sum = (x: NDArray): NDArray => lax.psum(x, "i");

export const customFacts: readonly Fact[] = [
  { name: "log1pexp(3)", f: (x) => log1pexp(x!), args: () => [scalar(3)], expected: 3.0485873 },
  {
    name: "log1pexp'(100) without a rule",
    f: (x) => grad(plainLog1pexp)(x!),
    args: () => [scalar(100)],
    expected: NaN,
  },
  { name: "log1pexp'(100) with a rule", f: (x) => grad(log1pexp)(x!), args: () => [scalar(100)], expected: 1 },
  ...[
    ["vmap of grad", vmap(grad(log1pexp))],
    ["vmap of grad of jit", vmap(grad(jit(log1pexp)))],
    ["grad of a sum of vmap", grad((x: NDArray) => np.sum(vmap(log1pexp)(x)))],
  ].map(([how, f]): Fact => ({
    name: `log1pexp, ${how as string}`,
    f: f as Fact["f"],
    args: () => [f32(0, 1, 2)],
    expected: [0.5, 0.7310586, 0.8807971],
  })),
  {
    name: "customVjp: sin(x)·y",
    f: (x, y) => grad(fByVjp, [0, 1])(x!, y!),
    args: () => [scalar(2), scalar(3)],
    expected: [-1.2484405, 0.9092974],
  },
  { name: "customRoot: derivative of √ at 4", f: (a) => grad(sqrt)(a!), args: () => [scalar(4)], expected: 0.25 },
  {
    name: "checkpoint: sin∘sin, value and gradient",
    f: (x) => [sinOfSin(x!), grad(sinOfSin)(x!)],
    args: () => [scalar(3)],
    expected: [0.14065208, -0.98015106],
  },
  // the autodiff cookbook
  {
    name: "cookbook: weights",
    f: cookbook,
    expected: [[-2.4424558, -2.0356805, 0.20554423], 1.2956359],
    rtol: 2e-6,
  },
  { name: "cookbook: loss", f: () => loss(...cookbook()), expected: 2.9729187, rtol: 2e-6 },
  {
    name: "cookbook: gradients",
    f: () => grad(loss, [0, 1])(...cookbook()),
    expected: [[-0.433146, -0.7354605, -1.2598922], -0.69001776],
    rtol: 5e-6,
  },
  ...[jacfwd, jacrev].map((jacobian, k): Fact => ({
    name: `cookbook: ${["jacfwd", "jacrev"][k]!}, row 0`,
    f: () => {
      const [w, b] = cookbook();
      return (jacobian((v: NDArray) => predict(v, b))(w) as NDArray).slice(0);
    },
    expected: [0.05069415, 0.1091874, 0.07506633],
    rtol: 5e-6,
  })),
  // named axes under vmap
  { name: "psum", f: (x) => overI(sum)(x!), args: () => [x4()], expected: [6, 6, 6, 6] },
  { name: "pmean", f: (x) => overI((y) => lax.pmean(y, "i"))(x!), args: () => [x4()], expected: [1.5, 1.5, 1.5, 1.5] },
  { name: "pmax", f: (x) => overI((y) => lax.pmax(y, "i"))(x!), args: () => [x4()], expected: [3, 3, 3, 3] },
  { name: "pmin", f: (x) => overI((y) => lax.pmin(y, "i"))(x!), args: () => [x4()], expected: [0, 0, 0, 0] },
  {
    name: "ppermute round a ring",
    f: (x) => overI((y) => lax.ppermute(y, "i", [0, 1, 2, 3].map((k) => [k, (k + 1) % 4])))(x!), // prettier-ignore
    args: () => [x4()],
    expected: [3, 0, 1, 2],
  },
  {
    name: "ppermute to one: others get zeros",
    f: (x) => overI((y) => lax.ppermute(y.add(1), "i", [[0, 1]]))(x!),
    args: () => [x4()],
    expected: [0, 1, 0, 0],
  },
  {
    name: "psumScatter",
    f: (x) => overI((y) => lax.psumScatter(y, "i"))(x!.reshape([4, 4])),
    args: () => [np.arange(16, { dtype: "float32" })],
    expected: [24, 28, 32, 36],
  },
  {
    name: "tiled allToAll transposes",
    f: (x) => overI((y) => lax.allToAll(y, "i", 0, 0, { tiled: true }))(x!.reshape([4, 4])),
    args: () => [np.arange(16, { dtype: "float32" })],
    expected: [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => 4 * j + i)),
  },
  {
    name: "x over psum",
    f: (x) => overI((y) => y.div(sum(y)))(x!),
    args: () => [f32(1, 2, 3, 4)],
    expected: [0.1, 0.2, 0.3, 0.4],
  },
  { name: "grad of psum, inside", f: (x) => overI(grad(sum))(x!), args: () => [x4()], expected: [4, 4, 4, 4] },
  {
    name: "grad of psum squared, inside",
    f: (x) => overI(grad((y: NDArray) => square(sum(y))))(x!),
    args: () => [x4()],
    expected: [48, 48, 48, 48],
  },
  {
    name: "grad in a replicated weight, inside",
    f: (w, x) => vmap(grad((v: NDArray, y: NDArray) => v.mul(y)), { inAxes: [null, 0], axisName: "i" })(w!, x!), // prettier-ignore
    args: () => [scalar(1), x4()],
    expected: [0, 1, 2, 3],
  },
  {
    name: "grad of a sum of psum squared, outside",
    f: (x) => grad((y: NDArray) => np.sum(overI((z) => square(sum(z)))(y)))(x!),
    args: () => [x4()],
    expected: [48, 48, 48, 48],
  },
  {
    name: "grad of a replicated weight, outside",
    f: (w, x) => grad((v: NDArray) => np.sum(overI((y) => v.mul(y))(x!)))(w!),
    args: () => [scalar(1), x4()],
    expected: 6,
  },
];
