import {
  checkGrads,
  evalShape,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  linearize,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  numpy as np,
  random,
  type ShapeDtype,
  stopGradient,
  tree,
  valueAndGrad,
  vjp,
  vjpAux,
  vmap,
} from "tsax";
import { exactly, returns } from "./check.js";

// Compiled by `npm run typecheck`, never run: transformations keep the structure of arguments and results.

interface Layer {
  w: NDArray;
  b: NDArray;
}
interface Model {
  readonly layers: readonly Layer[];
  readonly scale: number;
  readonly head?: Layer;
}
class Point {
  constructor(
    readonly x: NDArray,
    readonly y: NDArray,
  ) {}
  norm(): NDArray {
    return this.x.add(this.y);
  }
}
type Pair = [NDArray, Layer];

declare const x: NDArray;
declare const layer: Layer;
declare const model: Model;
declare const point: Point;
declare const pair: Pair;

const ofLayer = (p: Layer): NDArray => p.w.mul(p.b);
const ofModel = (m: Model, at: NDArray): NDArray => at.mul(m.scale);
const ofPoint = (p: Point): NDArray => p.norm();
const ofPair = ([a, b]: Pair): NDArray => a.mul(b.w);
const two = (a: NDArray, b: Layer): NDArray => a.mul(b.w);

export function unannotated(): void {
  const df = grad((y) => y.mul(y));
  returns<NDArray>()(df);
  df(3).item();
  const jitted = jit((a, b) => a.add(b));
  returns<NDArray>()(jitted);
  const mapped = vmap((a) => a.sum());
  returns<NDArray>()(mapped);
  const composed = jit(vmap(grad((y) => np.sin(y).mul(y))));
  returns<NDArray>()(composed);
  const [value, slope] = valueAndGrad((y) => y.mul(2))(3);
  exactly<NDArray>()(value);
  exactly<NDArray>()(slope);
}

export function unannotatedEverywhere(): void {
  const [y, t] = jvp((a) => a.mul(a), [3], [1]);
  exactly<NDArray>()(y);
  exactly<NDArray>()(t);
  const [z, pull] = vjp((a, b) => a.mul(b), 3, x);
  exactly<NDArray>()(z);
  pull(1);
  const [v, push] = linearize((a) => a.sum(), x);
  exactly<NDArray>()(v);
  push(2);
  const transposed = linearTranspose((one: NDArray) => one.mul(2), x);
  returns<[one: NDArray]>()(transposed);
  const [ct] = linearTranspose((a) => a.mul(2), x)(x);
  ct.mul(2);
  const shape = evalShape((a, b) => a.matmul(b), { shape: [2, 3], dtype: "float32" }, x);
  exactly<ShapeDtype>()(shape);
  String(makeJaxpr((a) => [a, a.neg()])({ shape: [2], dtype: "int32" }));
  checkGrads((a) => a.mul(a), [3]);
  const h = hessian((a) => a.sum())(x);
  exactly<NDArray>()(h);
}

export function functionsOfTheLibrary(): void {
  const sine = jit(np.sin);
  returns<NDArray>()(sine);
  grad(np.sin)(1).mul(2);
  jit(vmap(np.sum))(x).mul(2);
  jvp(np.multiply, [1, x], [1, x]);
  vjp(np.tanh, 0.5)[1](1);
}

export function transformedTwice(): void {
  const second = grad(grad((a: NDArray) => a.mul(a)))(1);
  exactly<NDArray>()(second);
  const ofJitted = grad(jit(ofLayer))(layer);
  exactly<NDArray>()(ofJitted.w);
  const asLayer: Layer = ofJitted;
  void asLayer;
  const rows = vmap(grad(ofLayer), { inAxes: 0 })(layer);
  const rowsAsLayer: Layer = rows;
  void rowsAsLayer;
  const scalar = grad(jit((a: NDArray) => a.mul(a)))(3);
  exactly<NDArray>()(scalar);
}

interface Chain {
  value: NDArray;
  next?: Chain;
}
type Nested = NDArray | { [name: string]: Nested };
class Hidden {
  private readonly calls = 1;
  constructor(readonly w: NDArray) {
    void this.calls;
  }
}
declare const chain: Chain;
declare const nested: Nested;
declare const hidden: Hidden;

