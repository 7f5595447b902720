import type { Shape } from "../core/aval.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Region } from "../kernel-ir/lowering.js";

/** A region of a result that begins at `start`. */
export function box(shape: Shape, start: readonly number[], element: Region["element"]): Region {
  return { shape, place: (i) => i.map((j, k) => ix.addConst(j, start[k]!)), element };
}
