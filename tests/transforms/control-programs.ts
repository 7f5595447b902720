import {
  checkpoint,
  customJvp,
  customVjp,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  linearize,
  type NDArray,
  numpy as np,
  random,
  stopGradient,
  tree,
  vjp,
  vjpAux,
  vmap,
} from "../../src/index.js";
import { f32, i32, int as n, scalar as s } from "../arrays.js";

/** Programs of loops, branches and rules under transformations; `control_jax.py` has the same, by name. */

const u32 = (x: number): NDArray => np.array(x, { dtype: "uint32" });
const total = (t: unknown): NDArray =>
  tree
    .leaves(t)
    .map((x) => np.sum(x as NDArray))
    .reduce((a, b) => a.add(b));
const range = (k: number, ...shape: number[]): NDArray => np.arange(k, { dtype: "float32" }).reshape(shape);
type A = NDArray;

export const programs: Readonly<Record<string, () => unknown>> = {
  keys_in_a_carry() {
    const body = (k: A, x: A): [A, A] => {
      const both = random.split(k);
      return [both.slice(0), random.normal(both.slice(1)).mul(x)];
    };
    const [k, ys] = lax.scan(body, random.key(7), f32(1, 2, 3));
    return [random.keyData(k), ys];
  },
  keys_in_a_carry_mapped() {
    const run = (k: A) =>
      lax.foriLoop(0, 3, (i, [key, u]: [A, A]) => [random.foldIn(key, i), u.add(random.uniform(key, [2]))] as [A, A], [
        k,
        np.zeros([2]),
      ] as [A, A]);
    const [k, u] = vmap(run)(random.split(random.key(1), 3));
    return [random.keyData(k), u];
  },
  keys_through_cond() {
    const f = (p: A | boolean, k: A): A => lax.cond(p, (key: A) => random.foldIn(key, 1), (key: A) => key, k); // prettier-ignore
    return [
      random.keyData(f(true, random.key(3))),
      random.keyData(vmap(f)(np.array([true, false]), random.split(random.key(3)))),
    ];
  },
  keys_as_elements: () =>
    lax.scan(
      (c: A, k: A): [A, A] => [c.add(random.normal(k)), random.randint(k, [], 0, 10)],
      s(0),
      random.split(random.key(5), 4),
    ),
  integer_and_bool_carries() {
    const body = ([i, b, v]: [A, A, A], x: A): [[A, A, A], [A, A]] => [
      [i.add(x.astype("int32")), np.logicalXor(b, x.greater(1)), np.where(b, v.mul(x), v)],
      [i, b],
    ];
    const f = (v: A) => lax.scan(body, [n(0), np.array(false), v] as [A, A, A], f32(1, 2, 3, 0.5));
    return [f(s(2)), grad((v: A) => f(v)[0][2])(s(2)), jvp((v: A) => f(v)[0][2], [s(2)], [s(1)])];
  },
  weak_carry_becomes_strong: () => [
    lax.scan((c: A, x: A) => [c.add(x), x], 0.5, f32(1, 2)),
    lax.scan((c: A) => [c.add(1), c], 0, null, { length: 2 }),
    lax.foriLoop(0, 2, (_, c: A) => c.mul(2.5), 1.5),
    lax.whileLoop((c: A) => c.less(5), (c: A) => c.mul(2.5), 1), // prettier-ignore
  ],
  weak_types_of_branches() {
    const f = (p: A | boolean) => lax.cond(p, () => 1.5, () => 2.5); // prettier-ignore
    const g = (p: boolean) => lax.cond(p, (): A | number => 2.5, (x: A) => x, s(3)); // prettier-ignore
    return [f(true), g(true), jit(f)(true), vmap(f)(np.array([true, false])), lax.switch(1, [() => 1, () => 2])];
  },
  weak_type_of_a_counter: () => [
    lax.foriLoop(0, 3, (i, c: A) => c.add(i), s(0)),
    lax.foriLoop(n(0), n(3), (i, c: A) => c.add(i), 0),
    lax.foriLoop(0, 3, (i, c: A) => i.mul(0.5).add(c), 0.5),
  ],
  scan_of_nothing() {
    const f = (c: A, xs: A) => lax.scan((d: A, x: A): [A, [A, A]] => [d.mul(x), [d, x.astype("int32")]], c, xs);
    const xs = np.zeros([0, 2]);
    return [
      f(f32(1, 2), xs),
      jvp((c: A) => f(c, xs)[0], [f32(1, 2)], [f32(3, 4)]),
      grad((c: A) => total(f(c, xs)[0]))(f32(1, 2)),
      vmap(f, { inAxes: [0, null] })(np.ones([3, 2]), xs),
    ];
  },
  scan_of_length_zero_mapped: () =>
    vmap((c: A) => lax.scan((d: A) => [np.sin(d), d], c, null, { length: 0 }))(f32(1, 2, 3)),
  while_with_several_carries_mapped() {
    type S = { i: A; v: A; w: A };
    const f = (x: A, k: A): S =>
      lax.whileLoop(
        ({ v, i }: S) => np.logicalAnd(v.less(50), i.less(k)),
        ({ i, v, w }: S) => ({ i: i.add(1), v: v.mul(x), w: w.sub(v.div(x)) }),
        { i: n(0), v: x, w: s(1) },
      );
    const [a, b] = [f32(1.5, 3, 10), i32(3, 9, 0)];
    return [vmap(f)(a, b), vmap(f, { inAxes: [null, 0] })(s(2), b), jvp((x: A) => vmap(f)(x, b), [a], [np.ones([3])])];
  },
  while_of_a_shared_predicate_mapped() {
    const f = (x: A) =>
      lax.whileLoop(
        ([i]) => i.less(3),
        ([i, v, w]) => [i.add(1), v.mul(x).add(w), w] as [A, A, A],
        [0, x, s(2)] as [number, A, A],
      );
    return [vmap(f)(f32(1, 2)), vmap((x: A) => f(x)[0])(f32(1, 2))];
  },
  while_in_while_mapped() {
    const inner = (x: A): A => lax.whileLoop((v: A) => v.less(10), (v: A) => v.mul(2).add(1), x); // prettier-ignore
    const f = (x: A): A =>
      lax.whileLoop(
        ([i]) => i.less(3),
        ([i, v]) => [i.add(1), inner(v).div(3)] as [A, A],
        [0, x] as [number, A],
      )[1];
    return [vmap(f)(f32(0, 5, 30)), jvp(vmap(f), [f32(0, 5, 30)], [f32(1, 1, 1)])];
  },
  cond_with_captured_tracers() {
    const f = (x: A, y: A): A => lax.cond(x.greater(0), () => np.sin(x).mul(y), () => x.mul(x).add(y)); // prettier-ignore
    return [
      grad(f, [0, 1])(s(1), s(2)),
      grad(f, [0, 1])(s(-1), s(2)),
      vmap(grad(f, [0, 1]))(f32(1, -1), f32(2, 3)),
      jit(vmap(jit(f), { inAxes: [0, null] }))(f32(1, -1), s(2)),
      hessian(f, [0, 1])(s(1), s(2)),
    ];
  },
  cond_of_which_only_one_branch_moves() {
    const f = (p: boolean, x: A): [A, A] =>
      lax.cond(p, (y: A): [A, A] => [y.mul(2), s(1)], (y: A): [A, A] => [s(3), y], x); // prettier-ignore
    return [
      jvp((x: A) => f(true, x), [s(2)], [s(1)]),
      jvp((x: A) => f(false, x), [s(2)], [s(1)]),
      vjp((x: A) => f(false, x), s(2))[1]([s(1), s(5)]),
    ];
  },
  nested_conds_mapped() {
    const f = (x: A, i: A): A =>
      lax.cond(
        x.greater(0),
        (y: A) => lax.switch(i, [(z: A) => np.sin(z), (z: A) => np.cos(z), (z: A) => z.mul(z)], y),
        (y: A) =>
          lax.cond(
            i.greater(1),
            (z: A) => np.exp(z),
            (z: A) => z.neg(),
            y,
          ),
        x,
      );
    const [x, i] = [f32(1, -1, 2, -2), i32(0, 1, 2, 3)];
    return [vmap(f)(x, i), vmap(grad(f))(x, i), vmap(f, { inAxes: [0, null] })(x, n(2)), vmap(hessian(f))(x, i)];
  },
  switch_out_of_range() {
    const f = (i: A, x: A): A => lax.switch(i, [(y: A) => y, (y: A) => y.mul(2), (y: A) => y.mul(y)], x);
    const all = i32(-7, 0, 1, 2, 5);
    return [
      [-7, 5].map((k) => f(n(k), s(3))),
      vmap(f, { inAxes: [0, null] })(all, s(3)),
      vmap(grad(f, 1))(all, f32(3, 3, 3, 3, 3)),
    ];
  },
  switch_of_one_branch() {
    const f = (x: A): A => lax.switch(n(4), [(y: A) => y.mul(2)], x);
    return [f(s(3)), grad(f)(s(3))];
  },
  cond_of_a_number() {
    const f = (p: A | number): A => lax.cond(p, (x: A) => x.add(1), (x: A) => x.sub(1), s(1)); // prettier-ignore
    return [f(n(2)), f(s(0)), f(0.5), jit(f)(n(0))];
  },
  fori_with_static_bounds_derived() {
    const f = (x: A): A => lax.foriLoop(1, 5, (i, c: A) => c.mul(x).add(i), s(1));
    return [f(s(1.5)), grad(f)(s(1.5)), grad(grad(f))(s(1.5)), vmap(grad(f))(f32(0.5, 1)), jacfwd(jacrev(f))(s(1.5))];
  },
  fori_downwards: () => [
    lax.foriLoop(5, 1, (i, c: A) => c.add(i), s(1)),
    grad((x: A) => lax.foriLoop(5, 1, (_, c: A) => c.mul(x), x))(s(2)),
  ],
  fori_negative_bounds: () => lax.foriLoop(-3, 2, (i, c: A) => c.mul(10).add(i), n(0)),
  fori_traced_bounds_mapped() {
    const f = (lo: A | number, hi: A | number, x: A): A => lax.foriLoop(lo, hi, (i, c: A) => c.mul(x).add(i), x);
    return [
      vmap(f, { inAxes: [0, 0, null] })(i32(0, 1, 2), i32(3, 3, 3), s(2)),
      jvp((x: A) => f(n(0), n(3), x), [s(2)], [s(1)]),
      jit(f)(0, 3, s(2)),
    ];
  },
  linearize_of_scan() {
    const f = (c: A, xs: A) =>
      lax.scan((d: A, x: A): [A, { y: A; z: A }] => [np.tanh(d.mul(x)), { y: d.mul(d), z: x }], c, xs);
    const [y, push] = linearize(f, s(0.5), f32(1, 2, 3));
    return [y, push(s(1), f32(0, 1, 0)), push(s(0), f32(1, 1, 1))];
  },
  vjp_of_scan_with_aux() {
    const f = (c: A, xs: A) => {
      const [last, ys] = lax.scan((d: A, x: A): [A, A] => [np.sin(d).mul(x), d.greater(0.5)], c, xs);
      return [last, { ys, n: n(3) }] as const;
    };
    const [y, back, aux] = vjpAux(f, s(0.5), f32(1, 2, 3));
    return [y, back(s(2)), aux];
  },
  jacobians_over_scan() {
    const f = (xs: A): A => lax.scan((c: A, x: A): [A, A] => [np.sin(c.add(x)), c.mul(x)], s(0.3), xs)[1];
    const xs = f32(0.5, -1, 2);
    return [jacfwd(f)(xs), jacrev(f)(xs), jacfwd(jacrev(f))(xs), jacrev(jacfwd(f))(xs)];
  },
  reverse_scan_of_trees_with_none() {
    type C = { h: A; none: null; k: A };
    const f = (p: { w: A; b: null }, xs: { u: A; v: null }) =>
      lax.scan(
        (c: C, x: { u: A; v: null }) => [
          { h: np.tanh(np.dot(c.h, p.w).add(x.u)), none: null, k: c.k.add(1) },
          [x.u.mul(2), null, [np.sum(c.h)]] as const,
        ],
        { h: np.zeros([2]), none: null, k: n(0) },
        xs,
        { reverse: true },
      );
    const p = { w: f32(0.1, 0.2, 0.3, 0.4).reshape([2, 2]), b: null };
    const xs = { u: range(6, 3, 2).div(10), v: null };
    return [f(p, xs), grad((q: { w: A; b: null }) => total(f(q, xs)[0].h).add(total(f(q, xs)[1])))(p)];
  },
  scan_in_scan_derived() {
    const outer = (c: A, x: A): [A, A] => {
      const [d, ys] = lax.scan((e: A, y: A): [A, A] => [e.mul(y).add(x), e], c, f32(0.5, 0.25));
      return [d, np.sum(ys)];
    };
    const f = (c: A, xs: A) => lax.scan(outer, c, xs);
    return [
      f(s(1), f32(1, 2)),
      grad((c: A, xs: A) => total(f(c, xs)), [0, 1])(s(1), f32(1, 2)),
      jacfwd(jacrev((xs: A) => f(s(1), xs.mul(xs))[1]))(f32(1, 2)),
    ];
  },
  scan_mapped_over_axes() {
    const f = (c: A, xs: A) => lax.scan((d: A, x: A): [A, A] => [d.mul(0.5).add(x), np.sum(d)], c, xs);
    const xs = range(24, 2, 3, 4).div(10);
    return [
      vmap(f, { inAxes: [null, 0] })(np.ones([4]), xs),
      vmap(f, { inAxes: [0, 1], outAxes: 1 })(np.ones([3, 4]), xs),
      vmap(f, { inAxes: [0, null] })(np.ones([2, 4]), xs.slice(0)),
    ];
  },
  unrolled_scans() {
    const f = (unroll: number | boolean) =>
      lax.scan((c: A, x: A): [A, A] => [c.mul(x).add(1), c], s(1), f32(1, 2, 3, 4, 5), { unroll });
    const g = (x: A): A => lax.scan((c: A, y: A) => [np.sin(c.mul(y)), null], x, f32(1, 2, 3), { unroll: 2 })[0];
    return [f(2), f(5), f(true), grad(g)(s(0.5))];
  },
  custom_vjp_in_scan_mapped() {
    const clip = customVjp((x: A) => x.mul(x)).defvjp(
      (x: A) => [x.mul(x), x] as const,
      (x, g) => [np.clip(g.mul(2).mul(x), -1, 1)],
    );
    const f = (c: A, xs: A): A => lax.scan((d: A, x: A) => [clip(d).add(x), d], c, xs)[0];
    const [c, xs] = [f32(0.5, 2), f32(1, -1, 0.3)];
    return [
      vmap(grad(f), { inAxes: [0, null] })(c, xs),
      grad((d: A) => np.sum(vmap(f, { inAxes: [0, null] })(d, xs)))(c),
      jit(vmap(grad(f, 1), { inAxes: [0, null] }))(c, xs),
    ];
  },
  custom_jvp_in_while() {
    const f = customJvp((x: A) => np.sin(x)).defjvp(([x], [t]) => [np.sin(x), np.cos(x).mul(2).mul(t)]);
    const g = (x: A): A =>
      lax.whileLoop(
        ([i]) => i.less(3),
        ([i, v]) => [i.add(1), f(v)] as [A, A],
        [0, x] as [number, A],
      )[1];
    return [jvp(g, [s(1)], [s(1)]), jvp(vmap(g), [f32(1, 2)], [f32(1, 0)]), jacfwd(g)(s(1))];
  },
  custom_jvp_in_cond_derived_twice() {
    const f = customJvp((x: A, y: A) => x.mul(y)).defjvps(
      (t, _o, _x, y) => y.mul(3).mul(t),
      (t, _o, x) => x.mul(t),
    );
    const g = (x: A): A => lax.cond(x.greater(0), (y: A) => f(y, y.mul(y)), (y: A) => y, x); // prettier-ignore
    return [grad(g)(s(2)), grad(grad(g))(s(2)), vmap(grad(g))(f32(2, -2))];
  },
  custom_vjp_with_nondiff_argument() {
    const app = customVjp((f: (x: A) => A, x: A) => f(x), { nondiffArgnums: [0] }).defvjp(
      (f: (x: A) => A, x: A) => [f(x), [x, 7] as const] as const,
      (f, [x, k], g) => [g.mul(f(x)).mul(k)],
    );
    return [
      grad((x: A) => app((y: A) => np.sin(y), x.mul(2)))(s(1)),
      vmap(grad((x: A) => app((y: A) => np.cos(y), x)))(f32(1, 2)),
    ];
  },
  custom_vjp_of_trees() {
    type P = { x: A; y: A };
    const value = (p: P, i: A) => ({ a: p.x.mul(i), b: np.sum(p.y) });
    const f = customVjp(value).defvjp(
      (p: P, i: A) => [value(p, i), [p, i] as const] as const,
      (_, g) => [{ x: g.a.mul(10), y: np.full([2], g.b) }, null],
    );
    const p = { x: s(2), y: f32(1, 2) };
    const loss = (q: P): A => total(f(q, n(3)));
    return [grad(loss)(p), jit(grad(loss))(p)];
  },
  checkpoint_in_scan() {
    const body = checkpoint((c: A, x: A): [A, A] => [np.sin(c).mul(x), np.cos(c)]);
    const f = (c: A, xs: A): A => total(lax.scan(body, c, xs));
    const [c, xs] = [s(0.5), f32(1, 2, 3)];
    return [grad(f, [0, 1])(c, xs), hessian(f)(c, xs), vmap(grad(f), { inAxes: [0, null] })(f32(0.5, 1), xs)];
  },
  scan_in_checkpoint() {
    const f = checkpoint((c: A): A => lax.scan((d: A, x: A) => [np.sin(d).mul(x), d], c, f32(1, 2, 3))[0]);
    return [grad(f)(s(0.5)), grad(grad(f))(s(0.5)), jvp(grad(f), [s(0.5)], [s(1)])];
  },
  remat_of_cond() {
    const f = checkpoint(
      (x: A): A =>
      lax.cond(x.greater(0), (y: A) => np.sin(np.sin(y)), (y: A) => y.mul(y), x), // prettier-ignore
    );
    return [vmap(grad(f))(f32(1, -1)), grad(grad(f))(s(1)), grad(f)(s(-3))];
  },
  named_axes_in_scan() {
    const f = (x: A) =>
      lax.scan((c: A, y: A): [A, A] => [c.add(lax.psum(c.mul(y), "i")), lax.axisIndex("i").mul(c)], x, f32(1, 0.5));
    const x = f32(1, 2, 3);
    return [vmap(f, { axisName: "i" })(x), grad((y: A) => total(vmap(f, { axisName: "i" })(y)))(x)];
  },
  named_axes_in_cond() {
    const f = (p: A | boolean, x: A): A => lax.cond(p, (y: A) => lax.psum(y, "i"), (y: A) => y.mul(10), x); // prettier-ignore
    const options = { inAxes: [null, 0], axisName: "i" } as const;
    return [vmap(f, options)(true, f32(1, 2)), vmap(grad(f, 1), options)(true, f32(1, 2))];
  },
  associative_scans() {
    type E = [A, A];
    const mul = ([a, b]: E, [c, d]: E): E => [a.mul(c), b.mul(c).add(d)];
    const e: E = [f32(1, 2, 3, 4, 5), f32(1, -1, 2, 0, 3)];
    const f = (x: E): E => lax.associativeScan(mul, x);
    return [
      f(e),
      lax.associativeScan((a: A, b: A) => np.maximum(a, b), i32(3, 1, 4, 1, 5), { reverse: true }),
      grad((x: E) => total(f(x)))(e),
      lax.associativeScan((a: A, b: A) => a.add(b), range(6, 2, 3), { axis: 1 }),
      vmap((x: A) => lax.associativeScan((a: A, b: A) => a.mul(b), x))(range(6, 2, 3).add(1)),
    ];
  },
  lax_map() {
    type E = [A, A];
    const f = ([a, b]: E) => ({ s: a.mul(np.sum(b)), n: a.greater(1) });
    const e: E = [f32(1, 2, 3), range(6, 3, 2)];
    return [
      lax.map(f, e),
      lax.map(f, e, { batchSize: 2 }),
      grad((x: E) => np.sum(lax.map(f, x).s))(e),
      vmap((x: A) => lax.map((y: A) => np.sin(y), x))(range(4, 2, 2)),
    ];
  },
  jit_in_scan_of_vmap_of_grad() {
    const slope = vmap(grad((p: A, x: A) => np.square(p.mul(x).sub(1))), { inAxes: [null, 0] }); // prettier-ignore
    const step = jit((p: A, x: A): A => p.sub(np.mean(slope(p, x)).mul(0.1)));
    const xs = range(6, 3, 2).div(3);
    return [
      lax.scan((p: A, x: A) => [step(p, x), p], s(0), xs),
      jacrev((p: A) => lax.scan((q: A, x: A) => [step(q, x), null], p, xs)[0])(s(0)),
    ];
  },
  scan_whose_carry_is_replaced() {
    const f = (a: A, b: A) =>
      lax.scan(([c, d]: [A, A]) => [[d, c.mul(2)] as [A, A], c], [a, b] as [A, A], null, { length: 3 });
    return [
      f(s(1), s(5)),
      jvp((a: A) => f(a, s(5)), [s(1)], [s(1)]),
      vjp((a: A, b: A) => f(a, b)[0], s(1), s(5))[1]([s(1), s(10)]),
      vmap(f, { inAxes: [0, null] })(f32(1, 2), s(5)),
    ];
  },
  carries_that_begin_unmapped() {
    const f = (x: A) =>
      lax.scan(
        ([a, b]: [A, A, A]) => [[a.add(1), b.add(a.mul(x)), x] as [A, A, A], null],
        [0, s(0), s(0)] as [number, A, A],
        null,
        { length: 3 },
      )[0];
    return [vmap(f)(f32(1, 2)), jvp(f, [s(2)], [s(1)]), grad((x: A) => f(x)[1])(s(2))];
  },
  indices_in_loops() {
    const body = (i: A, x: A): A => x.at(i).set(x.slice(i.sub(1)).add(x.slice(i.add(1).mod(4))));
    const f = (x: A): A => lax.foriLoop(1, 4, body, x);
    const x = f32(1, 2, 3, 4);
    return [f(x), jacrev(f)(x), jacfwd(f)(x), vmap(f)(np.stack([x, x.mul(2)]))];
  },
  dynamic_slices_in_scan() {
    const f = (x: A) =>
      lax.scan(
        (c: A, i: A): [A, A] => [
          lax.dynamicUpdateSlice(c, lax.dynamicSlice(c, [i], [2]).mul(2), [i.add(1)]),
          lax.dynamicIndexInDim(c, i, { keepdims: false }),
        ],
        x,
        i32(0, 2, 9),
      );
    const x = f32(1, 2, 3, 4);
    return [f(x), grad((y: A) => total(f(y)))(x), vmap(f)(range(8, 2, 4).add(1))];
  },
  stop_gradient_in_scan() {
    const f = (x: A): A => lax.scan((c: A) => [c.mul(stopGradient(c)).mul(x), c], x, null, { length: 2 })[0];
    return [grad(f)(s(2)), jvp(f, [s(2)], [s(1)])];
  },
  bool_result_of_a_scan: () => [
    lax.scan((c: A, x: A) => [np.logicalAnd(c, x.greater(0)), np.logicalNot(c)], np.array(true), f32(1, -1, 2)),
    vmap((x: A) => lax.scan((c: A, y: A) => [np.logicalOr(c, y.greater(x)), c], false, f32(1, -1, 2)))(f32(0, 5)),
  ],
  uint_carries_wrap: () => [
    lax.foriLoop(0, 4, (_, c: A) => c.mul(u32(65537)).add(u32(7)), u32(4000000000)),
    lax.scan((c: A, x: A) => [c.sub(x), c], u32(1), np.array([1, 1, 1], { dtype: "uint32" })),
  ],
};
