// Whole programs, written the way a user writes JavaScript: each takes the public namespace and returns what
// programs.data.json holds of JAX 0.10.2 for the same program.

const f32 = (t) => (v) => t.numpy.array(v, { dtype: "float32" });
const i32 = (t) => (v) => t.numpy.array(v, { dtype: "int32" });
// complex64 from a pair [re, im] or a list of pairs, handed over interleaved
const c64 = (t) => (v) => {
  const pairs = Array.isArray(v[0]) ? v : [v];
  return t.numpy.array(new Float32Array(pairs.flat()), { shape: pairs === v ? [v.length] : [], dtype: "complex64" });
};

// @program grad_polynomial | ad-basic
export const grad_polynomial = (t) => {
  const { numpy: np, grad } = t;
  const F = f32(t);
  const f = (x) => np.power(x, 3).mul(3).sub(np.power(x, 2).mul(2)).add(x).sub(5);
  return [-1.5, 0, 2.25].map((v) => [f(F(v)), grad(f)(F(v))]);
};

// @program vjp_multiple_outputs | ad-basic
export const vjp_multiple_outputs = (t) => {
  const { numpy: np, vjp } = t;
  const F = f32(t);
  const f = (x, y) => ({ p: x.mul(y), q: [np.sum(x), np.outer(x, y)] });
  const x = F([1, 2]),
    y = F([3, -1]);
  const [out, pull] = vjp(f, x, y);
  const ct = {
    p: F([1, 0.5]),
    q: [
      F(2),
      F([
        [1, 2],
        [3, 4],
      ]),
    ],
  };
  return { out, grads: pull(ct) };
};

// @program vjp_called_twice | ad-basic
export const vjp_called_twice = (t) => {
  const { numpy: np, vmap, vjp } = t;
  const F = f32(t);
  const [y, pull] = vjp((x) => np.stack([np.sum(np.power(x, 3)), np.prod(x)]), F([1, 2, -1.5]));
  return [y, pull(F([1, 0])), pull(F([0, 1])), vmap(pull)(np.eye(2))];
};

// @program unused_and_integer_inputs | ad-basic
export const unused_and_integer_inputs = (t) => {
  const { numpy: np, grad } = t;
  const F = f32(t),
    I = i32(t);
  const f = (x, n, _unused) => np.sum(np.square(x)).mul(n.astype("float32"));
  const x = F([1, 2]);
  return { g: grad(f)(x, I(3), F(5)), gu: grad(f, { argnums: 2 })(x, I(3), F([5, 1])) };
};

// @program grad_has_aux | argnums-aux
export const grad_has_aux = (t) => {
  const { numpy: np, grad } = t;
  const F = f32(t);
  const f = (x) => {
    const y = np.cumsum(x);
    return [np.sum(np.square(y)), { y, n: np.max(x) }];
  };
  const [g, aux] = grad(f, { hasAux: true })(F([1, -0.5, 2]));
  return { g, aux };
};

// @program value_and_grad_pytree | pytrees
export const value_and_grad_pytree = (t) => {
  const { numpy: np, valueAndGrad } = t;
  const F = f32(t);
  const f = (t) => {
    const [b, c] = t.bc;
    return np.sum(t.a.mul(b)).add(np.square(c.d).mul(np.prod(b)));
  };
  const tr = { a: F([1, 2]), bc: [F([3, 4]), { d: F(0.5) }] };
  return valueAndGrad(f)(tr);
};

// @program tree_map_update | pytrees
export const tree_map_update = (t) => {
  const { numpy: np, tree, grad } = t;
  const F = f32(t);
  const p = {
    l1: {
      w: F([
        [1, 2],
        [3, 4],
      ]),
      b: F([0.1, 0.2]),
    },
    l2: [F([5]), F([6])],
  };
  const loss = (p) =>
    tree
      .leaves(p)
      .map((x) => np.sum(np.sin(x)))
      .reduce((a, b) => a.add(b));
  const g = grad(loss)(p);
  const next = tree.map((a, b) => a.sub(b.mul(0.1)), p, g);
  const [leaves, tdef] = tree.flatten(next);
  const back = tree.unflatten(
    tdef,
    leaves.map((x) => x.mul(2)),
  );
  return { new: next, back, norm: tree.reduce((a, x) => a.add(np.sum(np.square(x))), g, F(0)) };
};

// @program perturbation_confusion_product | perturbation
export const perturbation_confusion_product = (t) => {
  const { grad, jvp } = t;
  const F = f32(t);
  const f = (x) => x.mul(grad((y) => x.mul(y).mul(y))(x.mul(2)));
  const g = (x) => jvp(f, [x], [F(1)])[1];
  return [grad(f)(F(1.5)), g(F(1.5)), grad(g)(F(1.5))];
};

// @program closure_over_outer_tracers | perturbation
export const closure_over_outer_tracers = (t) => {
  const { numpy: np, grad, jit } = t;
  const F = f32(t);
  const f = (x, y) => {
    const inner = (z) => np.sum(z.mul(x)).add(np.sum(np.cos(z).mul(y)));
    const z = np.stack([x, y.mul(x)]);
    return np.sum(grad(inner)(z).mul(z));
  };
  return [grad(f, { argnums: [0, 1] })(F(0.6), F(-1.1)), jit(grad(f))(F(0.6), F(-1.1))];
};

// @program third_derivative | higher-order
export const third_derivative = (t) => {
  const { numpy: np, grad } = t;
  const F = f32(t);
  const f = (x) => np.exp(x.neg()).mul(np.sin(x.mul(2)));
  const g = grad(grad(grad(f)));
  return np.stack([0, 0.5, 1.7].map((v) => g(F(v))));
};

// @program taylor_coefficients | higher-order
export const taylor_coefficients = (t) => {
  const { numpy: np, grad } = t;
  const F = f32(t);
  const f = (x) => np.log1p(x).div(np.square(x).add(1));
  const out = [];
  let g = f,
    fact = 1;
  for (let k = 0; k < 5; k++) {
    out.push(g(F(0.2)).div(fact));
    g = grad(g);
    fact *= k + 1;
  }
  return np.stack(out);
};

// @program jacobian_nonsquare | jacobian
export const jacobian_nonsquare = (t) => {
  const { numpy: np, jacfwd, jacrev } = t;
  const F = f32(t);
  const f = (x) => {
    const [a, b, c] = [0, 1, 2].map((i) => x.slice(i));
    return np.stack([a.mul(b), np.sin(c), a.add(b.mul(c)), np.exp(b)]);
  };
  const x = F([0.4, -0.7, 1.3]);
  return { fwd: jacfwd(f)(x), rev: jacrev(f)(x) };
};

// @program jacobian_pytrees | jacobian
export const jacobian_pytrees = (t) => {
  const { numpy: np, jacfwd, jacrev } = t;
  const F = f32(t);
  const f = (p) => ({ u: p.a.mul(np.sum(p.b)), v: np.dot(p.b, p.b) });
  const p = { a: F([1, 2]), b: F([0.5, -0.5, 1.5]) };
  return { fwd: jacfwd(f)(p), rev: jacrev(f)(p) };
};

// @program hessian_pytree_blocks | jacobian
export const hessian_pytree_blocks = (t) => {
  const { numpy: np, hessian } = t;
  const F = f32(t);
  const f = (p) => np.sum(np.square(p.x).mul(p.y)).add(np.prod(p.x));
  return hessian(f)({ x: F([1, 2]), y: F([0.5, -1]) });
};

// @program hvp_three_ways | hvp
export const hvp_three_ways = (t) => {
  const { numpy: np, grad, jvp, hessian } = t;
  const F = f32(t);
  const f = (x) => np.sum(np.sin(x).mul(np.square(np.roll(x, 1))));
  const x = F([0.3, -0.8, 1.2, 0.5]),
    v = F([1, 0.5, -0.25, 2]);
  const fr = jvp(grad(f), [x], [v])[1];
  const rr = grad((y) => np.vdot(grad(f)(y), v))(x);
  const rf = grad((y) => jvp(f, [y], [v])[1])(x);
  return [fr, rr, rf, np.matmul(hessian(f)(x), v)];
};

// @program grad_vmap_jit_all_orders | compose
export const grad_vmap_jit_all_orders = (t) => {
  const { numpy: np, grad, jit, vmap } = t;
  const F = f32(t);
  const f = (x) => np.sin(x).mul(np.square(x));
  const s = (g) => (xs) => np.sum(g(xs));
  const x = F([0.1, 0.7, -1.3]);
  return [
    vmap(grad(f))(x),
    jit(vmap(grad(f)))(x),
    vmap(jit(grad(f)))(x),
    vmap(grad(jit(f)))(x),
    grad(s(vmap(f)))(x),
    grad(s(jit(vmap(f))))(x),
    grad(s(vmap(jit(f))))(x),
    jit(grad(s(vmap(f))))(x),
    vmap(grad(grad(jit(f))))(x),
  ];
};

// @program vmap_of_jvp_and_vjp | compose
export const vmap_of_jvp_and_vjp = (t) => {
  const { numpy: np, vmap, jvp, vjp } = t;
  const F = f32(t);
  const f = (x) => np.stack([np.sum(np.square(x)), np.prod(x)]);
  const X = F([
      [1, 2, 3],
      [0.5, -1, 0.2],
    ]),
    V = F([
      [1, 0, 0],
      [0, 1, 1],
    ]);
  const push = (x, v) => jvp(f, [x], [v])[1];
  const pull = (x, c) => vjp(f, x)[1](c)[0];
  return [
    vmap(push)(X, V),
    vmap((c) => pull(X.slice(0), c))(np.eye(2)),
    vmap(pull, { inAxes: [0, null] })(X, F([1, 2])),
  ];
};

