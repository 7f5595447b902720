/** Functions of neural networks, and initial values of their weights. */
export * from "./activations.js";
export * as initializers from "./initializers.js";
export * from "./normalization.js";
export * from "./pooling.js";
export { logsumexp, type LogsumexpOptions } from "../numpy/logsumexp.js";
