"""Writes control-jax.data.json: what JAX gives for the programs of control-programs.ts, by name.

Run: python control_jax.py > control-jax.data.json
"""
import json
import jax
import jax.numpy as jnp
from jax import lax, grad, vjp, jvp, vmap, jit, jacfwd, jacrev, hessian, linearize, checkpoint, random

P = {}
def program(f): P[f.__name__] = f; return f
f32 = lambda *x: jnp.array(x, jnp.float32)
i32 = lambda *x: jnp.array(x, jnp.int32)
s = lambda x: jnp.float32(x)
n = lambda x: jnp.int32(x)
ones = lambda t: jax.tree.map(jnp.ones_like, t)
total = lambda t: sum(jnp.sum(x) for x in jax.tree.leaves(t))

@program
def keys_in_a_carry():
    def body(k, x):
        k, sub = random.split(k)
        return k, random.normal(sub) * x
    k, ys = lax.scan(body, random.key(7), f32(1, 2, 3))
    return random.key_data(k), ys
@program
def keys_in_a_carry_mapped():
    def run(k):
        return lax.fori_loop(0, 3, lambda i, c: (random.fold_in(c[0], i), c[1] + random.uniform(c[0], (2,))), (k, jnp.zeros(2)))
    k, u = vmap(run)(random.split(random.key(1), 3))
    return random.key_data(k), u
@program
def keys_through_cond():
    f = lambda p, k: lax.cond(p, lambda k: random.fold_in(k, 1), lambda k: k, k)
    return random.key_data(f(True, random.key(3))), random.key_data(vmap(f)(jnp.array([True, False]), random.split(random.key(3))))
@program
def keys_as_elements():
    return lax.scan(lambda c, k: (c + random.normal(k), random.randint(k, (), 0, 10)), s(0), random.split(random.key(5), 4))
@program
def integer_and_bool_carries():
    def body(c, x):
        i, b, v = c
        return (i + x.astype(jnp.int32), jnp.logical_xor(b, x > 1), jnp.where(b, v * x, v)), (i, b)
    f = lambda v: lax.scan(body, (n(0), jnp.array(False), v), f32(1, 2, 3, 0.5))
    return f(s(2)), grad(lambda v: f(v)[0][2])(s(2)), jvp(lambda v: f(v)[0][2], (s(2),), (s(1),))
@program
def weak_carry_becomes_strong():
    return lax.scan(lambda c, x: (c + x, x), 0.5, f32(1, 2)), lax.scan(lambda c, x: (c + 1, c), 0, None, length=2), lax.fori_loop(0, 2, lambda i, c: c * 2.5, 1.5), lax.while_loop(lambda c: c < 5, lambda c: c * 2.5, 1)
@program
def weak_types_of_branches():
    f = lambda p: lax.cond(p, lambda: 1.5, lambda: 2.5)
    g = lambda p: lax.cond(p, lambda x: 2.5, lambda x: x, s(3))
    return f(True), g(True), jit(f)(True), vmap(f)(jnp.array([True, False])), lax.switch(1, [lambda: 1, lambda: 2])
@program
def weak_type_of_a_counter():
    a = lax.fori_loop(0, 3, lambda i, c: c + i, s(0))
    b = lax.fori_loop(n(0), n(3), lambda i, c: c + i, 0)
    return a, b, lax.fori_loop(0, 3, lambda i, c: i * 0.5 + c, 0.5)
@program
def scan_of_nothing():
    f = lambda c, xs: lax.scan(lambda c, x: (c * x, (c, x.astype(jnp.int32))), c, xs)
    xs = jnp.zeros((0, 2), jnp.float32)
    return f(f32(1, 2), xs), jvp(lambda c: f(c, xs)[0], (f32(1, 2),), (f32(3, 4),)), grad(lambda c: total(f(c, xs)[0]))(f32(1, 2)), vmap(f, in_axes=(0, None))(jnp.ones((3, 2)), xs)
@program
def scan_of_length_zero_mapped():
    return vmap(lambda c: lax.scan(lambda c, _: (jnp.sin(c), c), c, None, length=0))(f32(1, 2, 3))
