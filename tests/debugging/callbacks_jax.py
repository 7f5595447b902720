"""What real JAX prints and returns with callbacks under transformations: writes callbacks.data.json beside this file."""

import io
import json
import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.experimental import io_callback

f32 = jax.ShapeDtypeStruct((), jnp.float32)
cases = {}


def case(f):
    cases[f.__name__] = f
    return f


def printer(name="x"):
    def f(x):
        jax.debug.print(name + " = {}", x)
        return jnp.sin(x) * x

    return f


@case
def eager():
    printer()(jnp.float32(0.5))


@case
def formats():
    p = jax.debug.print
    p("plain")
    p("{} and {}", jnp.float32(1.5), jnp.int32(3))
    p("{1} {0}", 1, 2)
    p("{x} {y}", x=jnp.array([1.0, 2.5, -3.0]), y=True)
    p("{a} {}", 7, a=8)
    p("{:.3f}|{:8.2f}|{:<8.2f}|{:^8.1f}|{:+.1f}|{:08.3f}", *[jnp.float32(3.14159)] * 6)
    p("{:e}|{:.2E}|{:g}|{:.3g}|{:%}|{:.1%}", *[jnp.float32(0.125)] * 6)
    p("{:5d}|{:<5d}|{:05d}|{:+d}|{:x}|{:b}|{:,}|{:o}", *[jnp.int32(1234)] * 8)
    p("{:*^9.2f}|{:_>7d}", jnp.float32(2.5), jnp.int32(42))
    p("{} {{literal}}", 1)
    p("{:.0f} {:.0f} {:.1f} {:.3g} {:.2e}", *[jnp.float32(v) for v in (0.5, 2.5, 0.25, 0.00012345, 1.125)])
    p("{:>10}|{:10}|{:<10}|{:,.2f}|{: f}|{:#x}", jnp.int32(5), jnp.float32(1.5), jnp.array(True), jnp.float32(1234567), jnp.float32(2), jnp.int32(255))
    p("{!s} {!s} {!s} {!s}", jnp.float32(0.1), jnp.float32(123456789), jnp.float32(1e-5), jnp.float32(3))
    p("{}", (jnp.arange(12, dtype=jnp.float32) / 16).reshape(2, 6))
    p("{}", (jnp.arange(60) * 1000).reshape(2, 30))
    p("{} {} {}", jnp.float32(1e20), jnp.float32(1e-7), jnp.float32(123456.0))
    p("{} {} {}", jnp.float32(jnp.nan), jnp.float32(-jnp.inf), jnp.float32(-0.0))
    p("{} {}", jnp.array([True, False]), jnp.array(True))
    p("{}", jnp.array([[1, 20], [300, 4]]))
    p("{}", jnp.array([1e-5, 1.0, 1000.0], jnp.float32))
    p("{}", jnp.array([], jnp.float32))
    p("{}", jnp.arange(40))
    p("{}", jnp.arange(40.0) * 1.25)
    p("{}", jnp.arange(2000))
    p("{}", jnp.ones((2, 2, 2)))
    p("{}", jnp.array([0.1, 1 / 3, 1e6], jnp.float32))
    p("{:.2f} {name:>6}", jnp.float32(2), name="abc")
    p("{:{w}.{d}f}", jnp.float32(2), w=8, d=3)
    p("{} {:.2f}", 2.5, 3)
    p("{x.shape} {x.dtype}", x=jnp.zeros((2, 3)))
    p("{!s:>6}|{!r}", jnp.int32(5), "q")


@case
def jit_prints_on_every_call():
    f = jax.jit(printer())
    f(jnp.float32(1.0))
    f(jnp.float32(2.0))
    f(jnp.float32(3.0))


@case
def jit_result_unused():
    @jax.jit
    def f(x):
        y = x * 2
        jax.debug.print("y = {}", y)
        return x

    f(jnp.float32(1.0))
    f(jnp.float32(4.0))


@case
def ordered_in_jit():
    @jax.jit
    def f(x):
        jax.debug.print("a {}", x, ordered=True)
        y = x + 1
        jax.debug.print("b {}", y, ordered=True)
        z = jnp.sin(x) * 0
        jax.debug.print("c {}", z, ordered=True)
        return y

    f(jnp.float32(1.0))


