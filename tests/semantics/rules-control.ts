import {
  grad,
  hessian,
  jacfwd,
  jit,
  jvp,
  lax,
  linearize,
  type NDArray,
  numpy as np,
  vjp,
  vmap,
} from "../../src/index.js";
import type { Fact } from "./rules.js";
import { f32, i32, int, scalar } from "../arrays.js";

/** JAX's numbers about loops and branches, and about derivatives in every order and nesting. */

type F = (x: NDArray) => NDArray;

const cubed = (x: NDArray): NDArray =>
  lax.whileLoop(
    ([i]) => i.less(3),
    ([i, v]) => [i.add(1), v.mul(x)] as [NDArray, NDArray],
    [0, scalar(1)] as [number, NDArray],
  )[1];
const rounds = (c: NDArray): [NDArray, NDArray] =>
  lax.scan((x: NDArray) => [x.mul(c), x], scalar(1), null, { length: 4 });
const product = (xs: NDArray): NDArray => lax.scan((y: NDArray, x: NDArray) => [y.mul(x), null], scalar(1), xs)[0];
const collatz = (n: NDArray): NDArray =>
  lax.whileLoop(
    ([m]) => m.notEqual(1),
    ([m, k]) => [np.where(m.mod(2).equal(0), m.floorDivide(2), m.mul(3).add(1)), k.add(1)] as [NDArray, NDArray],
    [n, int(0)] as [NDArray, NDArray],
  )[1];
const root = (x: NDArray): NDArray =>
  lax.cond(
    x.greater(0),
    (v: NDArray) => np.sqrt(v),
    (v: NDArray) => v.mul(0),
    x,
  );
const recurrent = (w: NDArray): NDArray =>
  np.sum(lax.scan((h: NDArray) => [np.tanh(h.mul(w)), null], f32(1, 2), null, { length: 3 })[0]);

/** Derivatives in one direction, forward or reverse. */
const forward =
  (f: F): F =>
  (x) =>
    jvp(f, [x], [np.onesLike(x)])[1];
const reverse =
  (f: F): F =>
  (x) =>
    grad(f)(x);
const nests = (f: F, order: number): F[] =>
  order === 0 ? [f] : nests(f, order - 1).flatMap((g) => [forward(g), reverse(g)]);
const tanh = [0.786447733, -0.7268619814, -0.5652092883, 3.9522195637, -3.266686472, -36.2795402918];

