import {
  blockUntilReady,
  devicePut,
  devicePutAsync,
  explain,
  init,
  jit,
  memoryStats,
  type NDArray,
  numpy as np,
  profile,
  type Explanation,
  type Profile,
} from "tsax";
import { exactly } from "./check.js";

// Compiled by `npm run typecheck`, never run: moving, waiting, explaining and profiling keep the structure of what they take.

interface Layer {
  readonly w: NDArray;
  readonly b: NDArray;
}
declare const x: NDArray;
declare const layer: Layer;
const ofLayer = (p: Layer, at: NDArray): Layer => ({ w: p.w.mul(at), b: p.b });

export async function structure(): Promise<void> {
  exactly<NDArray>()(devicePut(x, "wasm"));
  exactly<NDArray>()(devicePut(2));
  exactly<Layer>()(devicePut(layer, "wasm"));
  exactly<NDArray>()(await devicePutAsync(x, "wasm"));
  exactly<Layer>()(await devicePutAsync(layer));
  exactly<Layer>()(await blockUntilReady(layer));
  exactly<NDArray>()(await x.blockUntilReady());
  exactly<Explanation>()(explain(ofLayer)(layer, 2));
  exactly<Explanation>()(explain(jit(ofLayer))(layer, x));
  exactly<Explanation>()(explain((y) => np.sin(y))(x));
  exactly<Profile<Layer>>()(await profile(ofLayer)(layer, 2));
  exactly<number>()((await profile((y) => y)(x)).milliseconds);
  exactly<void>()(await jit(ofLayer).lower(layer, x).compile().ready());
  exactly<number>()(memoryStats("wasm").counters.dispatches);
  await init({ device: "webgpu", limits: "default" });
}

export async function refused(): Promise<void> {
  // @ts-expect-error text is no argument
  explain(ofLayer)(layer, "x");
  // @ts-expect-error the second argument is missing
  profile(ofLayer)(layer);
  // @ts-expect-error no such limits
  await init({ device: "webgpu", limits: "most" });
  // @ts-expect-error an explanation is read-only
  explain(ofLayer)(layer, 2).code = "";
}
