import type { Library } from "./rows.js";
import { eagerRows } from "./tsax.js";

/** tsax without `jit` and without its loops: one operation after another. */
export const library: Library = { rows: eagerRows };