export const controlFacts: readonly Fact[] = [
  {
    name: "while_loop x³ at 2: jvp",
    f: (x) => jvp(cubed, [x!], [scalar(1)]),
    args: () => [scalar(2)],
    expected: [8, 12],
  },
  {
    name: "while_loop x³ at 2: linearize",
    f: (x) => linearize(cubed, x!)[1](1),
    args: () => [scalar(2)],
    expected: 12,
  },
  {
    name: "fori_loop x³ at 2, static bounds: gradient",
    f: (x) => grad((y: NDArray) => lax.foriLoop(0, 3, (_, v: NDArray) => v.mul(y), scalar(1)))(x!),
    args: () => [scalar(2)],
    expected: 12,
  },
  {
    name: "scan c·x four times: gradient",
    f: (c) => grad((d: NDArray) => rounds(d)[0])(c!),
    args: () => [scalar(2)],
    expected: 32,
  },
  {
    name: "scan c·x four times: gradient of Σys",
    f: (c) => grad((d: NDArray) => np.sum(rounds(d)[1]))(c!),
    args: () => [scalar(2)],
    expected: 17,
  },
  {
    name: "scan c·x four times: third derivative",
    f: (c) => grad(grad(grad((d: NDArray) => rounds(d)[0]) as F) as F)(c!),
    args: () => [scalar(2)],
    expected: 48,
  },
  {
    name: "scan's Hessian over xs",
    f: (xs) => hessian(product)(xs!),
    args: () => [f32(2, 3, 4)],
    expected: [
      [0, 4, 3],
      [4, 0, 2],
      [3, 2, 0],
    ],
  },
  {
    name: "jacfwd of while v < 100: v·x",
    f: (x) => jacfwd((y: NDArray) => lax.whileLoop((v) => v.less(100), (v) => v.mul(y), y))(x!), // prettier-ignore
    args: () => [scalar(3)],
    expected: 405,
  },
  {
    name: "Collatz steps, mapped",
    f: (n) => vmap(collatz)(n!),
    args: () => [i32(1, 2, 3, 6, 7, 27)],
    expected: [0, 1, 7, 8, 16, 111],
  },
  {
    name: "jvp of a mapped while with a batched predicate, from 1",
    f: (x, n) =>
      jvp(
        (y: NDArray) =>
          vmap(
            (z: NDArray, m: NDArray) =>
              lax.whileLoop(
                ([i]) => i.less(m),
                ([i, v]) => [i.add(1), v.mul(z)] as [NDArray, NDArray],
                [int(0), scalar(1)] as [NDArray, NDArray],
              )[1],
          )(y, n!),
        [x!],
        [np.onesLike(x!)],
      ),
    args: () => [f32(2, 3, 5), i32(1, 2, 0)],
    expected: [
      [2, 9, 1],
      [1, 6, 0],
    ],
  },
  ...[-3, 0, 2, 7].map((i, k): Fact => ({
    name: `switch clamps index ${i}`,
    f: (j, x) => lax.switch(j!, [(y: NDArray) => y, (y: NDArray) => y.mul(2), (y: NDArray) => y.mul(3)], x!),
    args: () => [int(i), scalar(5)],
    expected: [5, 5, 15, 15][k],
  })),
  {
    name: "recurrent network: gradient in the weight",
    f: (w) => grad(recurrent)(w!),
    args: () => [scalar(0.5)],
    expected: 1.4724402,
  },
  {
    name: "gradient of cond, mapped: no nan from the other branch",
    f: (x) => vmap(grad(root))(x!),
    args: () => [f32(4, 0)],
    expected: [0.25, 0],
  },
  {
    name: "gradient of a mapped cond",
    f: (x) => grad((y: NDArray) => np.sum(vmap(root)(y)))(x!),
    args: () => [f32(4, 0)],
    expected: [0.25, 0],
  },
  // any order, any nesting
  {
    name: "jvp of vjp of vmap of sin",
    f: (x) =>
      jvp(
        (y: NDArray) =>
          vjp(
            vmap((z: NDArray) => np.sin(z)),
            y,
          )[1](np.onesLike(y))[0]!,
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
  ...[1, 2, 3, 4, 5, 6].map((order): Fact => ({
    name: `derivative ${order} of tanh, forward and reverse nested in every order`,
    f: (x) => np.stack(nests(np.tanh, order).map((d) => d(x!))),
    args: () => [scalar(0.5)],
    expected: Array.from({ length: 2 ** order }, () => tanh[order - 1]),
    rtol: order > 4 ? 1e-4 : 1e-5,
  })),
  {
    name: "jvp of vjp of vmap of jit of scan",
    f: (c, xs) => {
      const body = (s: NDArray, x: NDArray): [NDArray, NDArray] => {
        const next = np.sin(s.mul(x)).add(x);
        return [next, next.mul(x)];
      };
      const f = jit((s: NDArray, x: NDArray) => lax.scan(body, s, x));
      const g = (s: NDArray, x: NDArray) => {
        const [[last, ys], back] = vjp(vmap(f), s, x);
        return [[last, ys], back([np.cos(last), np.cos(ys)])];
      };
      return jvp(g, [c!, xs!], [np.ones([2]), xs!.mul(0.5)]);
    },
    args: () => [f32(0.5, -1), f32(1, 2, 0.5, 0.3, -0.2, 1.5).reshape([2, 3])],
    expected: [
      [
        [
          [1.3870258331298828, 1.2031961679458618],
          [
            [1.4794255495071411, 4.363452434539795, 0.6935129165649414],
            [0.0013439387548714876, 0.04017919301986694, 1.8047943115234375],
          ],
        ],
        [
          [1.0342497825622559, 0.09648467600345612],
          [
            [1.830634593963623, -0.49450013041496277, 2.205278158187866],
            [0.01951584219932556, -0.38481420278549194, -0.26962926983833313],
          ],
        ],
      ],
      [
        [
          [-0.3282356560230255, 0.3782099485397339],
          [
            [2.336690902709961, -5.009406089782715, 0.18263863027095795],
            [0.08866211771965027, 0.051911208778619766, 1.4697120189666748],
          ],
        ],
        [
          [15.111163139343262, 0.32562604546546936],
          [
            [22.46904754638672, -3.262038230895996, 0.93524169921875],
            [0.6425215601921082, -4.149524211883545, -3.96819806098938],
          ],
        ],
      ],
    ],
    rtol: 2e-5,
    atol: 1e-5,
  },
  {
    name: "Hessian of a function of a tree",
    f: (w, b) =>
      hessian((p: { w: NDArray; b: NDArray }) => np.sum(np.power(p.w, 3)).mul(p.b).add(np.square(p.b)))({
        w: w!,
        b: b!,
      }),
    args: () => [f32(1, 2), scalar(3)],
    expected: [
      [2, [3, 12]],
      [
        [3, 12],
        [
          [18, 0],
          [0, 36],
        ],
      ],
    ],
  },
];
