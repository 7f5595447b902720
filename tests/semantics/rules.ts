import { grad, hessian, jacfwd, jit, jvp, lax, nn, numpy as np, random, vjp, vmap } from "../../src/index.js";
import type { NDArray } from "../../src/index.js";
import { controlFacts } from "./rules-control.js";
import { customFacts } from "./rules-custom.js";
import { windowFacts } from "./rules-windows.js";
import { f32, i32, scalar } from "../arrays.js";

/** One fact about JAX: a computation, and what it must give (JAX 0.10.2, CPU). */
export interface Fact {
  readonly name: string;
  /** Arrays in; called directly and under jit. */
  readonly args?: () => readonly (NDArray | number)[];
  readonly f: (...args: NDArray[]) => unknown;
  readonly expected: unknown;
  readonly rtol?: number;
  readonly atol?: number;
  /** Signs of zeros count. */
  readonly signed?: boolean;
  /** Reads values: cannot run under jit. */
  readonly eagerOnly?: boolean;
}

const f64 = (x: number | number[]): NDArray => np.array(x, { dtype: "float64" });
const sum = (x: NDArray): NDArray => np.sum(x);
type F = (x: NDArray) => NDArray;
const D =
  (f: F): F =>
  (x) =>
    jvp((u: NDArray) => f(x.add(u)), [scalar(0)], [scalar(1)])[1] as NDArray;

const derivative = (f: F, order: number): F => (order === 0 ? f : (grad(derivative(f, order - 1)) as F));

