/** Special functions that are compositions of elementary ones, erf and Bessel's I₀. */
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
export { logNdtr, type LogNdtrOptions, ndtr, ndtri } from "./normal.js";
export { logSoftmax, logsumexp, type LogsumexpOptions, softmax, type SoftmaxAxis } from "./softmax.js";