// @program vmap_nested_outer | vmap
export const vmap_nested_outer = (t) => {
  const { numpy: np, vmap } = t;
  const F = f32(t);
  const f = (x, y) => x.mul(y).add(np.sin(x));
  const x = F([1, 2, 3]),
    y = F([0.5, -1]);
  const v = (g, inAxes, o = {}) => vmap(g, { inAxes, ...o });
  return [
    v(v(f, [null, 0]), [0, null])(x, y),
    v(v(f, [0, null]), [null, 0])(x, y),
    v(v(f, [null, 0]), [0, null], { outAxes: 1 })(x, y),
  ];
};

// @program vmap_negative_and_inner_axes | vmap
export const vmap_negative_and_inner_axes = (t) => {
  const { numpy: np, vmap } = t;
  const F = f32(t);
  const x = np.arange(0, 24, 1, { dtype: "float32" }).reshape([2, 3, 4]);
  return [
    vmap((a) => np.sum(a), { inAxes: -1 })(x),
    vmap((a) => np.transpose(a), { inAxes: 1, outAxes: -1 })(x),
    vmap((a, b) => np.dot(a, b), { inAxes: [2, null] })(x, F([[1], [2], [3]])),
  ];
};

// @program vmap_linalg | vmap
export const vmap_linalg = (t) => {
  const { numpy: np, vmap } = t;
  const F = f32(t);
  const A = F([
    [
      [4, 1],
      [1, 3],
    ],
    [
      [2, 0.3],
      [0.3, 1.5],
    ],
    [
      [5, -1],
      [-1, 2],
    ],
  ]);
  const b = F([
    [1, 2],
    [0.5, -1],
    [3, 0],
  ]);
  const la = np.linalg;
  return [
    vmap((a) => la.cholesky(a))(A),
    vmap((a, v) => la.solve(a, v))(A, b),
    vmap((a) => la.det(a))(A),
    vmap((a, v) => la.solve(a, v), { inAxes: [0, null] })(A, b.slice(0)),
    vmap((a) => la.eigvalsh(a))(A),
    vmap((a) => np.matmul(la.inv(a), a))(A),
  ];
};

// @program vmap_scatter | vmap
export const vmap_scatter = (t) => {
  const { numpy: np, vmap } = t;
  const F = f32(t),
    I = i32(t);
  const x = np.zeros([3, 4]);
  const idx = I([1, 0, 3]),
    v = F([1, 2, 3]);
  return [
    vmap((r, i, u) => r.at(i).set(u))(x, idx, v),
    vmap((i) => np.zeros([4]).at(i).add(F(1)))(idx),
    vmap((u) =>
      np
        .ones([4])
        .at(I([0, 2, 2]))
        .add(u),
    )(
      F([
        [1, 2, 3],
        [0.1, 0.2, 0.3],
      ]),
    ),
  ];
};

// @program axis_name_batchnorm_grad | collectives
export const axis_name_batchnorm_grad = (t) => {
  const { numpy: np, lax, grad, vmap } = t;
  const F = f32(t);
  const bn = (x) => {
    const m = lax.pmean(x, "b"),
      v = lax.pmean(np.square(x.sub(m)), "b");
    return x.sub(m).div(np.sqrt(v.add(1e-3)));
  };
  const loss = (X) => np.sum(np.power(vmap(bn, { axisName: "b" })(X), 3));
  const X = F([
    [1, 2],
    [0, -1],
    [3, 0.5],
  ]);
  return [vmap(bn, { axisName: "b" })(X), grad(loss)(X)];
};

