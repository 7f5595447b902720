import {
  checkpoint,
  customJvp,
  customVjp,
  evalShape,
  grad,
  jit,
  jvp,
  lax,
  linearize,
  numpy as np,
  type NDArray,
  type ShapeDtype,
  valueAndGrad,
  vjp,
  vmap,
} from "tsax";
import { exactly } from "./check.js";

// Compiled by `npm run typecheck`, never run: array literals are tuples, in arguments and in what inline functions return.

type Pair = [NDArray, NDArray];
interface State {
  a: NDArray;
  b: NDArray;
}
declare const a: NDArray;
declare const state: State;
declare const list: NDArray[];
const both = (x: NDArray): Pair => [x, x];

export function loops(): void {
  const [last, ys] = lax.scan(
    ([p, q], _x) => [
      [q, p.add(q)],
      [p, { q: [p, 1] }],
    ],
    [a, a],
    null,
    { length: 10 },
  );
  exactly<Pair>()(last);
  exactly<[NDArray, { q: Pair }]>()(ys);
  exactly<[NDArray, Pair]>()(lax.foriLoop(0, 9, (_i, [p, [q, r]]) => [q, [r, p]], [1, [2, 3]]));
  exactly<Pair>()(
    lax.whileLoop(
      ([p, q]) => p.less(q),
      ([p, q]) => [p.add(1), q],
      [a, a],
    ),
  );
  exactly<Pair>()(
    lax.boundedWhile(
      ([p, q]) => p.less(q),
      ([p, q]) => [p.add(1), q],
      [a, 3],
      { maxSteps: 4 },
    ),
  );
  exactly<{ p: Pair; n: NDArray }>()(lax.scan((s, x) => [{ ...s, n: x }, null], { p: [a, 1], n: 0 }, a)[0]);
  exactly<Pair>()(lax.map((x) => [x, x.mul(2)], a));
  exactly<Pair>()(lax.associativeScan(([p, q], [r, s]) => [p.mul(r), q.mul(r).add(s)], [a, a]));
  exactly<Pair>()(
    lax.cond(
      true,
      (x) => [x, a],
      (x) => [a, x],
      a,
    ),
  );
  // Annotated functions, interfaces and lists stay what they are.
  exactly<State>()(lax.scan((s: State, x: NDArray) => [{ ...s, a: x }, x], state, a)[0]);
  exactly<Pair>()(lax.scan(([p, q]: Pair, x: NDArray) => [[q, p], x], [a, a], a)[0]);
  exactly<NDArray[]>()(lax.foriLoop(0, 2, (_i, xs) => xs.map((x) => x.mul(2)), list));
  exactly<NDArray>()(lax.scan((c: NDArray, _x: null) => [c.mul(2), null], 1, null, { length: 2 })[0]);
  // @ts-expect-error the carry has two entries
  lax.foriLoop(0, 9, (_i, [p]) => [p], [a, a]);
}

export function transformations(): void {
  exactly<Pair>()(jit((x: NDArray) => [x, x.mul(2)])(a));
  exactly<Pair>()(vmap((x: NDArray) => [x, x.mul(2)])(a));
  exactly<Pair>()(checkpoint((x: NDArray) => [x, x.mul(2)])(a));
  exactly<[Pair, Pair]>()(jvp((x: NDArray) => [x, x.mul(2)], [a], [a]));
  const [[y], pull] = vjp((x: NDArray) => [x, x.mul(2)], a);
  exactly<[NDArray]>()(pull([y, 1]));
  exactly<Pair>()(linearize((x: NDArray) => [x, x.mul(2)], a)[1](1));
  const shapes = evalShape((x: NDArray) => [x, x.mul(2)], a);
  exactly<[ShapeDtype, ShapeDtype]>()(shapes);
  exactly<[NDArray, { k: NDArray }]>()(grad((x: NDArray) => [x.mul(x), { k: x }], { hasAux: true })(a));
  const [[value, aux]] = valueAndGrad((x: NDArray) => [x.mul(x), both(x)], { hasAux: true })(a);
  exactly<NDArray>()(value);
  exactly<Pair>()(aux);
  const f = customJvp((x: NDArray) => [x, x.mul(2)]);
  f.defjvp(([x], [dx]) => [f(x), [dx, dx.mul(2)]]);
  exactly<Pair>()(f(1));
  const g = customVjp((x: NDArray) => [x, x.mul(2)]);
  g.defvjp(
    (x) => [[x, x.mul(2)], { x }],
    ({ x }, [p, q]) => [p.add(q.mul(x))],
  );
  exactly<Pair>()(g(1));
  exactly<NDArray[]>()(jit((x: NDArray) => list.map((y_) => y_.mul(x)))(a));
  jit((x: NDArray) => void np.sin(x))(a);
}
