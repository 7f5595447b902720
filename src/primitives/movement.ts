/** Primitives that move elements: none of them computes a value. */
export * from "./movement-iota.js";
export * from "./movement-pad.js";
export * from "./movement-pieces.js";
export * from "./movement-views.js";
