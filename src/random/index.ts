export {
  cauchy,
  exponential,
  gumbel,
  type GumbelOptions,
  laplace,
  logistic,
  normal,
  type Resolution,
  truncatedNormal,
} from "./continuous.js";
export { bernoulli, categorical, choice, permutation, rademacher } from "./discrete.js";
export { foldIn, key, keyData, split, wrapKeyData } from "./keys.js";
export {
  doubleSidedMaxwell,
  type DrawOptions,
  geometric,
  lognormal,
  maxwell,
  pareto,
  rayleigh,
  triangular,
  wald,
  weibullMin,
} from "./transformed.js";
export { bits, randint, uniform } from "./uniform.js";
