/** The namespace of scalar math: `math.exp(x)`. */
export * as math from "./math/index.js";
