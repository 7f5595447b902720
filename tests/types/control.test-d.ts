import { checkpoint, grad, jit, lax, type NDArray, numpy as np, vmap } from "tsax";
import { exactly } from "./check.js";

// Compiled by `npm run typecheck`, never run: loops and branches keep what users declare: interfaces, tuples, optional members.

interface Layer {
  readonly w: NDArray;
  readonly b: NDArray;
}
interface State {
  h: NDArray;
  readonly layers: readonly Layer[];
  key?: NDArray;
  none: null;
}
interface Step {
  x: NDArray;
  label: NDArray;
}
declare const x: NDArray;
declare const state: State;
declare const layer: Layer;
declare const steps: Step;
declare const pair: [NDArray, Layer];

export function scans(): void {
  const [last, ys] = lax.scan(
    (s: State, e: Step) => [
      { ...s, h: s.h.add(e.x) },
      { loss: s.h, e },
    ],
    state,
    steps,
  );
  exactly<State>()(last);
  exactly<{ loss: NDArray; e: Step }>()(ys);
  const [carry, nothing] = lax.scan((s: State) => [s, null], state, null, { length: 3 });
  exactly<State>()(carry);
  exactly<null>()(nothing);
  const [n] = lax.scan((c: NDArray, e: NDArray) => [c.add(e), c], 0, x);
  exactly<NDArray>()(n);
  // @ts-expect-error: the next carry has another structure
  lax.scan((s: State, e: Step) => [{ h: s.h.add(e.x) }, null], state, steps);
  // @ts-expect-error: elements have no such member
  lax.scan((s: State, e: Step) => [s, e.y], state, steps);
  // @ts-expect-error: no such option
  lax.scan((s: State) => [s, null], state, null, { steps: 3 });
}

export function loops(): void {
  exactly<State>()(
    lax.whileLoop(
      (s: State) => np.sum(s.h).less(3),
      (s: State) => ({ ...s, h: s.h.mul(2) }),
      state,
    ),
  );
  exactly<State>()(lax.foriLoop(0, 3, (i, s: State) => ({ ...s, h: s.h.add(i) }), state));
  exactly<[NDArray, Layer]>()(
    lax.boundedWhile(
      ([a]) => a.less(3),
      ([a, l]) => [a.add(1), l],
      pair,
      { maxSteps: 3 },
    ),
  );
  // @ts-expect-error: the condition gives an array
  lax.whileLoop((_: State) => "yes", (s: State) => s, state); // prettier-ignore
  // @ts-expect-error: the body loses a member
  lax.foriLoop(0, 3, (_, s: State) => ({ h: s.h }), state);
  // @ts-expect-error: how many steps at most must be said
  lax.boundedWhile((a: NDArray) => a.less(3), (a: NDArray) => a, x, {}); // prettier-ignore
}

export function branches(): void {
  exactly<Layer>()(lax.cond(x, (p: Layer) => p, (p: Layer): Layer => ({ w: p.w.neg(), b: p.b }), layer)); // prettier-ignore
  exactly<Layer>()(lax.switch(x, [(p: Layer) => p, (p: Layer) => p], layer));
  // @ts-expect-error: the operand is no state
  lax.cond(x, (p: State) => p, (p: State) => p, layer); // prettier-ignore
  // @ts-expect-error: branches of different structures
  lax.cond(x, (p: Layer) => p, (p: Layer) => ({ q: p.w }), layer); // prettier-ignore
}

export function maps(): void {
  exactly<{ a: NDArray; p: Layer }>()(lax.map((p: Layer) => ({ a: p.w, p }), layer));
  exactly<Layer>()(lax.associativeScan((a: Layer, b: Layer) => ({ w: a.w.mul(b.w), b: b.b }), layer));
  // @ts-expect-error: the result has another structure
  lax.associativeScan((a: Layer) => ({ w: a.w }), layer);
}

export function underTransformations(): void {
  const run = (s: State, e: Step): State => lax.scan((c: State, y: Step) => [{ ...c, h: c.h.add(y.x) }, null], s, e)[0];
  exactly<State>()(jit(run)(state, steps));
  exactly<State>()(vmap(checkpoint(run))(state, steps));
  exactly<State>()(grad((s: State) => np.sum(run(s, steps).h))(state));
}
