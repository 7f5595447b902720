import type { NDArray } from "../core/array.js";
import { signature } from "../core/calling.js";
import { defaultFloat } from "../core/config.js";
import { type ArrayLike, asArray } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { i0 } from "./bessel.js";
import { convert } from "./promotion.js";
import { count } from "./ranges.js";
import { like } from "./ufunc.js";

/** Window functions: M weights that fall off towards both ends. */

/** 0 … M−1 as floats, or ones where the window has at most one weight. */
function weights(op: string, M: number, window: (n: NDArray, last: number) => NDArray): NDArray {
  const dtype = defaultFloat();
  if (count(op, "M", M) <= 1) return p.full(1, { shape: [M], dtype, weakType: false });
  return window(p.iota(dtype, [M], 0), M - 1);
}

const cosine = (n: NDArray, turns: number, last: number): NDArray =>
  p.cos(p.div(p.mul(n, like(n, turns * 2 * Math.PI)), like(n, last)));

const bartlettParams = /* @__PURE__ */ signature<{ M: number }>("bartlett", 1, ["M"]);
/**
 * The triangular window, 0 at both ends.
 *
 * @throws ArgumentError `count-invalid`.
 * @example
 * np.bartlett(5); // [0, 0.5, 1, 0.5, 0]
 */
export function bartlett(M: number): NDArray;
export function bartlett(): NDArray {
  const { M } = bartlettParams(arguments);
  return weights("bartlett", M, (n, last) =>
    p.sub(like(n, 1), p.div(p.abs(p.sub(p.mul(n, like(n, 2)), like(n, last))), like(n, last))),
  );
}

const blackmanParams = /* @__PURE__ */ signature<{ M: number }>("blackman", 1, ["M"]);
/**
 * The Blackman window: 0.42 − 0.5cos(2πn/(M − 1)) + 0.08cos(4πn/(M − 1)).
 *
 * @throws ArgumentError `count-invalid`.
 * @example
 * np.blackman(5); // [0, 0.34, 1, 0.34, 0]
 */
export function blackman(M: number): NDArray;
export function blackman(): NDArray {
  const { M } = blackmanParams(arguments);
  return weights("blackman", M, (n, last) =>
    p.add(p.sub(like(n, 0.42), p.mul(like(n, 0.5), cosine(n, 1, last))), p.mul(like(n, 0.08), cosine(n, 2, last))),
  );
}

const hammingParams = /* @__PURE__ */ signature<{ M: number }>("hamming", 1, ["M"]);
/**
 * The Hamming window: 0.54 − 0.46cos(2πn/(M − 1)).
 *
 * @throws ArgumentError `count-invalid`.
 * @example
 * np.hamming(5); // [0.08, 0.54, 1, 0.54, 0.08]
 */
export function hamming(M: number): NDArray;
export function hamming(): NDArray {
  const { M } = hammingParams(arguments);
  return weights("hamming", M, (n, last) => p.sub(like(n, 0.54), p.mul(like(n, 0.46), cosine(n, 1, last))));
}

const hanningParams = /* @__PURE__ */ signature<{ M: number }>("hanning", 1, ["M"]);
/**
 * The Hann window: ½ − ½cos(2πn/(M − 1)), 0 at both ends.
 *
 * @throws ArgumentError `count-invalid`.
 * @example
 * np.hanning(5); // [0, 0.5, 1, 0.5, 0]
 */
export function hanning(M: number): NDArray;
export function hanning(): NDArray {
  const { M } = hanningParams(arguments);
  return weights("hanning", M, (n, last) => p.mul(like(n, 0.5), p.sub(like(n, 1), cosine(n, 1, last))));
}

const kaiserParams = /* @__PURE__ */ signature<{ M: number; beta: ArrayLike }>("kaiser", 2, ["M", "beta"]);
/**
 * The Kaiser window of shape `beta`: I₀(β√(1 − t²))/I₀(β) for t from −1 to 1.
 *
 * @throws ArgumentError `count-invalid`.
 * @example
 * np.kaiser(3, 0); // [1, 1, 1]
 */
export function kaiser(M: number, beta: ArrayLike): NDArray;
export function kaiser(): NDArray {
  const { M, beta } = kaiserParams(arguments);
  return weights("kaiser", M, (n, last) => {
    const half = like(n, last / 2);
    const b = convert(asArray(beta, "kaiser", "beta"), n.dtype);
    const t = p.div(p.sub(n, half), half);
    return p.div(i0(p.mul(b, p.sqrt(p.sub(like(n, 1), p.square(t))))), i0(b));
  });
}