// @program axis_name_two_axes | collectives
export const axis_name_two_axes = (t) => {
  const { lax, vmap } = t;
  const F = f32(t);
  const f = (x) => [
    lax.psum(x, "i"),
    lax.psum(x, "j"),
    lax.psum(lax.psum(x, "i"), "j"),
    x.mul(lax.axisIndex("i")).add(lax.axisIndex("j")),
  ];
  return vmap(vmap(f, { axisName: "j" }), { axisName: "i" })(
    F([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  );
};

// @program jit_static_args | jit
export const jit_static_args = (t) => {
  const { numpy: np, grad, jit } = t;
  const F = f32(t);
  const f = jit((x, n, mode) => (mode === "pow" ? np.power(x, n) : x.mul(n)), { staticArgnums: [1, 2] });
  const x = F([1, 2]);
  return [f(x, 3, "pow"), f(x, 3, "mul"), f(x, 2, "pow"), grad((y) => np.sum(f(y, 3, "pow")))(x)];
};

// @program jit_nested_closures | jit
export const jit_nested_closures = (t) => {
  const { numpy: np, grad, jit } = t;
  const F = f32(t);
  const c = F([1, 2]);
  const inner = jit((x) => np.sin(x).add(c));
  const outer = jit((x, k) =>
    inner(x)
      .mul(inner(x.mul(k)))
      .add(inner(c)),
  );
  return [outer(F([0.5, 0.25]), F(2)), grad((x) => np.sum(outer(x, x.slice(0))))(F([0.5, 0.25]))];
};

// @program eval_shape_program | jit
export const eval_shape_program = (t) => {
  const { numpy: np, evalShape } = t;
  const I = i32(t);
  const f = (p, x) => ({ y: np.einsum("bi,ij->bj", x, p.w), m: np.max(x, 0), i: np.argmax(x) });
  const s = evalShape(f, { w: np.zeros([3, 4]) }, np.zeros([2, 3]));
  return { y: I(s.y.shape), m: I(s.m.shape), i: I(s.i.shape.length) };
};

// @program cond_closure_tracers | cond
export const cond_closure_tracers = (t) => {
  const { numpy: np, lax, grad, jit } = t;
  const F = f32(t);
  const f = (x, w) => {
    const y = x.mul(w);
    return lax.cond(
      np.greater(np.sum(x), 0),
      () => np.sum(np.square(y)),
      () => np.sum(w).mul(2),
    );
  };
  const g = grad(f, { argnums: [0, 1] });
  return [g(F([1, 2]), F([3, 0.5])), g(F([-1, -2]), F([3, 0.5])), jit(grad(f, { argnums: 1 }))(F([1, 2]), F([3, 0.5]))];
};

// @program cond_nested_pytree | cond
export const cond_nested_pytree = (t) => {
  const { numpy: np, lax, jit, jvp } = t;
  const F = f32(t);
  const f = (a, b) =>
    lax.cond(
      np.greater(a, b),
      (p) =>
        lax.cond(
          np.greater(p[0], 10),
          (q) => ({ r: q[0], s: q[1] }),
          (q) => ({ r: q[1], s: q[0] }),
          p,
        ),
      (p) => ({ r: p[0].mul(0), s: p[1].mul(2) }),
      [a, b],
    );
  return [f(F(20), F(1)), f(F(5), F(1)), jit(f)(F(0), F(1)), jvp(f, [F(5), F(1)], [F(1), F(2)])[1]];
};

// @program switch_vmap_batched_index | cond
export const switch_vmap_batched_index = (t) => {
  const { numpy: np, lax, grad, jit, vmap } = t;
  const F = f32(t),
    I = i32(t);
  const br = [(x) => np.sum(x), (x) => np.max(x).mul(2), (x) => x.slice(0).sub(x.slice(1))];
  const f = (i, x) => lax.switch(i, br, x);
  const X = F([
    [1, 2],
    [3, -1],
    [0.5, 0.25],
  ]);
  return [
    vmap(f)(I([2, 0, 1]), X),
    vmap(grad(f, { argnums: 1 }))(I([2, 0, 1]), X),
    jit(vmap(f, { inAxes: [null, 0] }))(I(1), X),
  ];
};

// @program while_collatz | while
export const while_collatz = (t) => {
  const { numpy: np, lax, jit, vmap } = t;
  const I = i32(t);
  const steps = (n) =>
    lax.whileLoop(
      ([n]) => np.notEqual(n, 1),
      ([n, k]) => [np.where(np.equal(np.remainder(n, 2), 0), np.floorDivide(n, 2), n.mul(3).add(1)), k.add(1)],
      [n, I(0)],
    )[1];
  return [steps(I(27)), jit(steps)(I(7)), vmap(steps)(I([1, 2, 3, 6, 7, 9]))];
};

// @program while_vmap_different_trip_counts | while
export const while_vmap_different_trip_counts = (t) => {
  const { numpy: np, lax, jit, vmap } = t;
  const F = f32(t),
    I = i32(t);
  const f = (x, lim) =>
    lax.whileLoop(
      (s) => np.less(s.v, lim),
      (s) => ({ v: s.v.mul(1.5), n: s.n.add(1) }),
      { v: x, n: I(0) },
    );
  return [
    vmap(f, { inAxes: [0, null] })(F([1, 5, 20]), F(30)),
    vmap(f, { inAxes: [null, 0] })(F(1), F([0.5, 2, 9])),
    jit(vmap(f))(F([1, 2]), F([10, 3])),
  ];
};

// @program fori_dynamic_bounds | fori
export const fori_dynamic_bounds = (t) => {
  const { lax, jit, vmap, jvp } = t;
  const F = f32(t),
    I = i32(t);
  const f = (n, x) => lax.foriLoop(0, n, (i, y) => y.mul(1.1).add(i), x);
  return [
    jit(f)(I(4), F(1)),
    vmap(f, { inAxes: [0, null] })(I([0, 2, 5]), F(1)),
    lax.foriLoop(3, 3, (i, y) => y.add(1), F(7)),
    jvp((x) => f(I(3), x), [F(1)], [F(1)]),
  ];
};

// @program fori_fibonacci_table | fori
export const fori_fibonacci_table = (t) => {
  const { numpy: np, lax, grad, jacfwd } = t;
  const F = f32(t);
  const body = (i, tb) => tb.at(i).set(tb.slice(i.sub(1)).add(tb.slice(i.sub(2))));
  const f = (a, b) => lax.foriLoop(2, 10, body, np.zeros([10]).at(0).set(a).at(1).set(b));
  return [f(F(1), F(1)), jacfwd(f)(F(1), F(1)), grad((a, b) => f(a, b).slice(9), { argnums: [0, 1] })(F(1), F(1))];
};

// @program scan_cumulative_grad | scan
export const scan_cumulative_grad = (t) => {
  const { numpy: np, lax, grad, jit, jvp } = t;
  const F = f32(t);
  const f = (c0, xs, w) => {
    const step = (c, x) => {
      const d = np.tanh(w.mul(c).add(x));
      return [d, np.square(d)];
    };
    const [c, ys] = lax.scan(step, c0, xs);
    return np.sum(ys).add(c);
  };
  const a = [F(0.1), F([0.5, -0.3, 0.8, 0.2]), F(0.9)];
  return [
    f(...a),
    grad(f, { argnums: [0, 1, 2] })(...a),
    jvp(f, a, [F(1), F([1, 0, 0, 1]), F(0.5)]),
    jit(grad(f, { argnums: 2 }))(...a),
  ];
};

// @program scan_length_only | scan
export const scan_length_only = (t) => {
  const { numpy: np, lax, grad } = t;
  const F = f32(t);
  const f = (x) => lax.scan((c, _) => [c.mul(x), c], F(1), null, { length: 5 });
  return [f(F(2)), grad((x) => f(x)[0])(F(1.5)), grad((x) => np.sum(f(x)[1]))(F(1.5))];
};

// @program scan_vmap_mixed_batching | scan
export const scan_vmap_mixed_batching = (t) => {
  const { lax, grad, vmap } = t;
  const F = f32(t);
  const run = (c, xs, w) => lax.scan((c, x) => [c.mul(w).add(x), c], c, xs);
  const xs = F([1, 2, 3]);
  const v = (inAxes) => vmap(run, { inAxes });
  return [
    v([0, null, null])(F([0, 1]), xs, F(0.5)),
    v([null, null, 0])(F(0), xs, F([0.5, 2])),
    v([null, 1, null])(
      F(0),
      F([
        [1, 4],
        [2, 5],
        [3, 6],
      ]),
      F(0.5),
    ),
    vmap(
      grad((w, c) => run(c, xs, w)[0]),
      { inAxes: [0, null] },
    )(F([0.5, 1.5]), F(1)),
  ];
};

// @program lax_map_vs_vmap | map
export const lax_map_vs_vmap = (t) => {
  const { numpy: np, lax, vmap } = t;
  const F = f32(t);
  const f = (x) => np.linalg.norm(x).mul(np.flip(x));
  const X = F([
    [3, 4],
    [1, 0],
    [0.6, 0.8],
  ]);
  return [lax.map(f, X), vmap(f)(X), vmap((s) => lax.map((x) => x.mul(s), X))(F([1, 2]))];
};

// @program associative_scan_matrices | map
export const associative_scan_matrices = (t) => {
  const { numpy: np, lax } = t;
  const F = f32(t);
  const M = F([
    [
      [1, 0.5],
      [0, 1],
    ],
    [
      [0.5, 0],
      [0.2, 1],
    ],
    [
      [1, -0.3],
      [0.4, 0.8],
    ],
    [
      [0.9, 0.1],
      [0, 1.1],
    ],
  ]);
  const mm = (a, b) => np.matmul(a, b);
  return [
    lax.associativeScan(mm, M),
    lax.associativeScan(mm, M, { reverse: true }),
    lax.associativeScan(
      (a, b) => np.maximum(a, b),
      F([
        [1, 3, 2],
        [5, 4, 6],
      ]),
      { axis: 1 },
    ),
  ];
};

// @program custom_jvp_log1pexp | custom-jvp
export const custom_jvp_log1pexp = (t) => {
  const { numpy: np, nn, grad, jit, vmap, jvp, hessian, customJvp } = t;
  const F = f32(t);
  const f = customJvp((x) => np.log(np.exp(x).add(1)));
  f.defjvp(([x], [dx]) => [f(x), nn.sigmoid(x).mul(dx)]);
  return [
    grad(f)(F(100)),
    vmap(grad(f))(F([-2, 0, 3])),
    jit(grad(grad(f)))(F(0.5)),
    jvp(f, [F(1)], [F(2)]),
    hessian((x) => np.sum(f(x)))(F([0.1, 0.2])),
  ];
};

// @program custom_jvp_nondiff | custom-jvp
export const custom_jvp_nondiff = (t) => {
  const { numpy: np, grad, jit, customJvp } = t;
  const F = f32(t);
  const app = customJvp((f, x) => f(x), { nondiffArgnums: [0] });
  app.defjvp((f, [x], [dx]) => [f(x), np.cos(x).mul(2).mul(dx)]);
  const s = (x) => np.sin(x);
  return [app(s, F(0.5)), grad((x) => app(s, x).mul(3))(F(0.5)), jit(grad((x) => app(s, x)))(F(0.2))];
};

// @program custom_vjp_residual_pytree | custom-vjp
export const custom_vjp_residual_pytree = (t) => {
  const { numpy: np, valueAndGrad, customVjp } = t;
  const F = f32(t);
  const f = customVjp((p, x) => [p.w.mul(np.sin(x)), np.sum(x)]);
  f.defvjp(
    (p, x) => [[p.w.mul(np.sin(x)), np.sum(x)], { c: np.cos(x), p, x }],
    (r, [a, b]) => [{ w: a.mul(np.sin(r.x)), b: b.mul(7) }, a.mul(r.p.w).mul(r.c).add(b)],
  );
  const loss = (p, x) => {
    const [a, b] = f(p, x);
    return np.sum(a).mul(b);
  };
  return valueAndGrad(loss, { argnums: [0, 1] })({ w: F([1, 2]), b: F(0.5) }, F([0.3, 0.6]));
};

// @program custom_vjp_straight_through | custom-vjp
export const custom_vjp_straight_through = (t) => {
  const { numpy: np, grad, valueAndGrad, jit, vmap, customVjp } = t;
  const F = f32(t);
  const q = customVjp((x) => np.round(x.mul(4)).div(4));
  q.defvjp(
    (x) => [q(x), null],
    (_, g) => [g],
  );
  const f = (w) => np.square(np.sum(q(w).mul(F([1, -2, 3]))));
  const w = F([0.3, 0.8, -0.6]);
  return [f(w), grad(f)(w), vmap(grad(f))(np.stack([w, w.mul(2)])), jit(valueAndGrad(f))(w)];
};

// @program implicit_fixed_point_custom_vjp | implicit
export const implicit_fixed_point_custom_vjp = (t) => {
  const { numpy: np, lax, grad, jit, vmap, vjp, customVjp } = t;
  const F = f32(t);
  const step = (a, x) => x.add(a.div(x)).mul(0.5);
  const run = (a) => lax.foriLoop(0, 30, (i, x) => step(a, x), np.onesLike(a));
  const root = customVjp((a) => run(a));
  root.defvjp(
    (a) => {
      const x = root(a);
      return [x, [a, x]];
    },
    ([a, x], g) => {
      const [, va] = vjp((b) => step(b, x), a),
        [, vx] = vjp((y) => step(a, y), x);
      const u = lax.foriLoop(0, 20, (i, u) => g.add(vx(u)[0]), g);
      return va(u);
    },
  );
  return [root(F(2)), grad(root)(F(2)), vmap(grad(root))(F([1, 4, 9])), jit(grad((a) => np.power(root(a), 3)))(F(3))];
};

// @program implicit_custom_linear_solve | implicit
export const implicit_custom_linear_solve = (t) => {
  const { numpy: np, lax, grad, jvp } = t;
  const F = f32(t);
  const A = F([
    [4, 1, 0.5],
    [1, 3, 0.2],
    [0.5, 0.2, 2],
  ]);
  const f = (s, b) =>
    lax.customLinearSolve(
      (x) => np.matmul(A.mul(s), x),
      b,
      (mv, b) => np.linalg.solve(A.mul(s), b),
      { symmetric: true },
    );
  const b = F([1, -2, 0.5]);
  const g = (s, b) => np.sum(np.square(f(s, b)));
  return [f(F(1.5), b), grad(g, { argnums: [0, 1] })(F(1.5), b), jvp(f, [F(1.5), b], [F(1), b])[1]];
};

// @program deep_equilibrium_and_anderson | implicit
export const deep_equilibrium_and_anderson = (t) => {
  const { numpy: np, lax, jvp, jacfwd, jacrev } = t;
  const F = f32(t);
  const W = F([
      [0.2, -0.1, 0.3],
      [0.1, 0.25, -0.2],
      [-0.3, 0.1, 0.15],
    ]),
    U = F([
      [1, 0],
      [0.5, -0.5],
      [0.2, 0.8],
    ]);
  const stop = (v) => lax.stopGradient(v);
  const deq = (W, x) => {
    const f = (z) => np.tanh(np.matmul(W, z).add(np.matmul(U, x)));
    const z = f(stop(lax.foriLoop(0, 40, (i, z) => f(z), np.zeros([3]))));
    const J = jacfwd(f)(stop(z));
    return stop(z).add(np.linalg.solve(np.eye(3).sub(stop(J)), z.sub(stop(z))));
  };
  const x = F([0.4, -0.9]);
  return [deq(W, x), jacrev(deq, { argnums: [0, 1] })(W, x), jvp(deq, [W, x], [W, x])[1]];
};

// @program checkpoint_in_scan | checkpoint
export const checkpoint_in_scan = (t) => {
  const { numpy: np, lax, grad, vmap, checkpoint } = t;
  const F = f32(t);
  const f = (a) =>
    lax.scan(
      checkpoint((c, x) => [np.sin(c.mul(a).add(x)), c]),
      F(0.5),
      F([0.1, 0.2, 0.3, 0.4]),
    );
  const g = (a) => {
    const [c, ys] = f(a);
    return c.add(np.sum(ys));
  };
  return [g(F(0.9)), grad(g)(F(0.9)), vmap(grad(g))(F([0.9, 1.4]))];
};

// @program stop_gradient_straight_through | stop-gradient
export const stop_gradient_straight_through = (t) => {
  const { numpy: np, lax, grad, jvp } = t;
  const F = f32(t);
  const st = (x) => x.add(lax.stopGradient(np.round(x).sub(x)));
  const f = (x) => np.sum(np.square(st(x)));
  const x = F([0.3, 1.7, -2.2]);
  return [
    f(x),
    grad(f)(x),
    grad((x) => np.sum(x.mul(lax.stopGradient(x))))(x),
    jvp((x) => lax.stopGradient(x).mul(2), [x], [x]),
  ];
};

// @program linearize_with_scan | linear
export const linearize_with_scan = (t) => {
  const { numpy: np, lax, jit, linearize } = t;
  const F = f32(t);
  const f = (x) => lax.scan((c, w) => [np.tanh(c.mul(w)), c], x, F([0.5, 1.5, -0.8]));
  const [out, lin] = linearize(f, F(0.7));
  return [out, lin(F(1)), lin(F(-2)), jit(lin)(F(1))];
};

// @program linear_transpose_conv | linear
export const linear_transpose_conv = (t) => {
  const { numpy: np, lax, linearTranspose } = t;
  const F = f32(t);
  const k = F([[[0.5, -1, 2]]]);
  const f = (x) => lax.convGeneralDilated(x, k, [2], [[1, 1]]);
  const x = F([[[1, 2, 3, 4, 5]]]);
  const y = f(x);
  const tr = linearTranspose(f, x);
  return [y, tr(np.onesLike(y)), tr(y)];
};

// @program python_if_under_grad | python-control
export const python_if_under_grad = (t) => {
  const { numpy: np, grad } = t;
  const F = f32(t);
  const f = (x) => (np.greater(x, 0).item() ? np.power(x, 3) : np.exp(x).mul(2));
  return [1.5, -0.5].map((v) => [f(F(v)), grad(f)(F(v)), grad(grad(f))(F(v))]);
};

// @program python_recursion_grad | python-control
export const python_recursion_grad = (t) => {
  const { numpy: np, grad, jit, vmap } = t;
  const F = f32(t);
  const f = (x, n) => (n === 0 ? x : np.sin(f(x, n - 1)).add(f(x, n - 1).mul(0.1)));
  const cheb = (n, x) =>
    n === 0
      ? np.onesLike(x)
      : n === 1
        ? x
        : x
            .mul(2)
            .mul(cheb(n - 1, x))
            .sub(cheb(n - 2, x));
  return [
    f(F(0.6), 4),
    grad((x) => f(x, 4))(F(0.6)),
    jit(grad((x) => f(x, 3)))(F(0.6)),
    vmap(grad((x) => cheb(5, x)))(F([0.1, 0.5])),
  ];
};

// @program ode_lotka_volterra_fit | ode
export const ode_lotka_volterra_fit = (t) => {
  const { numpy: np, lax, valueAndGrad, jit } = t;
  const F = f32(t);
  const sim = (p) =>
    lax.scan(
      ([x, y], _) => {
        const dx = p.a.mul(x).sub(p.b.mul(x).mul(y)),
          dy = p.d.mul(x).mul(y).sub(p.c.mul(y));
        const n = [x.add(dx.mul(0.05)), y.add(dy.mul(0.05))];
        return [n, np.stack(n)];
      },
      [F(1), F(0.5)],
      null,
      { length: 30 },
    )[1];
  const loss = (p) => np.mean(np.square(sim(p).sub(1)));
  return jit(valueAndGrad(loss))({ a: F(1.1), b: F(0.4), c: F(0.8), d: F(0.3) });
};

// @program nbody_energy_forces | ode
export const nbody_energy_forces = (t) => {
  const { numpy: np, lax, grad } = t;
  const F = f32(t);
  const energy = (q, m) => {
    const d = q.slice([], null).sub(q.slice(null));
    const r = np.sqrt(np.sum(np.square(d), -1).add(0.01));
    return np.sum(np.eye(3).neg().add(1).mul(m.slice([], null)).mul(m.slice(null)).div(r)).mul(-0.5);
  };
  const q = F([
      [0, 0],
      [1, 0.2],
      [-0.5, 0.9],
    ]),
    v = F([
      [0, 0.1],
      [0, 0.8],
      [-0.6, 0],
    ]),
    m = F([1, 0.5, 0.3]);
  const step = ([q, v], _) => {
    const v1 = v.sub(grad(energy)(q, m).mul(0.05).div(m.slice([], null)));
    const q1 = q.add(v1.mul(0.05));
    return [[q1, v1], energy(q1, m)];
  };
  const [[q1, v1], es] = lax.scan(step, [q, v], null, { length: 10 });
  return { q: q1, v: v1, e: es };
};

// @program rnn_bptt | rnn
export const rnn_bptt = (t) => {
  const { numpy: np, lax, valueAndGrad } = t;
  const F = f32(t);
  const loss = (p, xs, ys) => {
    const [, out] = lax.scan(
      (h, x) => {
        const n = np.tanh(np.matmul(p.wh, h).add(np.matmul(p.wx, x)).add(p.b));
        return [n, np.matmul(p.wo, n)];
      },
      np.zeros([3]),
      xs,
    );
    return np.mean(np.square(out.sub(ys)));
  };
  const p = {
    wh: F([
      [0.1, 0.5, -0.2],
      [0.3, -0.4, 0.2],
      [0, 0.6, 0.1],
    ]),
    wx: F([
      [1, 0.2],
      [-0.5, 0.7],
      [0.3, -0.9],
    ]),
    b: F([0, 0.1, -0.1]),
    wo: F([[0.5, -0.3, 0.8]]),
  };
  const xs = F([
      [1, 0],
      [0.5, 0.5],
      [-1, 0.3],
      [0.2, -0.2],
    ]),
    ys = F([[0.1], [0.4], [-0.3], [0]]);
  return valueAndGrad(loss)(p, xs, ys);
};

// @program gru_batched | rnn
export const gru_batched = (t) => {
  const { numpy: np, lax, nn, grad, vmap } = t;
  const cell = (p, h, x) => {
    const z = nn.sigmoid(np.matmul(x, p.wz).add(np.matmul(h, p.uz)));
    const r = nn.sigmoid(np.matmul(x, p.wr).add(np.matmul(h, p.ur)));
    const n = np.tanh(np.matmul(x, p.wn).add(np.matmul(r.mul(h), p.un)));
    return z.neg().add(1).mul(h).add(z.mul(n));
  };
  const run = (p, xs) =>
    lax.scan(
      (h, x) => {
        const n = cell(p, h, x);
        return [n, n];
      },
      np.zeros([2]),
      xs,
    )[1];
  const k = (s, m) => np.cos(np.arange(s, s + m * 2, 1, { dtype: "float32" })).reshape([m, 2]);
  const p = { wz: k(0, 3), uz: k(1, 2), wr: k(2, 3), ur: k(3, 2), wn: k(4, 3), un: k(5, 2) };
  const X = np.sin(np.arange(0, 24, 1, { dtype: "float32" })).reshape([2, 4, 3]);
  const all = (p) => vmap(run, { inAxes: [null, 0] })(p, X);
  return [all(p), grad((p) => np.sum(np.square(all(p).slice([], -1))))(p)];
};

// @program causal_multihead_attention | attention
export const causal_multihead_attention = (t) => {
  const { numpy: np, nn, grad, jit, vmap } = t;
  const F = f32(t);
  const mha = (p, x) => {
    const [T] = x.shape;
    const qkv = np.matmul(x, p.w).reshape([T, 3, 2, 2]);
    const [q, k, v] = [0, 1, 2].map((i) => qkv.slice([], i));
    const s = np.einsum("qhd,khd->hqk", q, k).div(Math.sqrt(2));
    const mask = np.tril(np.ones([T, T], { dtype: "bool" }));
    const o = np.einsum("hqk,khd->qhd", nn.softmax(np.where(mask, s, F(-1e9))), v);
    return np.matmul(o.reshape([T, 4]), p.o);
  };
  const ar = (n) => np.arange(0, n, 1, { dtype: "float32" });
  const p = { w: np.sin(ar(48)).reshape([4, 12]).mul(0.5), o: np.cos(ar(16)).reshape([4, 4]).mul(0.5) };
  const X = np.cos(ar(24)).reshape([2, 3, 4]);
  const all = (p) => vmap(mha, { inAxes: [null, 0] })(p, X);
  return [all(p), jit(grad((p) => np.mean(np.square(all(p)))))(p)];
};

// @program convnet_grads | convnet
export const convnet_grads = (t) => {
  const { numpy: np, lax, nn, grad, valueAndGrad, jit } = t;
  const F = f32(t),
    I = i32(t);
  const net = (p, x) => {
    let h = lax.convGeneralDilated(x, p.c1, [1, 1], "SAME").add(p.b1.reshape([1, 2, 1, 1]));
    h = nn.relu(h);
    h = lax.reduceWindowMax(h, { windowDimensions: [1, 1, 2, 2], windowStrides: [1, 1, 2, 2], padding: "VALID" });
    return nn.logSoftmax(np.matmul(h.reshape([x.shape[0], -1]), p.w));
  };
  const ar = (n) => np.arange(0, n, 1, { dtype: "float32" });
  const p = {
    c1: np.sin(ar(18)).reshape([2, 1, 3, 3]).mul(0.7),
    b1: F([0.1, -0.1]),
    w: np.cos(ar(24)).reshape([8, 3]).mul(0.3),
  };
  const x = np.sin(ar(32).mul(0.9)).reshape([2, 1, 4, 4]);
  const loss = (p) => np.mean(np.takeAlongAxis(net(p, x), I([[0], [2]]), 1)).neg();
  return [net(p, x), valueAndGrad(loss)(p), jit(grad((x) => np.sum(net(p, x).slice([], 0))))(x)];
};

// @program depthwise_separable_vmap | convnet
export const depthwise_separable_vmap = (t) => {
  const { numpy: np, lax, nn, grad, vmap, jacrev } = t;
  const f = (dw, pw, x) => {
    const h = lax.convGeneralDilated(x.reshape([1, ...x.shape]), dw, [1], [[1, 1]], { featureGroupCount: 3 });
    return np.sum(nn.gelu(lax.convGeneralDilated(h, pw, [1], "VALID")).slice(0), -1);
  };
  const ar = (n) => np.arange(0, n, 1, { dtype: "float32" });
  const dw = np.sin(ar(9)).reshape([3, 1, 3]),
    pw = np.cos(ar(6)).reshape([2, 3, 1]),
    X = np.cos(ar(36)).reshape([2, 3, 6]);
  const inAxes = [null, null, 0];
  return [
    vmap(f, { inAxes })(dw, pw, X),
    grad((a, b) => np.sum(np.square(vmap(f, { inAxes })(a, b, X))), { argnums: [0, 1] })(dw, pw),
    vmap(jacrev(f, { argnums: 1 }), { inAxes })(dw, pw, X),
  ];
};

// @program hmm_forward_and_viterbi | filtering
export const hmm_forward_and_viterbi = (t) => {
  const { numpy: np, lax, nn, grad } = t;
  const F = f32(t),
    I = i32(t);
  const first = (B, obs) => np.take(B, obs.slice(0), 1);
  const rest = (obs) => obs.slice([1, 5]);
  const forward = (A, B, pi, obs) =>
    nn.logsumexp(
      lax.scan(
        (a, o) => [nn.logsumexp(a.reshape([3, 1]).add(A), 0).add(np.take(B, o, 1)), null],
        pi.add(first(B, obs)),
        rest(obs),
      )[0],
    );
  const viterbi = (A, B, pi, obs) => {
    const [a, back] = lax.scan(
      (a, o) => {
        const s = a.reshape([3, 1]).add(A);
        return [np.max(s, 0).add(np.take(B, o, 1)), np.argmax(s, 0)];
      },
      pi.add(first(B, obs)),
      rest(obs),
    );
    const last = np.argmax(a);
    const [, path] = lax.scan((z, b) => [np.take(b, z, 0), z], last, back, { reverse: true });
    return [path, last];
  };
  const la = nn.logSoftmax(
      F([
        [2, 0.5, -1],
        [0.1, 1.5, 0.3],
        [-0.7, 0.2, 1],
      ]),
    ),
    lb = nn.logSoftmax(
      F([
        [1, -1],
        [0.2, 0.4],
        [-1.5, 0.8],
      ]),
    );
  const pi = nn.logSoftmax(F([0.3, 0.1, -0.2])),
    obs = I([0, 1, 1, 0, 1]);
  return [forward(la, lb, pi, obs), grad(forward, { argnums: [0, 1] })(la, lb, pi, obs), viterbi(la, lb, pi, obs)];
};

// @program newton_sqrt_while | newton
export const newton_sqrt_while = (t) => {
  const { numpy: np, lax, jit, vmap, jvp } = t;
  const F = f32(t);
  const sqrt = (a) =>
    lax.whileLoop(
      (x) => np.greater(np.abs(x.mul(x).sub(a)), a.mul(1e-4)),
      (x) => x.add(a.div(x)).mul(0.5),
      a,
    );
  return [vmap(sqrt)(F([2, 9, 100])), jit(sqrt)(F(3)), jvp(sqrt, [F(2)], [F(1)])];
};

// @program bisection_vmap | newton
export const bisection_vmap = (t) => {
  const { numpy: np, lax, vmap } = t;
  const F = f32(t);
  const bis = (lo, hi, u) =>
    lax.foriLoop(
      0,
      18,
      (i, [lo, hi]) => {
        const m = lo.add(hi).mul(0.5),
          below = np.less(np.power(m, 3).add(m), u);
        return [np.where(below, m, lo), np.where(below, hi, m)];
      },
      [lo, hi],
    )[0];
  return vmap(bis, { inAxes: [null, null, 0] })(F(0), F(5), F([1, 10, 33.3]));
};

// @program game_of_life | fractal
export const game_of_life = (t) => {
  const { numpy: np, lax } = t;
  const I = i32(t);
  const shifts = [];
  for (const i of [-1, 0, 1]) for (const j of [-1, 0, 1]) if (i || j) shifts.push([i, j]);
  const step = (b, _) => {
    const n = shifts.map((s) => np.roll(b, s, [0, 1])).reduce((a, c) => a.add(c));
    const c = np.logicalOr(np.equal(n, 3), np.logicalAnd(np.equal(b, 1), np.equal(n, 2))).astype("int32");
    return [c, np.sum(c)];
  };
  const b = np
    .zeros([6, 6], { dtype: "int32" })
    .at(I([0, 1, 2, 2, 2, 4]), I([1, 2, 0, 1, 2, 4]))
    .set(1);
  return lax.scan(step, b, null, { length: 8 });
};

// @program mcmc_metropolis | mcmc
export const mcmc_metropolis = (t) => {
  const { numpy: np, lax, random } = t;
  const F = f32(t);
  const logp = (x) =>
    np
      .sum(np.square(x))
      .mul(-0.5)
      .sub(np.sum(np.power(x, 4)).mul(0.1));
  const step = ([x, key], _) => {
    const ks = random.split(key, 3);
    const y = x.add(random.normal(ks.slice(1), [2]).mul(0.7));
    const acc = np.less(np.log(random.uniform(ks.slice(2), [])), logp(y).sub(logp(x)));
    const n = np.where(acc, y, x);
    return [
      [n, ks.slice(0)],
      [n, acc],
    ];
  };
  const [, [xs, acc]] = lax.scan(step, [F([1, -1]), random.key(42)], null, { length: 12 });
  return { xs, acc };
};

// @program random_reproducible_streams | random
export const random_reproducible_streams = (t) => {
  const { random, jit } = t;
  const F = f32(t);
  const ks = random.split(random.key(2024), 3),
    a = ks.slice(0),
    b = ks.slice(1),
    c = ks.slice(2);
  return {
    n: random.normal(a, [3]),
    u: random.uniform(b, [2, 2]),
    i: random.randint(c, [5], 0, 10),
    again: random.normal(a, [3]),
    split: random.keyData(random.split(a, 2)),
    p: random.permutation(b, 6),
    c: random.choice(c, F([1, 2, 3]), [4]),
    g: random.gumbel(a, [2]),
    e: random.exponential(b, [2]),
    b: random.bernoulli(c, 0.3, [6]),
    jit: jit((k) => random.normal(k, [3]))(a),
  };
};

// @program random_reparameterised_elbo | random
export const random_reparameterised_elbo = (t) => {
  const { numpy: np, random, grad, valueAndGrad } = t;
  const F = f32(t);
  const elbo = (p, key) => {
    const eps = random.normal(key, [8, 2]);
    const z = p.m.add(np.exp(p.s).mul(eps));
    return np.mean(np.sum(np.square(z.sub(F([1, -1]))), -1).mul(-0.5)).add(np.sum(p.s));
  };
  const p = { m: F([0.2, 0.1]), s: F([-0.5, 0.3]) };
  return [
    valueAndGrad(elbo)(p, random.key(9)),
    grad((m) => np.sum(random.truncatedNormal(random.key(1), m, 2, [3])))(F(-1)),
  ];
};

// @program kmeans | clustering
export const kmeans = (t) => {
  const { numpy: np, lax, nn } = t;
  const F = f32(t),
    I = i32(t);
  const X = F([
    [0.1, 0.2],
    [0.3, -0.1],
    [2, 2.1],
    [1.8, 2.4],
    [-1, 3],
    [-1.2, 2.7],
    [0, 0.4],
  ]);
  const dist = (c) => np.sum(np.square(X.reshape([7, 1, 2]).sub(c.reshape([1, 3, 2]))), -1);
  const step = (i, c) => {
    const a = nn.oneHot(np.argmin(dist(c), 1), 3);
    return np.matmul(a.transpose(), X).div(np.maximum(np.sum(a, 0), F(1)).reshape([3, 1]));
  };
  const c = lax.foriLoop(0, 5, step, np.take(X, I([0, 2, 4]), 0));
  const lab = np.argmin(dist(c), 1);
  return { c, lab, n: np.bincount(lab, { length: 3 }) };
};

// @program gaussian_process_cholesky | linalg-ml
export const gaussian_process_cholesky = (t) => {
  const { numpy: np, scipy, valueAndGrad, hessian } = t;
  const F = f32(t);
  const X = F([-1.5, -0.4, 0.3, 1.2]),
    y = F([0.2, -0.6, 0.5, 1]),
    Z = F([-1, 0, 2]);
  const k = (p, a, b) =>
    np.exp(p.s).mul(
      np.exp(
        np
          .square(a.reshape([-1, 1]).sub(b.reshape([1, -1])))
          .mul(-0.5)
          .div(np.exp(p.l.mul(2))),
      ),
    );
  const chol = (p) => np.linalg.cholesky(k(p, X, X).add(np.eye(4).mul(np.exp(p.n).add(1e-4))));
  const sl = scipy.linalg;
  const lml = (p) => {
    const L = chol(p);
    return np
      .dot(y, sl.choSolve([L, true], y))
      .mul(-0.5)
      .sub(np.sum(np.log(np.diag(L))))
      .sub(2 * Math.log(2 * Math.PI));
  };
  const p = { s: F(0.1), l: F(-0.2), n: F(-2) };
  const L = chol(p),
    V = sl.solveTriangular(L, k(p, X, Z), { lower: true });
  return [
    valueAndGrad(lml)(p),
    np.matmul(k(p, Z, X), sl.choSolve([L, true], y)),
    k(p, Z, Z).sub(np.matmul(V.transpose(), V)),
    hessian((l) => lml({ ...p, l }))(F(-0.2)),
  ];
};

// @program eigenvector_projector_grad | linalg-ml
export const eigenvector_projector_grad = (t) => {
  const { numpy: np, vmap, jacfwd, jacrev } = t;
  const F = f32(t);
  const f = (s) => {
    const A = F([
      [2, 0.5, 0.1],
      [0.5, -1, 0.3],
      [0.1, 0.3, 0.7],
    ]).add(
      s.mul(
        F([
          [0.1, 1, 0],
          [1, 0.2, -0.5],
          [0, -0.5, 0.3],
        ]),
      ),
    );
    const [w, v] = np.linalg.eigh(A),
      c = v.slice([], 0);
    return np.outer(c, c).mul(w.slice(2));
  };
  return [f(F(0.2)), jacfwd(f)(F(0.2)), jacrev(f)(F(0.2)), vmap(f)(F([0, 0.5]))];
};

// @program power_iteration_pagerank | linalg-ml
export const power_iteration_pagerank = (t) => {
  const { numpy: np, lax, jit } = t;
  const F = f32(t),
    I = i32(t);
  const M = F([
    [0, 0.5, 0, 0.3],
    [0.6, 0, 1, 0.3],
    [0.4, 0, 0, 0.4],
    [0, 0.5, 0, 0],
  ]);
  const G = M.mul(0.85).add(0.15 / 4);
  const rank = (G) =>
    lax.whileLoop(
      ([, e, n]) => np.logicalAnd(np.greater(e, 1e-6), np.less(n, 60)),
      ([v, _e, n]) => {
        const w0 = np.matmul(G, v),
          w = w0.div(np.sum(w0));
        return [w, np.max(np.abs(w.sub(v))), n.add(1)];
      },
      [np.full([4], 0.25), F(1), I(0)],
    )[0];
  return [rank(G), jit(rank)(G)];
};

// @program softmax_regression_20_steps | training
export const softmax_regression_20_steps = (t) => {
  const { numpy: np, nn, tree, valueAndGrad, jit } = t;
  const X = np
    .sin(np.arange(0, 60, 1, { dtype: "float32" }))
    .reshape([20, 3])
    .mul(2);
  const Y = nn.oneHot(np.remainder(np.arange(0, 20, 1, { dtype: "int32" }), 4), 4);
  let p = { w: np.zeros([3, 4]), b: np.zeros([4]) };
  const loss = (p) => np.mean(np.sum(Y.mul(nn.logSoftmax(np.matmul(X, p.w).add(p.b))), -1)).neg();
  const step = jit((p) => {
    const [v, g] = valueAndGrad(loss)(p);
    return [tree.map((a, b) => a.sub(b.mul(0.5)), p, g), v];
  });
  const vs = [];
  for (let i = 0; i < 20; i++) {
    let v;
    [p, v] = step(p);
    vs.push(v);
  }
  return { p, losses: np.stack(vs) };
};

// @program momentum_schedule_weight_decay | training
export const momentum_schedule_weight_decay = (t) => {
  const { numpy: np, lax, grad } = t;
  const F = f32(t);
  const A = F([
      [2, 0.3],
      [0.3, 1],
    ]),
    b = F([1, -1]);
  const f = (x) => np.dot(x, np.matmul(A, x)).mul(0.5).sub(np.dot(b, x));
  const step = ([x, v], i) => {
    const lr = np
      .cos(i.mul(Math.PI / 10))
      .add(1)
      .mul(0.15);
    const v1 = v.mul(0.8).add(grad(f)(x)).add(x.mul(0.01)),
      x1 = x.sub(lr.mul(v1));
    return [[x1, v1], f(x1)];
  };
  return lax.scan(step, [F([3, 2]), np.zeros([2])], np.arange(0, 10, 1, { dtype: "float32" }));
};

// @program contrastive_and_label_smoothing | training
export const contrastive_and_label_smoothing = (t) => {
  const { numpy: np, nn, valueAndGrad } = t;
  const I = i32(t);
  const ar = np.arange(0, 12, 1, { dtype: "float32" });
  const Z = np.sin(ar).reshape([4, 3]),
    W = np.cos(ar.mul(0.5)).reshape([4, 3]);
  const unit = (v) => v.div(np.linalg.norm(v, null, -1, { keepdims: true }));
  const info = (z, w) => {
    const s = np.matmul(unit(z), unit(w).transpose()).div(0.5);
    return np.mean(np.diagonal(nn.logSoftmax(s, 1)).add(np.diagonal(nn.logSoftmax(s, 0)))).neg();
  };
  const smooth = (l, y) =>
    np
      .mean(
        np.sum(
          nn
            .oneHot(y, 3)
            .mul(0.9)
            .add(0.1 / 3)
            .mul(nn.logSoftmax(l)),
          -1,
        ),
      )
      .neg();
  return [valueAndGrad(info, { argnums: [0, 1] })(Z, W), valueAndGrad(smooth)(Z, I([0, 2, 1, 1]))];
};

// @program scatter_modes_grads | gather-scatter
export const scatter_modes_grads = (t) => {
  const { numpy: np, grad, jvp } = t;
  const F = f32(t),
    I = i32(t);
  const x = F([1, 2, 3, 4, 5]),
    i = I([0, 3, 3]),
    u = F([10, 0.5, -2]);
  const fs = {
    set1: (x, u) => x.at(I([0, 2, 4])).set(u),
    add: (x, u) => x.at(i).add(u),
    max: (x, u) => x.at(I([0, 3, 1])).max(u),
    min: (x, u) => x.at(I([0, 3, 1])).min(u),
  };
  const out = Object.fromEntries(
    Object.entries(fs).map(([n, f]) => [
      n,
      [
        f(x, u),
        grad((x, u) => np.sum(np.square(f(x, u))), { argnums: [0, 1] })(x, u),
        jvp(f, [x, u], [np.ones([5]), np.ones([3])])[1],
      ],
    ]),
  );
  return [out, x.at(I([0, 3, 1])).mul(u), x.at(i).mul(u)];
};

// @program segment_mean_graph_conv | gather-scatter
export const segment_mean_graph_conv = (t) => {
  const { numpy: np, nn, grad } = t;
  const F = f32(t),
    I = i32(t);
  const src = I([0, 1, 2, 3, 0, 2]),
    dst = I([1, 2, 0, 2, 3, 3]);
  const gcn = (w, x) => {
    const m = np
        .zeros([4, 2])
        .at(dst)
        .add(np.take(x, src, 0)),
      deg = np
        .zeros([4])
        .at(dst)
        .add(np.ones([6]));
    return nn.relu(np.matmul(m.div(np.maximum(deg, F(1)).reshape([4, 1])), w).add(x));
  };
  const x = np.cos(np.arange(0, 8, 1, { dtype: "float32" })).reshape([4, 2]);
  const w = F([
    [0.5, -1],
    [0.8, 0.3],
  ]);
  return [gcn(w, x), grad((w, x) => np.sum(np.square(gcn(w, gcn(w, x)))), { argnums: [0, 1] })(w, x)];
};

// @program indexing_forms_grad | indexing
export const indexing_forms_grad = (t) => {
  const { numpy: np, grad } = t;
  const I = i32(t);
  const x = np.arange(0, 24, 1, { dtype: "float32" }).reshape([2, 3, 4]);
  const fs = [
    (x) => x.slice(0),
    (x) => x.slice([], 1),
    (x) => x.slice([], [0, 2], 3),
    (x) => x.slice(1, [], [1, 4, 2]),
    (x) => x.slice([], null, 2),
    (x) => x.slice([], I([2, 0])),
    (x) => x.slice(I([0, 1, 1]), [], 2),
    (x) => x.slice(-1, [1, 3]),
    (x) => x.slice(I([0, 1]), I([2, 1])),
  ];
  return fs.map((f) => [f(x), grad((x) => np.sum(np.square(f(x))))(x)]);
};

// @program dynamic_update_sequence_grad | indexing
export const dynamic_update_sequence_grad = (t) => {
  const { numpy: np, lax, valueAndGrad } = t;
  const F = f32(t),
    I = i32(t);
  const f = (buf, vals) => {
    let b = buf;
    for (let k = 0; k < 3; k++) b = lax.dynamicUpdateSlice(b, vals.slice([k, k + 1]).mul(k + 1), [I(2 * k)]);
    return [np.sum(np.square(b)), b];
  };
  return valueAndGrad(f, { argnums: [0, 1], hasAux: true })(F([1, 2, 3, 4, 5]), F([0.5, -1, 2]));
};

// @program soft_rank_and_isotonic | sort
export const soft_rank_and_isotonic = (t) => {
  const { numpy: np, nn, grad, vmap } = t;
  const F = f32(t);
  const ndcg = (s) => {
    const r = np.sum(nn.sigmoid(s.reshape([1, 4]).sub(s.reshape([4, 1]))), 1).add(0.5);
    return np.sum(F([3, 1, 2, 0]).div(np.log2(r.add(1))));
  };
  const s = F([0.5, -0.2, 1.5, 0.1]);
  return [
    ndcg(s),
    grad(ndcg)(s),
    vmap((x) => np.argsort(x))(np.stack([s, s.neg()])),
    vmap(grad((x) => np.sort(x).slice(1)))(np.stack([s, s.neg()])),
  ];
};

// @program cumulative_ops_grads | cumulative
export const cumulative_ops_grads = (t) => {
  const { numpy: np, lax, grad } = t;
  const F = f32(t);
  const x = F([0.5, 1.5, -0.7, 2]),
    w = F([1, -2, 3, 0.5]);
  const fs = [
    (x) => np.cumsum(x),
    (x) => np.cumprod(x),
    (x) => lax.cummax(x),
    (x) => lax.cummin(x),
    (x) => lax.cumlogsumexp(x),
    (x) => lax.cumsum(x, { reverse: true }),
    (x) => np.cumprod(x.at(1).set(0)),
    (x) => np.diff(np.square(np.cumsum(x))),
  ];
  return fs.map((f) => [
    f(x),
    grad((x) => {
      const y = f(x);
      return np.sum(y.mul(w.slice([0, y.shape[0]])));
    })(x),
  ]);
};

// @program tensor_contractions_vmap | einsum
export const tensor_contractions_vmap = (t) => {
  const { numpy: np, vmap, jacrev } = t;
  const ar = np.arange(0, 24, 1, { dtype: "float32" });
  const x = np.cos(ar).reshape([2, 3, 4]),
    y = np.sin(ar).reshape([4, 3, 2]);
  const f = (a, b) =>
    np.tensordot(a, b, [
      [0, 1],
      [1, 0],
    ]);
  const y0 = y.slice([], [], 0);
  return [
    vmap(f, { inAxes: [0, 2] })(x, y),
    vmap(f, { inAxes: [0, null] })(x, y0),
    jacrev((a) => np.einsum("ij,jk->ik", a, y0))(x.slice(0)),
    np.kron(x.slice(0, [0, 2], [0, 2]), y.slice([0, 2], 0)),
  ];
};

// @program complex_holomorphic_grad | complex
export const complex_holomorphic_grad = (t) => {
  const { numpy: np, grad, vmap, jvp } = t;
  const C = c64(t);
  const f = (z) => np.exp(z).mul(np.square(z));
  const z = C([
    [0.5, 0.3],
    [-1, 2],
  ]);
  return [
    f(z),
    vmap(grad(f, { holomorphic: true }))(z),
    jvp(
      f,
      [z],
      [
        C([
          [1, 0],
          [0, 1],
        ]),
      ],
    )[1],
    vmap(grad(grad(f, { holomorphic: true }), { holomorphic: true }))(z),
  ];
};

// @program fft_power_spectrum_grad | complex
export const fft_power_spectrum_grad = (t) => {
  const { numpy: np, grad, vmap } = t;
  const F = f32(t);
  const x = F([0.5, -1, 2, 0.3, -0.7, 1.1]);
  const { fft } = np;
  const f = (x) => np.sum(np.square(np.abs(fft.rfft(x))).mul(F([1, 2, 0.5, 3])));
  const g = (x) => np.sum(np.square(fft.irfft(fft.rfft(x).mul(F([1, 0.5, 0.25, 0])), 6)));
  const h = (x) => np.sum(np.power(np.real(fft.fft(x)), 3));
  return [f(x), grad(f)(x), grad(g)(x), grad(h)(x), vmap(grad(f))(np.stack([x, np.flip(x)]))];
};

// @program projected_gradient_lasso | optimisation
export const projected_gradient_lasso = (t) => {
  const { numpy: np, lax, vmap, jacfwd, jacrev } = t;
  const F = f32(t);
  const A = F([
      [1, 0.5, -0.2],
      [0.3, -1, 0.8],
      [0.6, 0.1, 1.2],
      [-0.5, 0.9, 0.4],
    ]),
    b = F([1, -0.5, 0.3, 0.8]);
  const soft = (x, k) => np.sign(x).mul(np.maximum(np.abs(x).sub(k), F(0)));
  const ista = (lam) =>
    lax.foriLoop(
      0,
      25,
      (i, x) => soft(x.sub(np.matmul(A.transpose(), np.matmul(A, x).sub(b)).mul(0.2)), lam.mul(0.2)),
      np.zeros([3]),
    );
  return [ista(F(0.1)), jacfwd(ista)(F(0.1)), jacrev(ista)(F(0.1)), vmap(ista)(F([0, 0.1, 5]))];
};

// @program black_scholes_greeks | optimisation
export const black_scholes_greeks = (t) => {
  const { numpy: np, scipy, grad, vmap } = t;
  const F = f32(t);
  const N = (x) => scipy.special.ndtr(x);
  const price = (s, k, u, r, v) => {
    const sq = v.mul(np.sqrt(u));
    const d1 = np
        .log(s.div(k))
        .add(r.add(np.square(v).div(2)).mul(u))
        .div(sq),
      d2 = d1.sub(sq);
    return s.mul(N(d1)).sub(k.mul(np.exp(r.mul(u).neg())).mul(N(d2)));
  };
  const a = [F(1.1), F(1), F(0.5), F(0.03), F(0.25)];
  return [
    price(...a),
    grad(price, { argnums: [0, 2, 3, 4] })(...a),
    grad(grad(price))(...a),
    grad(grad(price, { argnums: 0 }), { argnums: 4 })(...a),
    vmap(grad(price), { inAxes: [0, null, null, null, null] })(F([0.8, 1, 1.2]), ...a.slice(1)),
  ];
};

// @program heat_equation_inverse | pde
export const heat_equation_inverse = (t) => {
  const { numpy: np, lax, grad, jvp } = t;
  const F = f32(t);
  const solve = (u0, k) =>
    lax.scan((u, _) => [u.add(k.mul(np.roll(u, 1).add(np.roll(u, -1)).sub(u.mul(2)))), null], u0, null, {
      length: 12,
    })[0];
  const ar = np.arange(0, 8, 1, { dtype: "float32" });
  const u0 = np.sin(ar),
    obs = np.cos(ar).mul(0.1);
  const loss = (u0, k) => np.sum(np.square(solve(u0, k).sub(obs)));
  return [
    solve(u0, F(0.2)),
    grad(loss, { argnums: [0, 1] })(u0, F(0.2)),
    jvp((k) => solve(u0, k), [F(0.2)], [F(1)])[1],
  ];
};

// @program divergence_and_laplacian | pde
export const divergence_and_laplacian = (t) => {
  const { numpy: np, grad, vmap, jvp, jacfwd, jacrev } = t;
  const F = f32(t);
  const f = (x) => {
    const [a, b, c] = [0, 1, 2].map((i) => x.slice(i));
    return np.stack([np.square(a).mul(b), np.sin(b).add(c), a.mul(c)]);
  };
  const div = (x) => np.trace(jacfwd(f)(x));
  const curl = (x) => {
    const J = jacrev(f)(x),
      d = (i, j) => J.slice(i, j).sub(J.slice(j, i));
    return np.stack([d(2, 1), d(0, 2), d(1, 0)]);
  };
  const lap = (x) => np.sum(vmap((v) => jvp((y) => jvp(div, [y], [v])[1], [x], [v])[1])(np.eye(3)));
  const X = F([
    [0.5, -1, 2],
    [1, 0.3, -0.4],
  ]);
  return [vmap(div)(X), vmap(curl)(X), vmap(lap)(X), vmap(grad(div))(X)];
};

// @program likelihood_fits | statistics
export const likelihood_fits = (t) => {
  const { numpy: np, scipy, valueAndGrad, hessian } = t;
  const F = f32(t),
    I = i32(t);
  const x = F([0.5, 1.2, 2.7, 0.3, 1.9]),
    n = I([2, 0, 3, 1, 1]);
  const { gammaln } = scipy.special;
  const nll = (p) => {
    const a = scipy.stats.norm.logpdf(x, p.m, np.exp(p.s));
    const g = np
      .exp(p.a)
      .sub(1)
      .mul(np.log(x))
      .sub(x)
      .sub(gammaln(np.exp(p.a)));
    const q = n
      .mul(p.m)
      .sub(np.exp(p.m))
      .sub(gammaln(n.astype("float32").add(1)));
    return np.sum(a).add(np.sum(g)).add(np.sum(q)).neg();
  };
  const p = { m: F(0.4), s: F(-0.1), a: F(0.5) };
  return [valueAndGrad(nll)(p), hessian(nll)(p)];
};

// @program shape_ops_gradients | shape
export const shape_ops_gradients = (t) => {
  const { numpy: np, grad } = t;
  const x = np.arange(1, 13, 1, { dtype: "float32" }).reshape([3, 4]);
  const w = np.sin(np.arange(0, 60, 1, { dtype: "float32" }));
  const fs = [
    (x) => np.concatenate([x, x.slice([0, 1]).mul(2)], 0),
    (x) => np.stack(np.split(x, 2, 1)),
    (x) =>
      np.pad(
        x,
        [
          [1, 0],
          [0, 2],
        ],
        { mode: "edge" },
      ),
    (x) => np.roll(x, [1, -1], [0, 1]),
    (x) => np.tile(x, [1, 2]),
    (x) => np.repeat(x, 2, 0),
    (x) => np.transpose(np.flip(x, 1)),
    (x) => np.broadcastTo(x.slice(0), [3, 4]),
    (x) => np.moveaxis(x.reshape([3, 2, 2]), 0, -1),
    (x) => np.tril(x).add(np.diag(np.diag(x.slice([], [0, 3])), 1).slice([0, 3], [0, 4])),
    (x) => np.where(np.greater(x, 5), x, x.mul(0.5)),
  ];
  const size = (y) => y.shape.reduce((a, b) => a * b, 1);
  return fs.map((f) =>
    grad((x) => {
      const y = f(x);
      return np.sum(
        np
          .square(y)
          .reshape([-1])
          .mul(w.slice([0, size(y)])),
      );
    })(x),
  );
};

// @program hmm_forward_posteriors | scan
export const hmm_forward_posteriors = (t) => {
  const { grad, vmap, jvp, lax, nn, tree } = t;
  const F = f32(t);
  const I = i32(t);
  const ll = (p, o) => {
    const T = nn.logSoftmax(p.t, 1),
      E = nn.logSoftmax(p.e, 1);
    const [a] = lax.scan(
      (a, o) => [nn.logsumexp(a.slice([], null).add(T), 0).add(E.slice([], o)), null],
      nn.logSoftmax(p.pi).add(E.slice([], o.slice(0))),
      o.slice([1]),
    );
    return nn.logsumexp(a);
  };
  const p = {
      t: F([
        [1, 0.5],
        [-0.2, 0.3],
      ]),
      e: F([
        [0.1, 2, 0],
        [1, -1, 0.5],
      ]),
      pi: F([0.3, 0]),
    },
    o = I([0, 2, 1, 1, 0]);
  return tree.leaves([
    ll(p, o),
    grad((p) => ll(p, o))(p),
    vmap(ll, { inAxes: [null, 0] })(
      p,
      I([
        [0, 1, 2, 0],
        [2, 2, 1, 1],
      ]),
    ),
    jvp((p) => grad(ll)(p, o), [p], [p]),
  ]);
};

// @program viterbi_reverse_scan | scan
export const viterbi_reverse_scan = (t) => {
  const { numpy: np, lax, tree } = t;
  const F = f32(t);
  const I = i32(t);
  const T = F([
      [0.7, 0.3],
      [0.4, 0.6],
    ]),
    E = F([
      [0.5, 0.4, 0.1],
      [0.1, 0.3, 0.6],
    ]),
    o = I([0, 1, 2, 2, 1, 0]);
  const fw = (a, x) => {
    const s = a.slice([], null).add(np.log(T));
    return [np.max(s, 0).add(np.log(E).slice([], x)), np.argmax(s, 0)];
  };
  const [a, bp] = lax.scan(fw, np.log(F([0.6, 0.4])).add(np.log(E).slice([], o.slice(0))), o.slice([1]));
  const last = np.argmax(a);
  const [, path] = lax.scan((s, b) => [b.slice(s), b.slice(s)], last, bp, { reverse: true });
  return tree.leaves([np.max(a), np.concatenate([path, last.slice(null)])]);
};

// @program graph_attention_segments | ml
export const graph_attention_segments = (t) => {
  const { numpy: np, grad, random, nn, ops, tree } = t;
  const I = i32(t);
  const src = I([0, 1, 2, 3, 0]),
    dst = I([1, 2, 0, 0, 3]);
  const gat = (p, h) => {
    const z = np.matmul(h, p.w);
    let e = nn.leakyRelu(np.matmul(z.slice(src), p.a).add(np.matmul(z.slice(dst), p.b)), 0.2);
    const m = ops.segmentMax(e, dst, 4);
    e = np.exp(e.sub(m.slice(dst)));
    const s = ops.segmentSum(e, dst, 4);
    return ops.segmentSum(e.div(s.slice(dst)).slice([], null).mul(z.slice(src)), dst, 4);
  };
  const k = random.split(random.key(5), 4);
  const p = {
      w: random.normal(k.slice(0), [3, 2]),
      a: random.normal(k.slice(1), [2]),
      b: random.normal(k.slice(2), [2]),
    },
    h = random.normal(k.slice(3), [4, 3]);
  const l = (p) => np.sum(np.square(nn.elu(gat(p, h))));
  return tree.leaves([l(p), grad(l)(p)]);
};

// @program particle_filter_resampling | random
export const particle_filter_resampling = (t) => {
  const { numpy: np, lax, random, nn, tree } = t;
  const F = f32(t);
  const step = ([ps, k], x) => {
    const ks = random.split(k, 3);
    ps = ps.mul(0.9).add(random.normal(ks.slice(1), ps.shape).mul(0.3));
    const w = nn.softmax(np.square(x.sub(ps)).neg()),
      cs = np.cumsum(w),
      u = np
        .arange(0, 8, 1, { dtype: "int32" })
        .add(random.uniform(ks.slice(2)))
        .div(8),
      i = np.clip(np.searchsorted(cs, u), 0, 7);
    ps = ps.slice(i);
    return [
      [ps, ks.slice(0)],
      [np.mean(ps), i],
    ];
  };
  return tree.leaves(lax.scan(step, [random.normal(random.key(0), [8]), random.key(1)], F([0.1, 0.5, 1, 0.3]))[1]);
};

// @program line_search_while_in_scan | control-flow
export const line_search_while_in_scan = (t) => {
  const { numpy: np, lax, tree } = t;
  const F = f32(t);
  const I = i32(t);
  const f = (x) => np.square(np.subtract(1, x.slice(0))).add(np.square(x.slice(1).sub(np.square(x.slice(0)))).mul(5));
  const step = (x) => {
    const [v, g] = t.valueAndGrad(f)(x);
    const [tt, n] = lax.whileLoop(
      (c) => np.greater(f(x.sub(c[0].mul(g))), v.sub(c[0].mul(0.3).mul(np.dot(g, g)))),
      (c) => [c[0].mul(0.5), c[1].add(1)],
      [F(1), I(0)],
    );
    x = x.sub(tt.mul(g));
    return [x, [f(x), n]];
  };
  return tree.leaves(lax.scan(step, F([-1, 1]), null, { length: 15 }));
};

// @program sinkhorn_gradients | optimization
export const sinkhorn_gradients = (t) => {
  const { numpy: np, grad, lax, nn, tree } = t;
  const F = f32(t);
  const C = F([
    [0, 1, 2],
    [1, 0, 1],
    [2, 1, 0],
  ]);
  const ot = (a, b, e) => {
    const [f, g] = lax.foriLoop(
      0,
      20,
      (_, [f, g]) => {
        f = e.mul(np.log(a).sub(nn.logsumexp(g.slice(null).sub(C).div(e), 1)));
        g = e.mul(np.log(b).sub(nn.logsumexp(f.slice([], null).sub(C).div(e), 0)));
        return [f, g];
      },
      [np.zeros(3), np.zeros(3)],
    );
    return np.sum(np.exp(f.slice([], null).add(g.slice(null)).sub(C).div(e)).mul(C));
  };
  const a = F([0.5, 0.3, 0.2]),
    b = F([0.2, 0.2, 0.6]);
  return tree.leaves([ot(a, b, F(0.2)), grad(ot, { argnums: [0, 1, 2] })(a, b, F(0.2))]);
};

// @program lbfgs_two_loops | optimization
export const lbfgs_two_loops = (t) => {
  const { numpy: np, grad, lax, tree } = t;
  const F = f32(t);
  const f = (x) => np.sum(np.square(x.sub(F([1, -2, 3]))).mul(F([1, 10, 0.5]))).add(np.prod(x).mul(0.1));
  const pos = (a, b, e) => np.where(np.greater(b, 0), np.divide(a, np.where(np.greater(b, 0), b, 1)), e);
  const step = ([x, S, Y]) => {
    const g = grad(f)(x);
    const b1 = (i, [q, al]) => {
      const j = np.subtract(3, i),
        sy = np.dot(S.slice(j), Y.slice(j)),
        a = pos(np.dot(S.slice(j), q), sy, 0);
      return [q.sub(a.mul(Y.slice(j))), al.at(j).set(a)];
    };
    const [first, al] = lax.foriLoop(0, 4, b1, [g, np.zeros(4)]);
    const sy = np.dot(S.slice(3), Y.slice(3)),
      yy = np.dot(Y.slice(3), Y.slice(3));
    let q = first.mul(pos(sy, yy, 0.05));
    const b2 = (j, q) => {
      const sy = np.dot(S.slice(j), Y.slice(j)),
        b = pos(np.dot(Y.slice(j), q), sy, 0);
      return q.add(S.slice(j).mul(al.slice(j).sub(b)));
    };
    q = lax.foriLoop(0, 4, b2, q);
    const x2 = x.sub(q);
    return [[x2, np.roll(S, -1, 0).at(3).set(x2.sub(x)), np.roll(Y, -1, 0).at(3).set(grad(f)(x2).sub(g))], f(x2)];
  };
  return tree.leaves(lax.scan(step, [np.zeros(3), np.zeros([4, 3]), np.zeros([4, 3])], null, { length: 8 }));
};

// @program adaptive_steps_while | ode
export const adaptive_steps_while = (t) => {
  const { numpy: np, vmap, jvp, lax, tree } = t;
  const F = f32(t);
  const I = i32(t);
  const solve = (lam) =>
    lax.whileLoop(
      (s) => np.logicalAnd(np.less(s[0], 1 - 1e-5), np.less(s[3], 500)),
      ([tt, y, h, n]) => {
        const k1 = lam.neg().mul(y).add(np.sin(tt)),
          y1 = y.add(h.mul(k1)),
          k2 = lam
            .neg()
            .mul(y1)
            .add(np.sin(tt.add(h))),
          y2 = y.add(h.mul(k1.add(k2)).div(2)),
          ok = np.less(np.abs(y2.sub(y1)), 1e-3),
          t2 = np.where(ok, tt.add(h), tt);
        return [
          t2,
          np.where(ok, y2, y),
          np.minimum(np.where(ok, h.mul(1.5), h.mul(0.5)), np.subtract(1, t2).add(1e-9)),
          n.add(1),
        ];
      },
      [F(0), F(1), F(0.1), I(0)],
    );
  return tree.leaves([solve(F(2)), jvp((l) => solve(l)[1], [F(2)], [F(1)]), vmap(solve)(F([0.5, 5]))]);
};
