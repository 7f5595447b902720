import { debug, ioCallback, type NDArray, numpy as np, pureCallback } from "tsax";
import { exactly } from "./check.js";

// Compiled by `npm run typecheck`, never run: callbacks are called with arrays where arrays and numbers are given.

declare const x: NDArray;

debug.callback((y, n, tree, label) => {
  exactly<NDArray>()(y);
  exactly<NDArray>()(n);
  exactly<NDArray>()(tree.a[0]);
  exactly<"name">()(label);
}, x, 2, { a: [x] }, "name"); // prettier-ignore
debug.callback((y) => exactly<NDArray>()(y), x, { ordered: true });
debug.callback({ ordered: true })((y) => exactly<NDArray>()(y), x);
// @ts-expect-error: it is called with one array
debug.callback((y: NDArray, z: NDArray) => [y, z], x);

const scalar = { shape: [], dtype: "float32" } as const;
exactly<NDArray>()(pureCallback((y) => y.mul(2), scalar, x, { vmapMethod: "sequential" }));
exactly<NDArray>()(pureCallback((y: NDArray) => y, x, 3));
const { loss, rest } = pureCallback((y) => ({ loss: y, rest: [y, y] }), { loss: scalar, rest: [x, scalar] }, x);
exactly<NDArray>()(loss);
exactly<NDArray>()(rest[1]);
exactly<NDArray>()(ioCallback(() => 1, { shape: [], dtype: "int32" }, { ordered: true }));
exactly<null>()(ioCallback((y) => exactly<NDArray>()(y), null, np.ones([2])));