@program
def while_with_several_carries_mapped():
    def f(x, k):
        return lax.while_loop(lambda c: (c['v'] < 50) & (c['i'] < k), lambda c: {'i': c['i'] + 1, 'v': c['v'] * x, 'w': c['w'] - c['v'] / x}, {'i': n(0), 'v': x, 'w': s(1)})
    a, b = f32(1.5, 3, 10), i32(3, 9, 0)
    return vmap(f)(a, b), vmap(f, (None, 0))(s(2), b), jvp(lambda a: vmap(f)(a, b), (a,), (jnp.ones(3),))
@program
def while_of_a_shared_predicate_mapped():
    f = lambda x: lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * x + c[2], c[2]), (0, x, s(2)))
    return vmap(f)(f32(1, 2)), vmap(lambda x: f(x)[0])(f32(1, 2))
@program
def while_in_while_mapped():
    def inner(x): return lax.while_loop(lambda v: v < 10, lambda v: v * 2 + 1, x)
    def f(x): return lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, inner(c[1]) / 3), (0, x))[1]
    return vmap(f)(f32(0, 5, 30)), jvp(vmap(f), (f32(0, 5, 30),), (f32(1, 1, 1),))
@program
def cond_with_captured_tracers():
    def f(x, y):
        return lax.cond(x > 0, lambda: jnp.sin(x) * y, lambda: x * x + y)
    return grad(f, (0, 1))(s(1), s(2)), grad(f, (0, 1))(s(-1), s(2)), vmap(grad(f, (0, 1)))(f32(1, -1), f32(2, 3)), jit(vmap(jit(f), (0, None)))(f32(1, -1), s(2)), hessian(f, (0, 1))(s(1), s(2))
@program
def cond_of_which_only_one_branch_moves():
    f = lambda p, x: lax.cond(p, lambda x: (x * 2, jnp.float32(1)), lambda x: (jnp.float32(3), x), x)
    return jvp(lambda x: f(True, x), (s(2),), (s(1),)), jvp(lambda x: f(False, x), (s(2),), (s(1),)), vjp(lambda x: f(False, x), s(2))[1]((s(1), s(5)))
@program
def nested_conds_mapped():
    def f(x, i):
        return lax.cond(x > 0, lambda x: lax.switch(i, [jnp.sin, jnp.cos, lambda y: y * y], x), lambda x: lax.cond(i > 1, jnp.exp, lambda y: -y, x), x)
    x, i = f32(1, -1, 2, -2), i32(0, 1, 2, 3)
    return vmap(f)(x, i), vmap(grad(f))(x, i), vmap(f, (0, None))(x, n(2)), vmap(hessian(f))(x, i)
@program
def switch_out_of_range():
    f = lambda i, x: lax.switch(i, [lambda x: x, lambda x: 2 * x, lambda x: x * x], x)
    return [f(n(k), s(3)) for k in (-7, 5)], vmap(f, (0, None))(i32(-7, 0, 1, 2, 5), s(3)), vmap(grad(f, 1))(i32(-7, 0, 1, 2, 5), f32(3, 3, 3, 3, 3))
@program
def switch_of_one_branch():
    return lax.switch(n(4), [lambda x: x * 2], s(3)), grad(lambda x: lax.switch(n(4), [lambda x: x * 2], x))(s(3))
@program
def cond_of_a_number():
    f = lambda p: lax.cond(p, lambda x: x + 1, lambda x: x - 1, s(1))
    return f(n(2)), f(s(0)), f(0.5), jit(f)(n(0))
@program
def fori_with_static_bounds_derived():
    f = lambda x: lax.fori_loop(1, 5, lambda i, c: c * x + i, s(1))
    return f(s(1.5)), grad(f)(s(1.5)), grad(grad(f))(s(1.5)), vmap(grad(f))(f32(0.5, 1)), jacfwd(jacrev(f))(s(1.5))
@program
def fori_downwards():
    return lax.fori_loop(5, 1, lambda i, c: c + i, s(1)), grad(lambda x: lax.fori_loop(5, 1, lambda i, c: c * x, x))(s(2))
@program
def fori_negative_bounds():
    return lax.fori_loop(-3, 2, lambda i, c: c * 10 + i, n(0))
