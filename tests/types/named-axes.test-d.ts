import { lax, type NDArray, vmap } from "tsax";
import { exactly, returns } from "./check.js";

// Compiled by `npm run typecheck`, never run: collectives keep the structure of what they are given.

declare const x: NDArray;
declare const model: { readonly w: NDArray; readonly layers: readonly NDArray[] };

export function structures(): void {
  exactly<NDArray>()(lax.psum(x, "i"));
  exactly<number>()(lax.psum(1, "i"));
  exactly<number>()(lax.pmean(2.5, ["i", "j"]));
  exactly<NDArray>()(lax.pmax(1, "i"));
  exactly<typeof model>()(lax.psum(model, "i"));
  exactly<typeof model>()(lax.allGather(model, "i", { axis: 1, tiled: true }));
  exactly<NDArray>()(lax.ppermute(x, "i", [[0, 1]]));
  exactly<NDArray>()(lax.psumScatter(x, "i", { scatterDimension: 1 }));
  exactly<NDArray>()(lax.allToAll(x, "i", 0, 1, { tiled: true }));
  exactly<NDArray>()(lax.axisIndex("i"));
  exactly<number>()(lax.axisSize(["i", "j"]));
}

export function mapped(): void {
  const named = vmap((y: NDArray) => lax.psum(y, "i"), { axisName: "i" });
  returns<NDArray>()(named);
  const placed = vmap((y: NDArray) => lax.psum(y, "i"), 0, 0, "i", 4);
  returns<NDArray>()(placed);
  const unnamed = vmap((y: NDArray) => lax.psum(y, "i"), 0, 0, null);
  returns<NDArray>()(unnamed);
  // @ts-expect-error axes of arrays are summed over with np.sum
  lax.psum(x, 0);
  // @ts-expect-error pairs
  lax.ppermute(x, "i", [0, 1]);
  // @ts-expect-error groups are not offered under vmap
  lax.psum(x, "i", { axisIndexGroups: [[0, 1]] });
}
