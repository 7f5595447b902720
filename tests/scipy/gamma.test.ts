import { describe, expect, it } from "vitest";
import { grad, hessian, jit, lax, type NDArray, numpy as np, scipy, vmap } from "../../src/index.js";
import { codeOf, expectClose } from "../numbers.js";

/** Expected numbers are those of JAX 0.10.2 where float32 tells nothing better, closed forms elsewhere. */
const inf = Infinity;
const { special, stats } = scipy;
const int = (v: number[]): NDArray => np.array(v, { dtype: "int32" });

describe("the gamma function and its family", () => {
  const x = np.array([0.3, 1, 1.4616321, 2, 4.5, 30, -0.5, -2.5]);
  it("gammaln and three derivatives", () => {
    const first = grad(special.gammaln);
    const second = grad((v: NDArray) => first(v));
    const third = grad((v: NDArray) => second(v));
    // at the zeros of a function JAX's own error is all there is
    expectClose(
      special.gammaln(x),
      [1.0957975, 0, -0.12148629, 0, 2.4537382, 71.25705, 1.2655117, -0.05624371],
      2e-6,
      2e-7,
    );
    expectClose(
      vmap(first)(x),
      [-3.5025237, -0.5772154, 0, 0.42278463, 1.3888713, 3.3844383, 0.03648994, 1.1031562],
      2e-6,
      5e-7,
    );
    expectClose(
      vmap(second)(x),
      [12.245364, 1.6449341, 0.9676723, 0.64493406, 0.24872509, 0.03389506, 8.934802, 9.539246],
      2e-6,
    );
    expectClose(
      vmap(third)(x),
      [-75.27254, -2.4041144, -0.8855266, -0.40411392, -0.061556838, -0.0011487656, -0.82879686, -0.10820418],
      1e-5,
    );
  });
  it("a compiled Hessian, in float64 too", () => {
    const f = (v: NDArray): NDArray => special.gammaln(v).sum();
    for (const dtype of ["float32", "float64"] as const) {
      const h = jit(hessian(f))(np.array([1, 0.5], { dtype }));
      const exact = [
        [Math.PI ** 2 / 6, 0],
        [0, Math.PI ** 2 / 2],
      ];
      expectClose(h, exact, dtype === "float32" ? 1e-6 : 1e-14, 0);
    }
  });
  it("gamma, its sign and its derivative", () => {
    const at = np.array([-1.5, -1, 0, -0, 0.5, 5, inf, -inf, NaN]);
    expectClose(special.gamma(at), [2.3632715, NaN, inf, -inf, 1.7724539, 24, inf, NaN, NaN], 2e-6);
    expectClose(special.gammasgn(np.array([-0.5, -1.5, 0, -0, -2, 3, NaN])), [-1, 1, 1, -1, NaN, 1, NaN]);
    expectClose(vmap(grad(special.gamma))(np.array([-1.5, 0.5, 3])), [1.6617502, -3.4802306, 1.845569], 2e-6);
    expectClose(special.loggamma(np.array([-0.5, 0.5])), [NaN, 0.5723649]);
  });
  it("factorials and binomial coefficients", () => {
    expectClose(special.factorial(int([0, 5, -1])), [1, 120, 0], 1e-6);
    expectClose(special.comb(np.array([5, 10, 3, -1]), np.array([2, 3, 4, 0])), [10, 120, 0, 0], 2e-6);
    expectClose(special.poch(np.array([2, 40]), np.array([1.5, 0])), [3.3233509, 1], 2e-6);
    expectClose(np.stack(grad(special.poch, [0, 1])(2, 1.5)), [2.261114, 3.666176], 2e-6);
  });
  it("beta functions, of large operands too", () => {
    const [a, b] = [np.array([0.5, 2, 3]), np.array([10, 1e3, 2])];
    const [da, db] = vmap(grad(special.betaln, [0, 1]))(a, b);
    expectClose(da, [-4.266511, -6.4864697, -0.5833333], 2e-6);
    expectClose(db, [-0.051248532, -0.0019990013, -1.0833333], 5e-6);
    expectClose(
      special.betaln(np.array([0.5, 2, 1e-3]), np.array([10, 1e5, 20])),
      [-0.5664327, -23.02586, 6.904207],
      2e-6,
    );
    expectClose(special.beta(np.array([2, -0.5]), np.array([3, 2])), [1 / 12, -4], 2e-6);
  });
  it("multigammaln", () => {
    expectClose(special.multigammaln(np.array([3.5, 5]), 3), [3.8958984, 9.1406475], 2e-6);
    expectClose(special.multigammaln(np.array([3.5, 5]), 0), [0, 0]);
    expect(codeOf(() => special.multigammaln(2, 1.5))).toBe("dimension-integer");
  });
  it("polygamma, by numbers and by arrays of orders", () => {
    expectClose(special.polygamma(int([0, 1, 2, 3]), np.array([2, 2, 0.5, 1.5])), [0.42278434, 0.64493407, -16.828797, 1.4090921], 3e-6); // prettier-ignore
    expectClose(special.polygamma(1, np.array([1, 2.5, -20.5])), [1.6449341, 0.49035776, 9.8219911], 1e-6);
    expectClose(special.polygamma(int([-1]), np.array([2])), [NaN]);
    expectClose(grad((v: NDArray) => lax.polygamma(2, v))(1.5), 1.4090921, 2e-6);
    expect(codeOf(() => grad((m: NDArray) => lax.polygamma(m, 2))(1))).toBe("polygamma-order");
    expect(codeOf(() => special.polygamma(np.array([1.5]), 2))).toBe("integer-needed");
    expect(codeOf(() => special.polygamma(0.5, 2))).toBe("integer-needed");
  });
  it("zeta, its poles and its derivatives", () => {
    expectClose(special.zeta(np.array([2, 4, 1, 0.5]), 1), [Math.PI ** 2 / 6, Math.PI ** 4 / 90, inf, NaN], 1e-6);
    expectClose(
      special.zeta(np.array([2, 3, 4, 3, 1.5, 2]), np.array([-1, -1, -2.5, -2.5, -0.5, inf])),
      [inf, NaN, 32.457977, 0.05410208, NaN, NaN],
      2e-6,
    );
    expectClose(np.stack(grad(special.zeta, [0, 1])(2.5, 1.5)), [-0.46481237, -0.7677404], 2e-6);
    expectClose(
      special.zeta(np.array([2, 3], { dtype: "float64" }), 1),
      [1.6449340668482264, 1.2020569031595942],
      1e-14,
    );
  });
});

