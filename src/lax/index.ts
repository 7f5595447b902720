export * from "./convolution.js";
export * from "./collectives.js";
export * from "./dynamic.js";
export * from "./elementwise.js";
export * from "./movement.js";
export * from "./reductions.js";
export * from "./windows.js";