@program
def fori_traced_bounds_mapped():
    f = lambda lo, hi, x: lax.fori_loop(lo, hi, lambda i, c: c * x + i, x)
    return vmap(f, (0, 0, None))(i32(0, 1, 2), i32(3, 3, 3), s(2)), jvp(lambda x: f(n(0), n(3), x), (s(2),), (s(1),)), jit(f)(0, 3, s(2))
@program
def linearize_of_scan():
    f = lambda c, xs: lax.scan(lambda c, x: (jnp.tanh(c * x), {'y': c * c, 'z': x}), c, xs)
    y, push = linearize(f, s(0.5), f32(1, 2, 3))
    return y, push(s(1), f32(0, 1, 0)), push(s(0), f32(1, 1, 1))
@program
def vjp_of_scan_with_aux():
    f = lambda c, xs: (lambda r: (r[0], {'ys': r[1], 'n': n(3)}))(lax.scan(lambda c, x: (jnp.sin(c) * x, c > 0.5), c, xs))
    y, back, aux = vjp(f, s(0.5), f32(1, 2, 3), has_aux=True)
    return y, back(s(2)), aux
@program
def jacobians_over_scan():
    f = lambda xs: lax.scan(lambda c, x: (jnp.sin(c + x), c * x), s(0.3), xs)[1]
    xs = f32(0.5, -1, 2)
    return jacfwd(f)(xs), jacrev(f)(xs), jacfwd(jacrev(f))(xs), jacrev(jacfwd(f))(xs)
@program
def reverse_scan_of_trees_with_none():
    def f(p, xs):
        return lax.scan(lambda c, x: ({'h': jnp.tanh(c['h'] @ p['w'] + x['u']), 'none': None, 'k': c['k'] + 1}, (x['u'] * 2, None, [c['h'].sum()])), {'h': jnp.zeros(2), 'none': None, 'k': n(0)}, xs, reverse=True)
    p = {'w': f32(.1, .2, .3, .4).reshape(2, 2), 'b': None}
    xs = {'u': jnp.arange(6, dtype=jnp.float32).reshape(3, 2) / 10, 'v': None}
    return f(p, xs), grad(lambda p: total(f(p, xs)[0]['h']) + total(f(p, xs)[1]))(p)
@program
def scan_in_scan_derived():
    def outer(c, x):
        d, ys = lax.scan(lambda d, y: (d * y + x, d), c, f32(0.5, 0.25))
        return d, ys.sum()
    f = lambda c, xs: lax.scan(outer, c, xs)
    return f(s(1), f32(1, 2)), grad(lambda c, xs: total(f(c, xs)), (0, 1))(s(1), f32(1, 2)), jacfwd(jacrev(lambda xs: f(s(1), xs * xs)[1]))(f32(1, 2))
@program
def scan_mapped_over_axes():
    f = lambda c, xs: lax.scan(lambda c, x: (c * 0.5 + x, c.sum()), c, xs)
    xs = jnp.arange(24, dtype=jnp.float32).reshape(2, 3, 4) / 10
    return vmap(f, (None, 0))(jnp.ones(4), xs), vmap(f, (0, 1), 1)(jnp.ones((3, 4)), xs), vmap(f, (0, None))(jnp.ones((2, 4)), xs[0])
@program
def unrolled_scans():
    f = lambda u: lax.scan(lambda c, x: (c * x + 1, c), s(1), f32(1, 2, 3, 4, 5), unroll=u)
    return f(2), f(5), f(True), grad(lambda x: lax.scan(lambda c, y: (jnp.sin(c * y), None), x, f32(1, 2, 3), unroll=2)[0])(s(0.5))
@program
def custom_vjp_in_scan_mapped():
    @jax.custom_vjp
    def clip(x): return x * x
    clip.defvjp(lambda x: (x * x, x), lambda x, g: (jnp.clip(g * 2 * x, -1, 1),))
    f = lambda c, xs: lax.scan(lambda c, x: (clip(c) + x, c), c, xs)[0]
    c, xs = f32(0.5, 2), f32(1, -1, 0.3)
    return vmap(grad(f), (0, None))(c, xs), grad(lambda c: vmap(f, (0, None))(c, xs).sum())(c), jit(vmap(grad(f, 1), (0, None)))(c, xs)
