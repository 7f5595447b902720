/** Functions of SciPy that JAX has: special functions, and probability distributions. */
export * as special from "./special.js";
export * as stats from "./stats/index.js";
