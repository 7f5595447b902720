/** Probability distributions, each a namespace of functions. */
export * as bernoulli from "./bernoulli.js";
export * as cauchy from "./cauchy.js";
export * as expon from "./expon.js";
export * as geom from "./geom.js";
export * as laplace from "./laplace.js";
export * as logistic from "./logistic.js";
export * as norm from "./norm.js";
export * as pareto from "./pareto.js";
export * as uniform from "./uniform.js";
