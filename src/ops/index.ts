/** Reductions over segments: groups of rows that belong together. */
export * from "./segments.js";