@program
def custom_jvp_in_while():
    @jax.custom_jvp
    def f(x): return jnp.sin(x)
    f.defjvp(lambda p, t: (f(p[0]), 2 * jnp.cos(p[0]) * t[0]))
    g = lambda x: lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, f(c[1])), (0, x))[1]
    return jvp(g, (s(1),), (s(1),)), jvp(vmap(g), (f32(1, 2),), (f32(1, 0),)), jacfwd(g)(s(1))
@program
def custom_jvp_in_cond_derived_twice():
    @jax.custom_jvp
    def f(x, y): return x * y
    f.defjvps(lambda t, o, x, y: 3 * y * t, lambda t, o, x, y: x * t)
    g = lambda x: lax.cond(x > 0, lambda x: f(x, x * x), lambda x: x, x)
    return grad(g)(s(2)), grad(grad(g))(s(2)), vmap(grad(g))(f32(2, -2))
@program
def custom_vjp_with_nondiff_argument():
    from functools import partial
    @partial(jax.custom_vjp, nondiff_argnums=(0,))
    def app(f, x): return f(x)
    app.defvjp(lambda f, x: (f(x), (x, 7.)), lambda f, r, g: (g * f(r[0]) * r[1],))
    return grad(lambda x: app(jnp.sin, x * 2))(s(1)), vmap(grad(lambda x: app(jnp.cos, x)))(f32(1, 2))
@program
def custom_vjp_of_trees():
    @jax.custom_vjp
    def f(p, i): return {'a': p['x'] * i, 'b': p['y'].sum()}
    f.defvjp(lambda p, i: (f(p, i), (p, i)), lambda r, g: ({'x': g['a'] * 10, 'y': jnp.full(2, g['b'])}, None))
    p = {'x': s(2), 'y': f32(1, 2)}
    return grad(lambda p: total(f(p, n(3))))(p), jit(grad(lambda p: total(f(p, n(3)))))(p)
@program
def checkpoint_in_scan():
    body = checkpoint(lambda c, x: (jnp.sin(c) * x, jnp.cos(c)))
    f = lambda c, xs: total(lax.scan(body, c, xs))
    return grad(f, (0, 1))(s(0.5), f32(1, 2, 3)), hessian(f)(s(0.5), f32(1, 2, 3)), vmap(grad(f), (0, None))(f32(0.5, 1), f32(1, 2, 3))
@program
def scan_in_checkpoint():
    f = checkpoint(lambda c: lax.scan(lambda c, x: (jnp.sin(c) * x, c), c, f32(1, 2, 3))[0])
    return grad(f)(s(0.5)), grad(grad(f))(s(0.5)), jvp(grad(f), (s(0.5),), (s(1),))
@program
def remat_of_cond():
    f = checkpoint(lambda x: lax.cond(x > 0, lambda x: jnp.sin(jnp.sin(x)), lambda x: x * x, x))
    return vmap(grad(f))(f32(1, -1)), grad(grad(f))(s(1)), grad(f)(s(-3))
@program
def named_axes_in_scan():
    f = lambda x: lax.scan(lambda c, y: (c + lax.psum(c * y, 'i'), lax.axis_index('i') * c), x, f32(1, 0.5))
    x = f32(1, 2, 3)
    return vmap(f, axis_name='i')(x), grad(lambda x: total(vmap(f, axis_name='i')(x)))(x)
@program
def named_axes_in_cond():
    f = lambda p, x: lax.cond(p, lambda x: lax.psum(x, 'i'), lambda x: x * 10, x)
    return vmap(f, (None, 0), axis_name='i')(True, f32(1, 2)), vmap(grad(f, 1), (None, 0), axis_name='i')(True, f32(1, 2))
@program
def associative_scans():
    mul = lambda a, b: (a[0] * b[0], a[1] * b[0] + b[1])
    e = (f32(1, 2, 3, 4, 5), f32(1, -1, 2, 0, 3))
    f = lambda e: lax.associative_scan(mul, e)
    return f(e), lax.associative_scan(jnp.maximum, i32(3, 1, 4, 1, 5), reverse=True), grad(lambda e: total(f(e)))(e), lax.associative_scan(jnp.add, jnp.arange(6.).reshape(2, 3), axis=1), vmap(lambda x: lax.associative_scan(jnp.multiply, x))(jnp.arange(1., 7.).reshape(2, 3))
