import {
  checkify,
  type CheckResult,
  debugNans,
  disableJit,
  explainCacheMisses,
  grad,
  jit,
  type NDArray,
  numpy as np,
  vmap,
} from "tsax";
import { exactly } from "./check.js";

// Compiled by `npm run typecheck`, never run: checked functions keep their arguments and results.

interface Layer {
  w: NDArray;
  b: NDArray;
}
declare const layer: Layer;
const apply = (p: Layer, x: NDArray): { y: NDArray } => ({ y: np.dot(x, p.w).add(p.b) });

const [err, out] = checkify(apply, checkify.allChecks)(layer, np.ones([2]));
exactly<CheckResult>()(err);
exactly<{ y: NDArray }>()(out);
exactly<string | null>()(err.get());
exactly<Promise<string | null>>()(err.getAsync());

// arrays may be given as numbers, as everywhere
const [, sine] = jit(checkify((x: NDArray) => np.sin(x), { errors: checkify.nanChecks }))(0.5);
exactly<NDArray>()(sine);
const [many] = vmap(checkify((x: NDArray) => np.sin(x)))(np.ones([2]));
exactly<CheckResult>()(many);
const [, slope] = checkify(
  grad((x: NDArray) => np.sin(x)),
  [...checkify.divChecks, "nan"],
)(1);
exactly<NDArray>()(slope);

checkify.check(true, "{} {name}", layer.w, { name: layer.b });
checkify.checkError(err);
// @ts-expect-error nothing of this name is checked
checkify(apply, ["everything"]);
// @ts-expect-error the layer is missing
checkify(apply)(np.ones([2]));
// @ts-expect-error a message is needed
checkify.check(true);

exactly<number>()(debugNans(() => 1));
exactly<NDArray>()(disableJit(() => np.ones([2])));
exactly<string>()(explainCacheMisses(() => "x", false));