export function recursiveTypesAndPrivateMembers(): void {
  const dc: Chain = grad((c: Chain) => c.next?.value ?? c.value)(chain);
  const dn: Nested = grad((n: Nested) => n as NDArray)(nested);
  const dh: Hidden = grad((h: Hidden) => h.w)(hidden);
  const same: Hidden = jit((h: Hidden) => h)(hidden);
  void [dc, dn, dh, same];
}

export function numbersBecomeArrays(): void {
  const counted = jit((a: NDArray) => ({ a, rank: 1, big: true }))(x);
  exactly<NDArray>()(counted.rank);
  exactly<NDArray>()(counted.big);
  const [y, t] = jvp((a: NDArray) => [a, 2] as [NDArray, number], [1], [1]);
  exactly<NDArray>()(y[1]);
  exactly<NDArray>()(t[1]);
}

export function gradients(): void {
  const dl = grad(ofLayer)(layer);
  exactly<Layer>()(dl);
  exactly<NDArray>()(dl.w);
  const dm = grad(ofModel)(model, x);
  exactly<NDArray>()(dm.scale);
  exactly<readonly Layer[]>()(dm.layers);
  const dp = grad(ofPoint)(point);
  dp.norm();
  exactly<NDArray>()(dp.x);
  const [d0, d1] = grad(ofPair)(pair);
  exactly<NDArray>()(d0);
  exactly<NDArray>()(d1.b);
}

export function argumentNumbers(): void {
  const [da, db] = grad(two, [0, 1])(x, layer);
  exactly<NDArray>()(da);
  exactly<Layer>()(db);
  const [ea, eb] = grad(two, { argnums: [0, 1] })(x, layer);
  exactly<NDArray>()(ea);
  exactly<Layer>()(eb);
  const swapped = grad(two, [1, 0]);
  returns<[Layer, NDArray]>()(swapped);
  const second = grad(two, 1)(x, layer);
  exactly<Layer>()(second);
  const named = grad(two, { argnums: 1 })(x, layer);
  exactly<Layer>()(named);
  const last = grad(two, -1)(x, layer);
  exactly<Layer>()(last);
  const lastNamed = grad(two, { argnums: -2 })(x, layer);
  exactly<NDArray>()(lastNamed);
  const [value, [va, vb]] = valueAndGrad(two, [0, 1])(x, layer);
  exactly<NDArray>()(value);
  exactly<NDArray>()(va);
  exactly<Layer>()(vb);
}

export function auxiliary(): void {
  const f = (p: Layer): [NDArray, { loss: NDArray; count: number }] => [p.w, { loss: p.b, count: 1 }];
  const [d, aux] = grad(f, { hasAux: true })(layer);
  exactly<Layer>()(d);
  exactly<NDArray>()(aux.loss);
  exactly<NDArray>()(aux.count);
  const [[value, more], slope] = valueAndGrad(f, { hasAux: true })(layer);
  exactly<NDArray>()(value);
  exactly<NDArray>()(more.loss);
  exactly<Layer>()(slope);
  const [[loss, extra], [dw, dx]] = valueAndGrad((w: NDArray, y: NDArray) => [w.mul(y), { y }] as const, {
    argnums: [0, 1],
    hasAux: true,
  })(x, 2);
  exactly<NDArray>()(loss);
  exactly<NDArray>()(extra.y);
  exactly<NDArray>()(dw);
  exactly<NDArray>()(dx);
  const [y, pull, rest] = vjpAux((p: Layer) => [p.w, { b: p.b }] as const, layer);
  exactly<NDArray>()(y);
  exactly<{ readonly b: NDArray }>()(rest);
  const [dl] = pull(x);
  exactly<Layer>()(dl);
}

export function forwardAndReverse(): void {
  const [y, t] = jvp(ofLayer, [layer], [layer]);
  exactly<NDArray>()(y);
  exactly<NDArray>()(t);
  const [p, tp] = jvp((a: NDArray) => new Point(a, a), [1], [2]);
  exactly<Point>()(p);
  tp.norm();
  const [z, pull] = vjp(two, x, layer);
  exactly<NDArray>()(z);
  const [ca, cb] = pull(1);
  exactly<NDArray>()(ca);
  exactly<Layer>()(cb);
  const [out, pullOut] = vjp((a: NDArray) => ({ a, twice: [a, a] as [NDArray, NDArray] }), 2);
  exactly<[NDArray, NDArray]>()(out.twice);
  pullOut({ a: 1, twice: [x, 2] });
  const [v, push] = linearize(ofModel, model, x);
  exactly<NDArray>()(v);
  returns<NDArray>()(push);
  const back = linearTranspose((a: NDArray) => ({ a }), x);
  const [ct] = back({ a: x });
  exactly<NDArray>()(ct);
}