describe("distributions made of them", () => {
  it("agree with JAX inside and outside of where values occur", () => {
    expectClose(stats.poisson.logpmf(np.array([0, 1, -1, 2.5]), 1.5), [-1.5, -1.0945349, -inf, -inf], 1e-6);
    expectClose(stats.poisson.pmf(int([0, 2, 5]), 1.5), [0.22313016, 0.25102144, 0.01411996], 2e-6);
    expectClose(stats.beta.logpdf(np.array([-0.5, 0, 0.5, 1, 1.5]), 2, 3), [-inf, -inf, 0.4054651, -inf, -inf], 2e-6);
    expectClose(stats.beta.pdf(0.5, -1, 3), NaN);
    expectClose(stats.gamma.logpdf(np.array([-1, 0, 2]), 2), [-inf, -inf, -1.3068528], 1e-6);
    expectClose(stats.chi2.logpdf(np.array([-1, 0, 2]), 3), [-inf, -inf, -1.572365], 1e-6);
    expectClose(
      stats.binom.logpmf(int([0, 3, 5, 6, -1]), 5, 0.3),
      [-1.7833748, -2.022683, -6.0198641, -inf, -inf],
      2e-6,
    );
    expectClose(stats.nbinom.logpmf(int([0, 3, -1]), 5, 0.3), [-6.0198641, -3.5345411, -inf], 2e-6);
    expectClose(stats.t.logpdf(1, 3, { loc: 0.5, scale: 2 }), -1.7352747, 1e-6);
    const d = grad((v: NDArray, df: NDArray, l: NDArray, s: NDArray) => stats.t.logpdf(v, df, l, s), [0, 1, 2, 3]);
    expectClose(np.stack(d(1, 3, 0.5, 2)), [-0.1632653, 0.02977643, 0.1632653, -0.4591837], 3e-6);
  });
  it("dirichlet, the last probability given or not", () => {
    const alpha = np.array([1, 2, 3]);
    const x = [[0.2, 0.1], [0.3, 0.4], [0.5, 0.5]]; // prettier-ignore
    expectClose(stats.dirichlet.logpdf(np.array(x), alpha), [1.5040774, 1.7917595], 2e-6);
    expectClose(stats.dirichlet.logpdf(np.array([0.2, 0.3]), alpha), 1.5040774, 2e-6);
    expectClose(stats.dirichlet.pdf(np.array([0.2, 0.3, 0.6]), alpha), 0);
    expect(codeOf(() => stats.dirichlet.logpdf(np.array([0.2]), alpha))).toBe("dirichlet-shapes");
  });
});
