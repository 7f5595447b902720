import {
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  type NDArray,
  nn,
  numpy as np,
  random,
  vjp,
  vmap,
} from "../../src/index.js";

const squares = (x: NDArray): NDArray => np.sum(x.mul(x));
const cubes = (x: NDArray): NDArray =>
  np.sum(
    np
      .sin(x)
      .mul(x)
      .mul(np.arange(3, { dtype: "float32" })),
  );

/** Functions of one vector, with every way in which they meet arrays that are made of numbers only. */
export const programs: Readonly<Record<string, (v: NDArray) => NDArray>> = {
  "a cotangent": (v) => grad(squares)(v),
  "a cotangent through a reduction of an axis": (v) => grad((x) => np.sum(np.mean(np.outer(x, x), 0)))(v),
  "a second derivative": (v) => grad((x) => np.sum(grad(cubes)(x)))(v),
  jacfwd: (v) => jacfwd((x: NDArray) => np.sin(x).mul(x))(v),
  jacrev: (v) => jacrev((x: NDArray) => np.sin(x).mul(x))(v),
  hessian: (v) => hessian(cubes)(v),
  vjp: (v) => vjp(cubes, v)[1](1)[0],
  jvp: (v) => jvp(cubes, [v], [np.ones([3])])[1],
  linearize: (v) => linearize(cubes, v)[1](np.ones([3])),
  vmap: (v) => vmap((x: NDArray) => x.add(np.eye(3)))(v),
  "vmap of grad": (v) => vmap(grad((x: NDArray) => np.sum(x.mul(x).mul(np.arange(2)))))(v),
  jit: (v) => jit((x: NDArray) => x.add(np.eye(3)))(v),
  "jit of grad": (v) => jit(grad(cubes))(v),
  "grad of jit": (v) => grad(jit(cubes))(v),
  "a captured array under jit": ((): ((v: NDArray) => NDArray) => (v) => {
    const w = np.linspace(0, 1, 3);
    return jit((x: NDArray) => x.mul(w))(v);
  })(),
  "zeros, ones, eye, iota": (v) => v.add(np.zeros([3])).mul(np.ones([3])).dot(np.eye(3)).add(np.arange(3)),
  "random numbers": (v) => v.add(random.normal(random.key(3), [3])),
  "split keys": (v) => v.add(random.uniform(random.split(random.key(3))[1], [3])),
  "indices": (v) => v.at([2, 0]).set(7).take(np.array([0, 2], { dtype: "int32" })),
  "one-hot": (v) => nn.oneHot(np.array([0, 2], { dtype: "int32" }), 3).dot(v),
  "a small list": (v) => v.mul(np.array([1, 2, 3])),
}; // prettier-ignore