@case
def nested_jit():
    inner = jax.jit(printer("inner"))

    @jax.jit
    def f(x):
        return inner(x) + inner(x + 1)

    f(jnp.float32(1.0))


@case
def vmap_eager():
    jax.vmap(printer())(jnp.arange(3.0))


@case
def vmap_jit():
    jax.jit(jax.vmap(printer()))(jnp.arange(3.0))


@case
def jit_in_vmap():
    jax.vmap(jax.jit(printer()))(jnp.arange(3.0))


@case
def vmap_of_some():
    jax.vmap(lambda x, y: jax.debug.print("{} {}", x, y), in_axes=(0, None))(jnp.arange(3.0), jnp.ones(2))


@case
def vmap_no_operand():
    def f(x):
        jax.debug.print("hello")
        return x

    jax.vmap(f)(jnp.arange(3.0))


@case
def vmap_ordered():
    def f(x):
        jax.debug.print("a {}", x, ordered=True)
        jax.debug.print("b {}", x, ordered=True)
        return x

    jax.vmap(f)(jnp.arange(2.0))
    jax.jit(jax.vmap(f))(jnp.arange(2.0))


@case
def vmap_vmap():
    def f(x, y):
        jax.debug.print("{} {}", x, y)
        return x + y

    jax.vmap(jax.vmap(f, (None, 0)), (0, None))(jnp.arange(2.0), jnp.arange(3.0))


@case
def grad_eager():
    jax.grad(printer())(jnp.float32(0.5))


@case
def grad_of_jit():
    g = jax.grad(jax.jit(printer()))
    g(jnp.float32(0.5))


@case
def jit_of_grad():
    g = jax.jit(jax.grad(printer()))
    g(jnp.float32(0.5))
    g(jnp.float32(0.75))


@case
def grad_grad():
    jax.grad(jax.grad(printer()))(jnp.float32(0.5))


@case
def grad_grad_jit():
    jax.grad(jax.grad(jax.jit(printer())))(jnp.float32(0.5))


@case
def jvp_eager():
    jax.jvp(printer(), (jnp.float32(0.5),), (jnp.float32(1.0),))


@case
def jvp_of_jit():
    jax.jvp(jax.jit(printer()), (jnp.float32(0.5),), (jnp.float32(1.0),))


@case
def linearize_then_push():
    _, push = jax.linearize(printer(), jnp.float32(0.5))
    push(jnp.float32(1.0))
    push(jnp.float32(2.0))


@case
def vjp_then_pull():
    _, pull = jax.vjp(printer(), jnp.float32(0.5))
    pull(jnp.float32(1.0))
    pull(jnp.float32(2.0))


@case
def vmap_of_grad():
    jax.vmap(jax.grad(printer()))(jnp.arange(1.0, 3.0))


@case
def grad_of_vmap():
    jax.grad(lambda x: jax.vmap(printer())(x).sum())(jnp.arange(1.0, 3.0))


@case
def hessian_prints():
    jax.hessian(printer())(jnp.float32(0.5))


@case
def checkpoint_grad():
    jax.grad(jax.checkpoint(printer()))(jnp.float32(0.5))


@case
def checkpoint_jit_grad():
    jax.jit(jax.grad(jax.checkpoint(printer())))(jnp.float32(0.5))


@case
def checkpoint_forward():
    jax.checkpoint(printer())(jnp.float32(0.5))


@case
def checkpoint_everything_saveable():
    f = jax.checkpoint(printer(), policy=jax.checkpoint_policies.everything_saveable)
    jax.grad(f)(jnp.float32(0.5))


@case
def checkpoint_intermediate():
    def f(x):
        y = jnp.sin(x)
        jax.debug.print("y = {:.4f}", y)
        return jnp.cos(y)

    jax.grad(jax.checkpoint(f))(jnp.float32(0.5))


@case
def checkpoint_intermediate_everything():
    def f(x):
        y = jnp.sin(x)
        jax.debug.print("y = {:.4f}", y)
        return jnp.cos(y)

    jax.grad(jax.checkpoint(f, policy=jax.checkpoint_policies.everything_saveable))(jnp.float32(0.5))


@case
def checkpoint_no_operand():
    def f(x):
        jax.debug.print("here")
        return jnp.sin(x)

    jax.grad(jax.checkpoint(f))(jnp.float32(0.5))