@program
def lax_map():
    f = lambda t: {'s': t[0] * t[1].sum(), 'n': t[0] > 1}
    e = (f32(1, 2, 3), jnp.arange(6.).reshape(3, 2))
    return lax.map(f, e), lax.map(f, e, batch_size=2), grad(lambda e: lax.map(f, e)['s'].sum())(e), vmap(lambda x: lax.map(jnp.sin, x))(jnp.arange(4.).reshape(2, 2))
@program
def jit_in_scan_of_vmap_of_grad():
    step = jit(lambda p, x: p - 0.1 * vmap(grad(lambda p, x: (p * x - 1) ** 2), (None, 0))(p, x).mean())
    return lax.scan(lambda p, x: (step(p, x), p), s(0), jnp.arange(6.).reshape(3, 2) / 3), jacrev(lambda p: lax.scan(lambda p, x: (step(p, x), None), p, jnp.arange(6.).reshape(3, 2) / 3)[0])(s(0))
@program
def scan_whose_carry_is_replaced():
    f = lambda a, b: lax.scan(lambda c, _: ((c[1], c[0] * 2), c[0]), (a, b), None, length=3)
    return f(s(1), s(5)), jvp(lambda a: f(a, s(5)), (s(1),), (s(1),)), vjp(lambda a, b: f(a, b)[0], s(1), s(5))[1]((s(1), s(10))), vmap(f, (0, None))(f32(1, 2), s(5))
@program
def carries_that_begin_unmapped():
    f = lambda x: lax.scan(lambda c, _: ((c[0] + 1, c[1] + c[0] * x, x), None), (0, s(0), s(0)), None, length=3)[0]
    return vmap(f)(f32(1, 2)), jvp(f, (s(2),), (s(1),)), grad(lambda x: f(x)[1])(s(2))
@program
def indices_in_loops():
    def body(i, x): return x.at[i].set(x[i - 1] + x[(i + 1) % 4])
    f = lambda x: lax.fori_loop(1, 4, body, x)
    x = f32(1, 2, 3, 4)
    return f(x), jacrev(f)(x), jacfwd(f)(x), vmap(f)(jnp.stack([x, x * 2]))
@program
def dynamic_slices_in_scan():
    f = lambda x: lax.scan(lambda c, i: (lax.dynamic_update_slice(c, lax.dynamic_slice(c, (i,), (2,)) * 2, (i + 1,)), lax.dynamic_index_in_dim(c, i, keepdims=False)), x, i32(0, 2, 9))
    return f(f32(1, 2, 3, 4)), grad(lambda x: total(f(x)))(f32(1, 2, 3, 4)), vmap(f)(f32(1, 2, 3, 4, 5, 6, 7, 8).reshape(2, 4))
@program
def stop_gradient_in_scan():
    f = lambda x: lax.scan(lambda c, _: (c * lax.stop_gradient(c) * x, c), x, None, length=2)[0]
    return grad(f)(s(2)), jvp(f, (s(2),), (s(1),))
@program
def bool_result_of_a_scan():
    return lax.scan(lambda c, x: (c & (x > 0), ~c), jnp.array(True), f32(1, -1, 2)), vmap(lambda x: lax.scan(lambda c, y: (c | (y > x), c), False, f32(1, -1, 2)))(f32(0, 5))
@program
def uint_carries_wrap():
    return lax.fori_loop(0, 4, lambda i, c: c * jnp.uint32(65537) + jnp.uint32(7), jnp.uint32(4000000000)), lax.scan(lambda c, x: (c - x, c), jnp.uint32(1), jnp.array([1, 1, 1], jnp.uint32))

def encode(x):
    if not hasattr(x, 'dtype'): x = jnp.asarray(x)
    if x.dtype == jax.dtypes.float0: return {'dtype': 'float0', 'weak': False, 'shape': list(x.shape), 'data': []}
    weak = bool(x.aval.weak_type)
    data = [v if v == v and abs(v) != float('inf') else str(v) for v in map(float, x.ravel().tolist())]
    return {'dtype': str(x.dtype), 'weak': weak, 'shape': list(x.shape), 'data': data}
print(json.dumps({k: [encode(x) for x in jax.tree.leaves(f())] for k, f in P.items()}, separators=(',', ':')).replace('],"', '],\n"'))
