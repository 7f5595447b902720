import type { NDArray } from "../../src/core/array.js";
import { customLinearSolve } from "../../src/lax/custom.js";
import { multiply } from "../../src/numpy/index.js";
import * as p from "../../src/primitives/all.js";
import { checkpoint, checkpointName } from "../../src/transforms/checkpoint/checkpoint.js";
import { customJvp } from "../../src/transforms/custom/jvp.js";
import { customVjp } from "../../src/transforms/custom/vjp.js";
import { customVmap } from "../../src/transforms/custom/vmap.js";
import { type ContractRow, floats } from "./contract.js";

const product = customJvp((x: NDArray, y: NDArray) => p.mul(p.sin(x), y));
product.defjvp(([x, y], [dx, dy]) => [product(x, y), p.add(p.mul(p.mul(p.cos(x), y), dx), p.mul(p.sin(x), dy))]);

const pulled = customVjp((x: NDArray, y: NDArray) => p.mul(p.sin(x), y));
pulled.defvjp(
  (x, y) => [pulled(x, y), { x, y }],
  ({ x, y }, g) => [p.mul(p.mul(p.cos(x), y), g), p.mul(p.sin(x), g)],
);

const mapped = customVmap((x: NDArray, y: NDArray) => p.mul(p.sin(x), y));
mapped.defVmap((_size, [bx, by], x, y) => [multiply(p.sin(x), y), bx || by]);

const layer = checkpoint((x: NDArray, y: NDArray) => p.sin(p.mul(p.sin(x), y)));

/** Functions with rules of their own are equations where they are staged. */
export const rows: readonly ContractRow[] = [
  { primitive: "custom_jvp_call", args: [floats([3]), floats([3])], apply: ([x, y]) => product(x!, y!), smooth: 2 },
  {
    primitive: "custom_vjp_call",
    args: [floats([3]), floats([3])],
    apply: ([x, y]) => pulled(x!, y!),
    smooth: 0,
    because: "forward mode is refused",
  },
  { primitive: "custom_vmap_call", args: [floats([3]), floats([3])], apply: ([x, y]) => mapped(x!, y!), smooth: 2 },
  { primitive: "checkpoint", args: [floats([3]), floats([3])], apply: ([x, y]) => layer(x!, y!), smooth: 2 },
  { primitive: "name", args: [floats([3])], apply: ([x]) => checkpointName<NDArray>(x!, "x"), smooth: 2 },
  {
    primitive: "custom_linear_solve",
    args: [floats([3], [1, 2]), floats([3])],
    apply: ([d, b]) =>
      customLinearSolve<NDArray>(
        (x) => p.mul(d!, x),
        b!,
        (_matvec, y) => p.div(y, d!),
        { symmetric: true },
      ),
    smooth: 2,
  },
];