@case
def checkpoint_of_scan():
    def f(x):
        def body(c, _):
            jax.debug.print("c = {:.4f}", c)
            return jnp.sin(c), None

        return lax.scan(body, x, None, length=2)[0]

    jax.grad(jax.checkpoint(f))(jnp.float32(0.5))


@case
def scan_jit():
    def body(c, x):
        jax.debug.print("c = {} x = {}", c, x)
        return c + x, c * x

    lax.scan(body, jnp.float32(0.0), jnp.arange(3.0))


@case
def scan_reverse():
    def body(c, x):
        jax.debug.print("x = {}", x)
        return c + x, c

    lax.scan(body, jnp.float32(0.0), jnp.arange(3.0), reverse=True)


@case
def scan_grad():
    def body(c, x):
        jax.debug.print("c = {} x = {}", c, x)
        return c * x, None

    jax.grad(lambda c: lax.scan(body, c, jnp.arange(1.0, 4.0))[0])(jnp.float32(2.0))


@case
def scan_grad_jit():
    def body(c, x):
        jax.debug.print("c = {} x = {}", c, x)
        return c * x, None

    jax.jit(jax.grad(lambda c: lax.scan(body, c, jnp.arange(1.0, 4.0))[0]))(jnp.float32(2.0))


@case
def scan_invariant():
    def f(w):
        def body(c, _):
            jax.debug.print("w = {}", w)
            return c * jnp.sin(w), None

        return lax.scan(body, jnp.float32(1.0), None, length=3)[0]

    f(jnp.float32(2.0))


@case
def scan_vmap():
    def body(c, x):
        jax.debug.print("c = {} x = {}", c, x, ordered=True)
        return c + x, None

    jax.vmap(lambda c: lax.scan(body, c, jnp.arange(2.0))[0])(jnp.arange(2.0))


@case
def while_loop_prints():
    def body(x):
        jax.debug.print("x = {}", x)
        return x * 2

    lax.while_loop(lambda x: x < 10, body, jnp.float32(1.0))


@case
def while_condition_prints():
    def cond(x):
        jax.debug.print("x = {}", x, ordered=True)
        return x < 4

    lax.while_loop(cond, lambda x: x * 2, jnp.float32(1.0))


@case
def while_jvp():
    def body(x):
        jax.debug.print("x = {}", x)
        return x * 2

    jax.jvp(lambda x: lax.while_loop(lambda x: x < 10, body, x), (jnp.float32(1.0),), (jnp.float32(1.0),))


@case
def while_linearize():
    def body(x):
        jax.debug.print("x = {}", x)
        return x * 2

    _, push = jax.linearize(lambda x: lax.while_loop(lambda x: x < 6, body, x), jnp.float32(1.0))
    push(jnp.float32(1.0))


@case
def while_vmap():
    def body(x):
        jax.debug.print("x = {}", x)
        return x * 2

    jax.vmap(lambda x: lax.while_loop(lambda x: x < 6, body, x))(jnp.array([1.0, 4.0]))


@case
def fori_prints():
    def body(i, x):
        jax.debug.print("i = {} x = {}", i, x)
        return x * 2

    lax.fori_loop(0, 3, body, jnp.float32(1.0))


def branches():
    def t(x):
        jax.debug.print("true {}", x)
        return x

    def f(x):
        jax.debug.print("false {}", x)
        return -x

    return t, f


@case
def cond_prints_one_branch():
    g = jax.jit(lambda p, x: lax.cond(p, *branches(), x))
    g(True, jnp.float32(1.0))
    g(False, jnp.float32(2.0))
    lax.cond(True, *branches(), jnp.float32(3.0))


@case
def cond_grad():
    jax.grad(lambda x: lax.cond(x > 0, *branches(), x))(jnp.float32(2.0))
    jax.jit(jax.grad(lambda x: lax.cond(x > 0, *branches(), x)))(jnp.float32(-2.0))


@case
def cond_vmap_shared_predicate():
    jax.vmap(lambda p, x: lax.cond(p, *branches(), x), in_axes=(None, 0))(True, jnp.arange(2.0))


@case
def cond_vmap_own_predicate():
    jax.vmap(lambda p, x: lax.cond(p, *branches(), x))(jnp.array([True, False]), jnp.arange(2.0))


@case
def switch_prints():
    fs = [lambda x, k=k: jax.debug.print("branch {}: {}", k, x) for k in range(3)]
    jax.jit(lambda i, x: lax.switch(i, fs, x))(2, jnp.float32(1.0))


