export * from "./continuous.js";
export { bernoulli, categorical, choice, permutation, rademacher } from "./discrete.js";
export { foldIn, key, keyData, split, wrapKeyData } from "./keys.js";
export { bits, randint, uniform } from "./uniform.js";
