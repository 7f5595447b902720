/** Special functions: compositions of elementary ones, erf, Bessel's I₀ and the gamma function's logarithm. */
export {
  boxcox,
  boxcox1p,
  entr,
  erf,
  erfc,
  erfinv,
  expit,
  i0,
  i0e,
  klDiv,
  logit,
  relEntr,
  xlog1py,
  xlogy,
} from "./entropy.js";
export {
  beta,
  betaln,
  comb,
  digamma,
  factorial,
  gamma,
  gammaln,
  gammasgn,
  loggamma,
  multigammaln,
  poch,
  polygamma,
  zeta,
} from "./gamma.js";
export { logNdtr, type LogNdtrOptions, ndtr, ndtri } from "./normal.js";
export { logSoftmax, logsumexp, type LogsumexpOptions, softmax, type SoftmaxAxis } from "./softmax.js";