@case
def map_prints():
    lax.map(printer(), jnp.arange(2.0))


@case
def custom_jvp_prints():
    @jax.custom_jvp
    def f(x):
        jax.debug.print("f {}", x)
        return jnp.sin(x)

    @f.defjvp
    def rule(primals, tangents):
        (x,), (t,) = primals, tangents
        jax.debug.print("rule {}", x)
        return f(x), jnp.cos(x) * t

    f(jnp.float32(0.5))
    jax.grad(f)(jnp.float32(0.5))
    jax.jit(jax.grad(f))(jnp.float32(0.25))


@case
def custom_vjp_prints():
    @jax.custom_vjp
    def f(x):
        jax.debug.print("f {}", x)
        return jnp.sin(x)

    def fwd(x):
        jax.debug.print("fwd {}", x)
        return jnp.sin(x), x

    def bwd(x, ct):
        jax.debug.print("bwd {} {}", x, ct)
        return (jnp.cos(x) * ct,)

    f.defvjp(fwd, bwd)
    f(jnp.float32(0.5))
    jax.grad(f)(jnp.float32(0.5))
    jax.jit(jax.grad(f))(jnp.float32(0.25))


def loudly(name, f=lambda *xs: sum(np.asarray(x) for x in xs)):
    def g(*xs):
        print(name, *[list(np.shape(x)) for x in xs])
        return np.asarray(f(*xs), np.float32)

    return g


@case
def pure_callback_eager_and_jit():
    f = lambda x: jax.pure_callback(loudly("called"), f32, x, x) * 2
    print(f(jnp.float32(1.5)))
    print(jax.jit(f)(jnp.float32(1.5)))


def pure_vmapped(method):
    def f(x, y):
        shape = jnp.broadcast_shapes(jnp.shape(x), jnp.shape(y))
        return jax.pure_callback(
            loudly(method), jax.ShapeDtypeStruct(shape, jnp.float32), x, y, vmap_method=method
        )

    for inner in (f, jax.jit(f)):
        print(jax.vmap(inner, in_axes=(0, None))(jnp.arange(3.0), jnp.float32(1.0)))


for method in ["sequential", "sequential_unrolled", "expand_dims", "broadcast_all", "legacy_vectorized"]:
    cases["pure_callback_vmap_" + method] = lambda method=method: pure_vmapped(method)


@case
def io_callback_results():
    n = [0]

    def count(x):
        n[0] += 1
        print("count", x)
        return np.float32(n[0])

    f = jax.jit(lambda x: io_callback(count, f32, x, ordered=True) + io_callback(count, f32, x + 1, ordered=True))
    print(f(jnp.float32(1.0)))
    print(f(jnp.float32(5.0)))


@case
def io_callback_vmap():
    n = [0]

    def count(x):
        n[0] += 1
        return np.float32(n[0]) * 10 + x

    print(jax.vmap(lambda x: io_callback(count, f32, x))(jnp.arange(3.0)))


@case
def io_callback_same_call_twice():
    n = [0]

    def count():
        n[0] += 1
        return np.float32(n[0])

    f = jax.jit(lambda: (io_callback(count, f32, ordered=True), io_callback(count, f32, ordered=True)))
    print([float(x) for x in f()])


@case
def io_callback_in_loops():
    def body(c, x):
        io_callback(lambda c, x: print("io", c, x), None, c, x, ordered=True)
        return c + x, None

    lax.scan(body, jnp.float32(0.0), jnp.arange(3.0))
    lax.fori_loop(0, 2, lambda i, c: io_callback(lambda i, c: np.float32(c * 2 + i), f32, i, c), jnp.float32(1.0))


@case
def io_callback_unused_result():
    def say(x):
        print("said", x)
        return x

    jax.jit(lambda x: (io_callback(say, f32, x), x)[1])(jnp.float32(1.0))


@case
def pure_callback_unused_result():
    def say(x):
        print("said", x)
        return x

    jax.jit(lambda x: (jax.pure_callback(say, f32, x), x)[1])(jnp.float32(1.0))


@case
def callback_of_trees():
    def show(tree, *, scale):
        print(sorted(tree), float(tree["a"]), np.asarray(tree["b"][0]).tolist(), float(scale))

    f = jax.jit(lambda x: jax.debug.callback(show, {"a": x, "b": [jnp.ones(2) * x]}, scale=2.0))
    f(jnp.float32(3.0))