export const facts: readonly Fact[] = [
  ...controlFacts,
  ...windowFacts,
  ...customFacts,
  // perturbation confusion, higher order
  {
    name: "d/dx x·d/dy(x+y)",
    f: (x) => grad((a: NDArray) => a.mul(grad((y: NDArray) => a.add(y))(1)))(x!),
    args: () => [1],
    expected: 1,
  },
  {
    name: "d/dx x·d/dy(xy) at 3",
    f: (x) => grad((a: NDArray) => a.mul(grad((y: NDArray) => a.mul(y))(a)))(x!),
    args: () => [3],
    expected: 6,
  },
  { name: "D(D(exp))(1)", f: (x) => D(D((y) => np.exp(y)))(x!), args: () => [scalar(1)], expected: 2.7182817 },
  {
    name: "grad of a sum of vmapped gradients",
    f: (a) =>
      grad((b: NDArray) => sum(vmap((x: NDArray) => grad((y: NDArray) => b.mul(np.power(y, 3)))(x))(f32(1, 2))))(a!),
    args: () => [scalar(1)],
    expected: 15,
  },
  ...[0.786447733, -0.7268619814, -0.5652092883, 3.9522195637, -3.266686472, -36.2795402918].map(
    (expected, k): Fact => ({
      name: `derivative ${k + 1} of tanh at 0.5, float64`,
      f: (x) => derivative((y) => np.tanh(y), k + 1)(x!),
      args: () => [f64(0.5)],
      expected,
      rtol: 1e-9,
    }),
  ),
  {
    name: "Hessian of Rosenbrock at (-1.2, 1)",
    f: (x) => hessian(rosenbrock)(x!),
    args: () => [f64([-1.2, 1])],
    expected: [
      [1330, 480],
      [480, 200],
    ],
    rtol: 1e-9,
  },
  {
    name: "Hessians of Rosenbrock at (-1.2, 1) and (1, 1)",
    f: (x, y) => [hessian(rosenbrock)(x!), hessian(rosenbrock)(y!)],
    args: () => [f32(-1.2, 1), f32(1, 1)],
    expected: [
      [
        [1330, 480],
        [480, 200],
      ],
      [
        [802, -400],
        [-400, 200],
      ],
    ],
  },
  {
    name: "Hessian of Rosenbrock at (1, 1)",
    f: (x) => hessian(rosenbrock)(x!),
    args: () => [f64([1, 1])],
    expected: [
      [802, -400],
      [-400, 200],
    ],
    rtol: 1e-9,
  },
  {
    name: "jvp of jvp of vmap(sin)",
    f: (x) =>
      jvp(
        (y: NDArray) =>
          jvp(
            vmap((z: NDArray) => np.sin(z)),
            [y],
            [np.onesLike(y)],
          )[1],
        [x!],
        [np.onesLike(x!)],
      ),
    args: () => [f32(0, 1, 2)],
    expected: [
      [1, 0.5403023, -0.41614684],
      [-0, -0.84147096, -0.9092974],
    ],
    signed: true,
  },
  // kinks
  { name: "abs'(0)", f: (x) => grad((y: NDArray) => np.abs(y))(x!), args: () => [scalar(0)], expected: 1 },
  { name: "relu'(0)", f: (x) => grad((y: NDArray) => nn.relu(y))(x!), args: () => [scalar(0)], expected: 0 },
  { name: "relu6'(0)", f: (x) => grad((y: NDArray) => nn.relu6(y))(x!), args: () => [scalar(0)], expected: 0 },
  { name: "relu6'(6)", f: (x) => grad((y: NDArray) => nn.relu6(y))(x!), args: () => [scalar(6)], expected: 0 },
  {
    name: "maximum(x, 0)'(0)",
    f: (x) => grad((y: NDArray) => np.maximum(y, 0))(x!),
    args: () => [scalar(0)],
    expected: 0.5,
  },
  {
    name: "clip' at the lower bound",
    f: (x) => grad((y: NDArray) => np.clip(y, 0, 1))(x!),
    args: () => [scalar(0)],
    expected: 0.5,
  },
  {
    name: "clip' at the upper bound",
    f: (x) => grad((y: NDArray) => np.clip(y, 0, 1))(x!),
    args: () => [scalar(1)],
    expected: 0.5,
  },
  {
    name: "lax.clamp' at the bound",
    f: (x) => grad((y: NDArray) => lax.clamp(0, y, 1))(x!),
    args: () => [scalar(0)],
    expected: 0,
  },
  { name: "sqrt'(0)", f: (x) => grad((y: NDArray) => np.sqrt(y))(x!), args: () => [scalar(0)], expected: Infinity },
  { name: "cbrt'(0)", f: (x) => grad((y: NDArray) => np.cbrt(y))(x!), args: () => [scalar(0)], expected: Infinity },
  { name: "log'(0)", f: (x) => grad((y: NDArray) => np.log(y))(x!), args: () => [scalar(0)], expected: Infinity },
  {
    name: "norm' at 0",
    f: (x) => grad((y: NDArray) => np.linalg.norm(y))(x!),
    args: () => [f32(0, 0)],
    expected: [NaN, NaN],
  },
  {
    name: "std' of a constant",
    f: (x) => grad((y: NDArray) => np.std(y))(x!),
    args: () => [f32(1, 1)],
    expected: [NaN, NaN],
  },
  {
    name: "sinc''(0)",
    f: (x) => grad(grad((y: NDArray) => np.sinc(y)) as F)(x!),
    args: () => [scalar(0)],
    expected: -3.2898684,
  },
  {
    name: "mod(-5.5, 2) gradients",
    f: (x, y) => grad((a: NDArray, b: NDArray) => np.mod(a, b), [0, 1])(x!, y!),
    args: () => [scalar(-5.5), scalar(2)],
    expected: [1, 3],
  },
  // pow
  { name: "x**0 at 0", f: (x) => grad((y: NDArray) => np.power(y, 0))(x!), args: () => [scalar(0)], expected: 0 },
  {
    name: "x**0. at 0",
    f: (x) => grad((y: NDArray) => np.power(y, np.array(0)))(x!),
    args: () => [scalar(0)],
    expected: NaN,
  },
  {
    name: "pow(-2, 3.) gradients",
    f: (x, y) => grad((a: NDArray, b: NDArray) => np.power(a, b), [0, 1])(x!, y!),
    args: () => [scalar(-2), scalar(3)],
    expected: [12, NaN],
  },
  {
    name: "pow(0, .5) gradients",
    f: (x, y) => grad((a: NDArray, b: NDArray) => np.power(a, b), [0, 1])(x!, y!),
    args: () => [scalar(0), scalar(0.5)],
    expected: [Infinity, 0],
  },
  {
    name: "sum x**arange(4) at 2",
    f: (x) => grad((y: NDArray) => sum(np.power(y, np.arange(4))))(x!),
    args: () => [scalar(2)],
    expected: 17,
  },
  {
    name: "sum x**arange(4) at 0",
    f: (x) => grad((y: NDArray) => sum(np.power(y, np.arange(4))))(x!),
    args: () => [scalar(0)],
    expected: 1,
  },
  // ties and zeros
  {
    name: "max with ties",
    f: (x) => grad((y: NDArray) => np.max(y))(x!),
    args: () => [f32(1, 3, 3, 2)],
    expected: [0, 0.5, 0.5, 0],
  },
  {
    name: "cummax with ties",
    f: (x) => grad((y: NDArray) => sum(lax.cummax(y)))(x!),
    args: () => [f32(1, 3, 2, 3, 5)],
    expected: [1, 2.5, 0, 0.5, 1],
  },
  {
    name: "prod with a zero",
    f: (x) => grad((y: NDArray) => np.prod(y))(x!),
    args: () => [f32(0, 2, 3)],
    expected: [6, 0, 0],
  },
  {
    name: "Hessian of prod with zeros",
    f: (x) => hessian((y: NDArray) => np.prod(y))(x!),
    args: () => [f32(0, 0, 3)],
    expected: [
      [0, 3, 0],
      [3, 0, 0],
      [0, 0, 0],
    ],
  },
  {
    name: "cumprod with a zero",
    f: (x) => grad((y: NDArray) => sum(np.cumprod(y)))(x!),
    args: () => [f32(2, 0, 3)],
    expected: [1, 8, 0],
  },
  {
    name: "cumsum",
    f: (x) => grad((y: NDArray) => sum(np.cumsum(y)))(x!),
    args: () => [f32(1, 2, 3, 4)],
    expected: [4, 3, 2, 1],
  },
  {
    name: "sort",
    f: (x) => grad((y: NDArray) => sum(np.sort(y).mul(f32(1, 10, 100))))(x!),
    args: () => [f32(3, 1, 2)],
    expected: [100, 1, 10],
  },
  // stability at ±1000
  { name: "logsumexp", f: (x) => nn.logsumexp(x!), args: () => [f32(1000, 0, -1000)], expected: 1000 },
  {
    name: "logsumexp gradient",
    f: (x) => grad((y: NDArray) => nn.logsumexp(y))(x!),
    args: () => [f32(1000, 0, -1000)],
    expected: [1, 0, 0],
  },
  { name: "logSoftmax", f: (x) => nn.logSoftmax(x!), args: () => [f32(1000, 0, -1000)], expected: [0, -1000, -2000] },
  { name: "softplus", f: (x) => nn.softplus(x!), args: () => [f32(1000, -1000)], expected: [1000, 0] },
  {
    name: "logaddexp",
    f: (x, y) => np.logaddexp(x!, y!),
    args: () => [scalar(1000), scalar(1000)],
    expected: 1000.6932,
  },
  {
    name: "logsumexp of -inf",
    f: (x) => nn.logsumexp(x!),
    args: () => [f32(-Infinity, -Infinity)],
    expected: -Infinity,
  },
  {
    name: "logsumexp of -inf, gradient",
    f: (x) => grad((y: NDArray) => nn.logsumexp(y))(x!),
    args: () => [f32(-Infinity, -Infinity)],
    expected: [NaN, NaN],
  },
  {
    name: "softmax Jacobian, row 0",
    f: (x) => (jacfwd((y: NDArray) => nn.softmax(y))(x!) as NDArray).slice(0),
    args: () => [f32(1, 2, 3)],
    expected: [0.08192507, -0.02203305, -0.05989202],
  },
  // where
  {
    name: "where of an unsafe branch",
    f: (x) => grad((y: NDArray) => np.where(y.greater(0), np.sqrt(y), 0))(x!),
    args: () => [scalar(0)],
    expected: NaN,
  },
  {
    name: "double where",
    f: (x) => grad((y: NDArray) => np.where(y.greater(0), np.sqrt(np.where(y.greater(0), y, 1)), 0))(x!),
    args: () => [scalar(0)],
    expected: 0,
  },
  // indexing
  {
    name: "gather with repeats",
    f: (x) => grad((y: NDArray) => sum(y.slice(i32(0, 0, 2)).mul(f32(1, 10, 100))))(x!),
    args: () => [f32(1, 2, 3)],
    expected: [11, 0, 100],
  },
  {
    name: "set at duplicates",
    f: (x, y) => vjp((a: NDArray, b: NDArray) => a.at(i32(1, 1)).set(b), x!, y!)[1](f32(1, 2, 4)),
    args: () => [f32(1, 2, 3), f32(5, 6)],
    expected: [
      [1, 0, 4],
      [0, 2],
    ],
  },
  {
    name: "add at duplicates",
    f: (x, y) => vjp((a: NDArray, b: NDArray) => a.at(i32(1, 1)).add(b), x!, y!)[1](f32(1, 2, 4)),
    args: () => [f32(1, 2, 3), f32(5, 6)],
    expected: [
      [1, 2, 4],
      [2, 2],
    ],
  },
  {
    name: "a read out of bounds clamps",
    f: (i) => np.arange(10).slice(i!),
    args: () => [np.array(11, { dtype: "int32" })],
    expected: 9,
  },
  {
    name: "take out of bounds fills",
    f: (x, i) => np.take(x!, i!),
    args: () => [f32(1, 2, 3), i32(1, 7)],
    expected: [2, NaN],
  },
  {
    name: "take of ints out of bounds fills",
    f: (x, i) => np.take(x!, i!),
    args: () => [i32(1, 2, 3), i32(1, 7)],
    expected: [2, -2147483648],
  },
  {
    name: "dynamicSlice clamps its start",
    f: (x, i) => lax.dynamicSlice(x!, [i!], [3]),
    args: () => [f32(0, 1, 2, 3, 4), np.array(4, { dtype: "int32" })],
    expected: [2, 3, 4],
  },
  {
    name: "dynamicSlice gradient",
    f: (x, i) => grad((y: NDArray) => sum(lax.dynamicSlice(y, [i!], [3]).mul(f32(1, 2, 3))))(x!),
    args: () => [f32(0, 1, 2, 3, 4), np.array(4, { dtype: "int32" })],
    expected: [0, 0, 1, 2, 3],
  },
  // documentation
  {
    name: "sum_logistic",
    f: (x) => grad((y: NDArray) => sum(np.divide(1, np.exp(y.neg()).add(1))))(x!),
    args: () => [f32(0, 1, 2)],
    expected: [0.25, 0.19661197, 0.10499357],
  },
  {
    name: "grad(jit(grad(jit(grad)))) of sum_logistic",
    f: (x) => {
      const s = (y: NDArray): NDArray => sum(np.divide(1, np.exp(y.neg()).add(1)));
      return grad(jit(grad(jit(grad(s) as F)) as F))(x!);
    },
    args: () => [scalar(1)],
    expected: -0.0353256,
    rtol: 1e-5,
  },
  {
    name: "Jacobian of exp",
    f: (x) => jacfwd((y: NDArray) => np.exp(y))(x!),
    args: () => [f32(0, 1, 2)],
    expected: [
      [1, 0, 0],
      [0, 2.7182817, 0],
      [0, 0, 7.389056],
    ],
  },
  {
    name: "Hessian of sum_logistic",
    f: (x) => np.diag(hessian((y: NDArray) => sum(np.divide(1, np.exp(y.neg()).add(1))))(x!) as NDArray),
    args: () => [f32(0, 1, 2)],
    expected: [-0, -0.09085776, -0.07996249],
    rtol: 1e-5,
    atol: 1e-7,
  },
  { name: "tanh'(1)", f: (x) => grad((y: NDArray) => np.tanh(y))(x!), args: () => [scalar(1)], expected: 0.4199743 },
  { name: "tanh'''(1)", f: (x) => derivative((y) => np.tanh(y), 3)(x!), args: () => [scalar(1)], expected: 0.62162673 },
  // random bits
  ...[0, 42].flatMap((seed): Fact[] => {
    const known = {
      0: {
        split: [
          [1797259609, 2579123966],
          [928981903, 3453687069],
        ],
        bits: [4070199207, 4202968722, 1427181096, 2012915765],
        uniform: [0.947667, 0.9785799, 0.33229148, 0.46866846],
        normal: [1.6226422, 2.0252647, -0.43359444, -0.07861735],
        randint: [9, 0, 2, 3, 1],
        permutation: [0, 1, 5, 6, 4, 3, 2, 7],
        categorical: [1, 3, 2, 3, 0],
      },
      42: {
        split: [
          [1832780943, 270669613],
          [64467757, 2916123636],
        ],
        bits: [2098992034, 2919706841, 2646866425, 2409546199],
        uniform: [0.48870957, 0.6797972, 0.6162715, 0.5610161],
        normal: [-0.028304616, 0.46713185, 0.29570296, 0.15354592],
        randint: [4, 4, 1, 9, 9],
        permutation: [7, 4, 2, 5, 3, 6, 0, 1],
        categorical: [1, 3, 3, 0, 3],
      },
    }[seed]!;
    const key = (): NDArray => random.key(seed);
    return [
      { name: `split(key(${seed}))`, f: () => random.keyData(random.split(key())), expected: known.split },
      { name: `bits(key(${seed}))`, f: () => random.bits(key(), [4]), expected: known.bits },
      { name: `uniform(key(${seed}))`, f: () => random.uniform(key(), [4]), expected: known.uniform },
      {
        name: `normal(key(${seed}))`,
        f: () => random.normal(key(), [4]),
        expected: known.normal,
        rtol: 2e-6,
        atol: 1e-6,
      },
      { name: `randint(key(${seed}))`, f: () => random.randint(key(), [5], 0, 10), expected: known.randint },
      { name: `permutation(key(${seed}))`, f: () => random.permutation(key(), 8), expected: known.permutation },
      {
        name: `categorical(key(${seed}))`,
        f: () => random.categorical(key(), np.zeros([4]), { shape: [5] }),
        expected: known.categorical,
      },
    ];
  }),
  {
    name: "fold_in(k, 1) is split(k)[1]",
    f: () => random.keyData(random.foldIn(random.key(0), 1)),
    expected: [928981903, 3453687069],
  },
  { name: "normal(key(43))", f: () => random.normal(random.key(43)), expected: 0.07520543, rtol: 2e-6 },
  {
    name: "random tutorial: individually",
    f: () => vmap((k: NDArray) => random.normal(k))(random.split(random.key(42), 3)),
    expected: [0.07592554, 0.60576403, 0.4323065],
    rtol: 2e-6,
  },
  {
    name: "random tutorial: all at once",
    f: () => random.normal(random.key(42), [3]),
    expected: [-0.02830462, 0.46713185, 0.29570296],
    rtol: 2e-6,
  },
];

function rosenbrock(x: NDArray): NDArray {
  const a = x.slice(0);
  const b = x.slice(1);
  return np.add(np.square(np.subtract(1, a)), np.multiply(100, np.square(b.sub(np.square(a)))));
}
