import { describe, expect, it } from "vitest";
import { grad, type NDArray, numpy as np, scipy, vmap } from "../../src/index.js";
import { codeOf, expectClose } from "../numbers.js";

const inf = Infinity;
const { special, stats } = scipy;

describe("edges are JAX's", () => {
  it("xlogy and its derivatives at 0", () => {
    expectClose(special.xlogy(np.array([0, 0, 0, 2]), np.array([0, inf, NaN, 3])), [0, 0, NaN, 2.1972246]);
    const [dx, dy] = vmap(grad(special.xlogy, [0, 1]))(np.array([0, 0, 2]), np.array([0, 2, 3]));
    expectClose(dx, [-inf, 0.6931472, 1.0986123]);
    expectClose(dy, [NaN, 0, 2 / 3]);
  });
  it("xlog1py at −1", () => {
    expectClose(special.xlog1py(np.array([0, 1]), np.array([-1, 1])), [0, 0.6931472]);
    expectClose(grad(special.xlog1py)(0, -1), -inf);
  });
  it("entr, logit", () => {
    expectClose(special.entr(np.array([-1, 0, 0.5])), [-inf, 0, 0.3465736]);
    expectClose(vmap(grad(special.entr))(np.array([0, 0.5])), [inf, -0.30685282]);
    expectClose(special.logit(np.array([0, 0.25, 1])), [-inf, -1.0986123, inf]);
    expectClose(vmap(grad(special.logit))(np.array([0, 0.25, 1])), [inf, 16 / 3, inf]);
  });
  it("relEntr and klDiv", () => {
    expectClose(special.relEntr(np.array([0, 1, 1, -1]), np.array([0, 2, 0, 1])), [0, -0.6931472, inf, inf]);
    expectClose(special.klDiv(0.5, 0.5), 0);
  });
  it("logNdtr far out, with its derivative", () => {
    const x = np.array([-30, -10, -5, 0, 5, 9]);
    expectClose(
      special.logNdtr(x),
      [-454.32123, -53.231285, -15.064999, -0.6931472, -2.9802328e-7, -1.1285927e-19],
      3e-6,
      1e-8,
    );
    expectClose(
      vmap(grad((v: NDArray) => special.logNdtr(v)))(x),
      [30.03326, 10.098093, 5.186504, 0.7978846, 1.4867195e-6, 1.0279774e-18],
      2e-5,
      1e-9,
    );
    expect(codeOf(() => special.logNdtr(x, 31))).toBe("series-order");
  });
  it("ndtri inverts ndtr", () => {
    const q = np.array([1e-30, 1e-3, 0.2, 0.5, 0.9, 0.999]);
    expectClose(special.ndtr(special.ndtri(q)), q, 2e-5, 0);
    expectClose(special.ndtri(np.array([0, 1])), [-inf, inf]);
  });
  it("softmax goes over all axes, unlike nn's", () => {
    expectClose(special.softmax(np.zeros([2, 2])), [
      [0.25, 0.25],
      [0.25, 0.25],
    ]);
    expectClose(special.logSoftmax(np.zeros([2, 2]), { axis: 0 }), np.full([2, 2], -Math.LN2));
  });
});

describe("distributions", () => {
  it("integrate to their distribution functions", () => {
    const names = ["norm", "expon", "laplace", "logistic", "cauchy"] as const;
    for (const name of names) {
      const { pdf, cdf } = stats[name];
      const f = (x: NDArray): NDArray => cdf(x, 0.25, { scale: 2 });
      const xs = np.array([0.5, 1.5, 4], { dtype: "float64" });
      expectClose(vmap(grad(f))(xs), pdf(xs, 0.25, 2), 1e-9, 1e-12);
    }
  });
  it("quantiles invert distribution functions", () => {
    const q = np.array([0.1, 0.5, 0.9], { dtype: "float64" });
    for (const d of [stats.norm, stats.expon, stats.cauchy, stats.uniform, stats.logistic]) {
      expectClose(d.cdf(d.ppf(q, 1, 3), 1, 3), q, 1e-9);
    }
    expectClose(stats.pareto.cdf(stats.pareto.ppf(q, 2, 1, 3), 2, 1, 3), q, 1e-9);
    expectClose(stats.expon.ppf(np.array([-1, 2, NaN])), [NaN, NaN, NaN]);
  });
  it("broadcast, and take location and scale by name", () => {
    expectClose(stats.norm.logpdf(np.zeros([2, 1]), { scale: np.ones([3]) }), np.full([2, 3], -0.9189385));
    expectClose(stats.norm.sf(1, { loc: 1 }), 0.5);
    expectClose(stats.expon.pdf(np.array([-1, 0])), [0, 1]);
    expectClose(stats.bernoulli.pmf(np.array([0, 1, 2], { dtype: "int32" }), 0.25), [0.75, 0.25, 0]);
    expectClose(stats.bernoulli.cdf(np.array([-1, 0, 1]), 0.25), [0, 0.75, 1]);
    expectClose(stats.geom.pmf(np.array([0, 1, 2]), 0.5), [0, 0.5, 0.25]);
    expect(codeOf(() => stats.norm.pdf(1, { mean: 2 } as never))).toBe("option-unknown");
  });
});