@case
def callback_static_arguments():
    def show(text, x):
        print(text, type(text).__name__, float(x))

    jax.jit(lambda x: jax.debug.callback(show, "label", x))(jnp.float32(3.0))


@case
def two_call_form():
    jax.jit(lambda x: jax.debug.print(ordered=True)("x = {x}", x=x))(jnp.float32(1.0))
    jax.jit(lambda x: jax.debug.callback(ordered=True)(lambda y: print("got", float(y)), x))(jnp.float32(2.0))


@case
def grad_of_integers_through_io():
    def f(x, n):
        k = io_callback(lambda n: np.int32(n + 1), jax.ShapeDtypeStruct((), jnp.int32), n)
        return x * k

    print(jax.grad(f)(jnp.float32(2.0), jnp.int32(3)))
    print(jax.jit(jax.grad(f))(jnp.float32(2.0), jnp.int32(3)))


refusals = {}


def refusal(f):
    refusals[f.__name__] = f
    return f


@refusal
def vmap_of_ordered_io():
    jax.vmap(lambda x: io_callback(lambda x: x, f32, x, ordered=True))(jnp.arange(2.0))


@refusal
def vmap_of_ordered_io_in_jit():
    jax.vmap(jax.jit(lambda x: io_callback(lambda x: x, f32, x, ordered=True)))(jnp.arange(2.0))


@refusal
def vmap_of_pure_without_method():
    jax.vmap(lambda x: jax.pure_callback(lambda x: x, f32, x))(jnp.arange(2.0))


@refusal
def jvp_of_pure():
    jax.grad(lambda x: jax.pure_callback(np.sin, f32, x))(jnp.float32(1.0))


@refusal
def jvp_of_io():
    jax.grad(lambda x: io_callback(np.sin, f32, x))(jnp.float32(1.0))


@refusal
def io_in_checkpoint_grad():
    def f(x):
        io_callback(lambda: None, None)
        return jnp.sin(x)

    jax.grad(jax.checkpoint(f))(jnp.float32(1.0))


@refusal
def io_in_cond_vmap():
    def t(x):
        io_callback(lambda: None, None)
        return x

    jax.vmap(lambda p, x: lax.cond(p, t, lambda x: x, x))(jnp.array([True, False]), jnp.arange(2.0))


@refusal
def io_in_while_vmap_own_condition():
    def body(x):
        io_callback(lambda: None, None)
        return x + 1

    jax.vmap(lambda x: lax.while_loop(lambda x: x < 3, body, x))(jnp.arange(2.0))


@refusal
def wrong_shape():
    jax.pure_callback(lambda x: np.zeros(3, np.float32), f32, jnp.float32(1.0))


@refusal
def wrong_dtype():
    jax.pure_callback(lambda x: np.int32(1), f32, jnp.float32(1.0))


@refusal
def wrong_count():
    jax.pure_callback(lambda x: (x, x), f32, jnp.float32(1.0))


@refusal
def unused_positional():
    jax.debug.print("{}", 1, 2)


@refusal
def unused_named():
    jax.debug.print("hello", x=1)


@refusal
def missing_named():
    jax.debug.print("{x}")


@refusal
def io_in_custom_jvp():
    @jax.custom_jvp
    def f(x):
        io_callback(lambda: None, None)
        return jnp.sin(x)

    f.defjvp(lambda p, t: (f(*p), t[0]))
    jax.jit(f)(jnp.float32(1.0))


@refusal
def spec_on_array():
    jax.debug.print("{:.2f}", jnp.ones(3))


def run(f):
    out = io.StringIO()
    real, sys.stdout = sys.stdout, out
    try:
        f()
        jax.effects_barrier()
    finally:
        sys.stdout = real
    return out.getvalue().splitlines()


def refused(f):
    try:
        run(f)
    except BaseException as e:
        return f"{type(e).__name__}: {str(e).splitlines()[0][:100]}"
    return None


data = {
    "printed": {name: run(f) for name, f in cases.items()},
    "refused": {name: refused(f) for name, f in refusals.items()},
}
path = pathlib.Path(__file__).with_name("callbacks.data.json")
path.write_text(json.dumps(data, indent=1) + "\n")