export function jacobians(): void {
  const j = jacfwd((a) => np.sin(a))(x);
  exactly<NDArray>()(j);
  const tree = jacrev((p: Layer) => ({ u: p.w, v: p.b }))(layer);
  exactly<Layer>()(tree.u);
  exactly<NDArray>()(tree.v.w);
  const h = hessian(ofLayer)(layer);
  exactly<NDArray>()(h.w.b);
  const [ja, jb] = jacrev(two, [0, 1])(x, layer);
  exactly<NDArray>()(ja);
  exactly<Layer>()(jb);
}

export function mappedAndCompiled(): void {
  const m = vmap(two, { inAxes: [0, { w: 0, b: null }] });
  returns<NDArray>()(m);
  m(x, layer);
  const f = jit(ofModel);
  returns<NDArray>()(f);
  exactly<number>()(f.traceCount);
  f(model, 3);
  const stepped = jit((p: Layer, rate: number): Layer => ({ w: p.w.mul(rate), b: p.b }), { staticArgnums: 1 });
  returns<Layer>()(stepped);
  const withName = jit((a: NDArray, name: string): NDArray => (name === "a" ? a : a.neg()), { staticArgnums: 1 });
  withName(1, "a");
  returns<NDArray>()(withName);
  const compiled = f.lower(model, x).compile();
  returns<NDArray>()(compiled);
  const text: string = makeJaxpr(two)(x, layer).toString();
  void text;
  const shapes = evalShape(two, x, layer);
  exactly<ShapeDtype>()(shapes);
  const described = evalShape((a: NDArray) => [a, { a }] as const, { shape: [2], dtype: "float32" });
  exactly<ShapeDtype>()(described[0]);
  exactly<ShapeDtype>()(described[1]["a"]);
}

export function numbersWhereArraysAre(): void {
  two(x, layer);
  grad(two)(1, { w: 2, b: x });
  jit(ofModel)({ layers: [{ w: 1, b: true }], scale: 2 }, 3);
  vjp(two, 1, { w: 1, b: 2 });
  jvp(ofPair, [[1, { w: 1, b: 2 }]], [[1, { w: x, b: 2 }]]);
  np.add(1, x).mul(2).add(true);
  np.where(x.greater(0), 1, x);
  stopGradient(x).mul(2);
}

export function keysAndTrees(): void {
  const [k1, k2] = random.split(random.key(0));
  exactly<NDArray>()(k1);
  random.normal(k2, [2]);
  const [a, b, c] = random.split(random.key(0), 3);
  exactly<NDArray>()(a);
  random.uniform(b, [2]);
  random.uniform(c, [2]);
  const doubled = tree.map((leaf: NDArray) => leaf.mul(2), layer);
  exactly<Layer>()(doubled);
  const updated = tree.map((p, g) => p.sub(g), layer, grad(ofLayer)(layer));
  exactly<Layer>()(updated);
  exactly<Layer>()(tree.map(np.zerosLike, layer));
  exactly<{ a: number; b: number[] }>()(tree.map((leaf) => leaf * 2, { a: 1, b: [2] }));
}

export function refused(): void {
  // @ts-expect-error the checks themselves: types that are assignable but not the same
  exactly<number | NDArray>()(x);
  // @ts-expect-error unknown is not what the layer holds
  returns<unknown>()(ofLayer);
  // @ts-expect-error a string is no array
  grad(two)("x", layer);
  // @ts-expect-error the second argument is missing
  grad(two)(x);
  // @ts-expect-error a field is missing
  grad(ofLayer)({ w: x });
  // @ts-expect-error arrays have no operators
  void (x * 2);
  // @ts-expect-error an unknown option
  grad(two, { argnum: 1 });
  // @ts-expect-error an unknown option
  np.sum(x, { axes: 0 });
  // @ts-expect-error not a dtype
  np.zeros([2], { dtype: "float99" });
  // @ts-expect-error lists are no arrays
  np.sin([1, 2]);
  // @ts-expect-error a number is no function
  jit(3);
  // @ts-expect-error tangents have the structure of the primals
  jvp(ofLayer, [layer], [x]);
  // @ts-expect-error the result of a gradient keeps the argument's fields
  void grad(ofLayer)(layer).scale;
  // @ts-expect-error an unknown option of jit
  jit(two, { static: 0 });
}
