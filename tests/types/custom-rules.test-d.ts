import {
  checkpoint,
  checkpointPolicies,
  customGradient,
  customJvp,
  customVjp,
  customVmap,
  lax,
  type NDArray,
  numpy as np,
} from "tsax";
import { exactly } from "./check.js";

// Compiled by `npm run typecheck`, never run: functions with rules of their own keep their arguments and results.

interface Layer {
  w: NDArray;
  b: NDArray;
}
declare const layer: Layer;
declare const x: NDArray;

const affine = (p: Layer, y: NDArray): { z: NDArray } => ({ z: np.dot(y, p.w).add(p.b) });

const j = customJvp(affine);
exactly<{ z: NDArray }>()(j(layer, x));
exactly<{ z: NDArray }>()(j({ w: x, b: 1 }, 2));
j.defjvp(([p, y], [dp, dy]) => [affine(p, y), { z: dp.w.add(dy) }]);
// @ts-expect-error: the tangent has the structure of the result
j.defjvp(([p, y], [dp]) => [affine(p, y), { q: dp.w }]);
// @ts-expect-error: a layer is missing
j(x);

const n = customJvp((f: (y: NDArray) => NDArray, p: Layer, k: number) => f(p.w).mul(k), { nondiffArgnums: [0, 2] });
n.defjvp((f, k, [p], [dp]) => [f(p.w).mul(k), dp.w]);

const v = customVjp(affine);
exactly<{ z: NDArray }>()(v(layer, x));
v.defvjp(
  (p, y) => [affine(p, y), { y, size: 3 }],
  (r, ct) => {
    exactly<number>()(r.size);
    return [{ w: ct.z, b: r.y }, null];
  },
);
v.defvjp(
  (p, y) => [affine(p, y), null],
  // @ts-expect-error: two cotangents are due
  (_r, ct) => [{ w: ct.z, b: ct.z }],
);

const m = customVmap(affine);
m.defVmap((size, [pb, yb], p, y) => {
  exactly<number>()(size);
  exactly<boolean>()(pb.w);
  return [affine(p, y), { z: pb.w || yb }];
});

const g = customGradient((y: NDArray, p: Layer) => [y.mul(p.w), (ct: NDArray) => [ct.mul(p.w), null]] as const);
exactly<NDArray>()(g(x, layer));

const c = checkpoint(affine, { policy: checkpointPolicies.saveOnlyTheseNames("z") });
exactly<{ z: NDArray }>()(c(layer, x));

exactly<Layer>()(
  lax.customRoot<Layer>(
    (p) => p,
    layer,
    (f, p) => f(p),
    (h, p) => h(p),
  ),
);
exactly<NDArray>()(
  lax.customLinearSolve(
    (y: NDArray) => y.mul(2),
    x,
    (matvec, b) => matvec(b),
    { symmetric: true },
  ),
);
