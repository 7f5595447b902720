/** Operations that work element by element, by family. */
export * from "./elementwise/arithmetic.js";
export * from "./elementwise/bits.js";
export * from "./elementwise/choice.js";
export * from "./elementwise/comparison.js";
export * from "./elementwise/convert.js";
export * from "./elementwise/exponential.js";
export * from "./elementwise/gamma.js";
export * from "./elementwise/powers.js";
export * from "./elementwise/rounding.js";
export * from "./elementwise/special.js";
export * from "./elementwise/trigonometry.js";
