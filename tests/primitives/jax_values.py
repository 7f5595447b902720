"""Writes jax-values.data.json: what JAX computes at special values, kinks and ties.

Run with JAX 0.10.2 on CPU: python jax_values.py > jax-values.data.json
"""

import json
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

INF, NAN = math.inf, math.nan
f32 = lambda v: jnp.array(v, jnp.float32)


def plain(a):
    """Nested lists with names for what JSON has no numbers for."""
    a = np.asarray(a)
    if a.ndim > 0:
        return [plain(x) for x in a]
    if a.dtype == np.bool_:
        return int(a)
    v = a.item()
    if isinstance(v, int):
        return v
    if math.isnan(v):
        return "NaN"
    if math.isinf(v):
        return "Infinity" if v > 0 else "-Infinity"
    return "-0" if v == 0 and math.copysign(1, v) < 0 else v


SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 1.5, 2.5, -2.5, 10.0, -10.0, 30.0, -30.0, 100.0, -100.0, 1e-6, -1e-6, 1e10, 3e38, INF, -INF, NAN]
UNARY = dict(
    neg=lax.neg, sign=lax.sign, floor=lax.floor, ceil=lax.ceil, round=lambda x: lax.round(x),
    exp=lax.exp, exp2=lax.exp2, log=lax.log, expm1=lax.expm1, log1p=lax.log1p, tanh=lax.tanh, logistic=lax.logistic,
    sin=lax.sin, cos=lax.cos, tan=lax.tan, asin=lax.asin, acos=lax.acos, atan=lax.atan, sinh=lax.sinh, cosh=lax.cosh,
    asinh=lax.asinh, acosh=lax.acosh, atanh=lax.atanh, abs=lax.abs, sqrt=lax.sqrt, rsqrt=lax.rsqrt, cbrt=lax.cbrt,
    square=lax.square, erf=lax.erf, erfc=lax.erfc, erfInv=lax.erf_inv,
)


def derivatives(f, x):
    """f, f′, f″ at every element."""
    one = jnp.ones_like(x)
    first = lambda x: jax.jvp(f, (x,), (one,))[1]
    return dict(y=plain(f(x)), d1=plain(first(x)), d2=plain(jax.jvp(first, (x,), (one,))[1]))


unary = {name: derivatives(f, f32(SPECIAL)) for name, f in UNARY.items()}
for n in (-2, -1, 0, 1, 2, 3):
    unary[f"integerPow {n}"] = derivatives(lambda x, n=n: lax.integer_pow(x, n), f32(SPECIAL))

GRID = [0.0, -0.0, 1.0, -1.0, 2.0, 2.5, -2.5, 0.5, 3.0, INF, -INF, NAN]
A, B = (f32(v.ravel()) for v in np.meshgrid(GRID, GRID, indexing="ij"))
BINARY = dict(add=lax.add, sub=lax.sub, mul=lax.mul, div=lax.div, rem=lax.rem, pow=lax.pow, atan2=lax.atan2, max=lax.max, min=lax.min,
              logaddexp=jnp.logaddexp)
binary = {}
for name, f in BINARY.items():
    binary[name] = dict(
        y=plain(f(A, B)),
        left=plain(jax.jvp(lambda a: f(a, B), (A,), (jnp.ones_like(A),))[1]),
        right=plain(jax.jvp(lambda b: f(A, b), (B,), (jnp.ones_like(B),))[1]),
    )
binary["nextafter"] = dict(y=plain(lax.nextafter(A, B)))
E = jnp.array([0, 1, -1, 2, 3, -2], jnp.int32)
PA, PE = (np.ravel(v) for v in np.meshgrid(GRID, np.arange(6), indexing="ij"))
PA, PE = f32(PA), E[PE]
power = dict(
    base=plain(PA), exponent=plain(PE), y=plain(lax.pow(PA, PE)),
    left=plain(jax.jvp(lambda a: lax.pow(a, PE), (PA,), (jnp.ones_like(PA),))[1]),
)

C = [-1.0, 0.0, 1.0, 2.0, NAN]
lo, x, hi = (f32(v.ravel()) for v in np.meshgrid(C, C, C, indexing="ij"))
one = jnp.ones_like(x)
clamp = dict(lo=plain(lo), x=plain(x), hi=plain(hi), y=plain(lax.clamp(lo, x, hi)),
             dlo=plain(jax.jvp(lambda v: lax.clamp(v, x, hi), (lo,), (one,))[1]),
             dx=plain(jax.jvp(lambda v: lax.clamp(lo, v, hi), (x,), (one,))[1]),
             dhi=plain(jax.jvp(lambda v: lax.clamp(lo, x, v), (hi,), (one,))[1]))

I = [0, 1, -1, 2, -3, 7, 31, 32, 33, 2147483647, -2147483648]
U = [0, 1, 2, 3, 7, 31, 32, 33, 2147483648, 4294967295]
INTS = dict(add=lax.add, sub=lax.sub, mul=lax.mul, div=lax.div, rem=lax.rem, max=lax.max, min=lax.min, mulhi=lax.mulhi,
            shiftLeft=lax.shift_left, shiftRightArithmetic=lax.shift_right_arithmetic, shiftRightLogical=lax.shift_right_logical)
integers = {}
for dtype, values in (("int32", I), ("uint32", U)):
    a, b = (np.array(v.ravel(), dtype) for v in np.meshgrid(values, values, indexing="ij"))
    integers[dtype] = dict(values=values, binary={k: plain(f(a, b)) for k, f in INTS.items()})
    v = np.array(values, dtype)
    integers[dtype]["unary"] = dict(neg=plain(lax.neg(v)), sign=plain(lax.sign(v)), not_=plain(lax.bitwise_not(v)), clz=plain(lax.clz(v)),
                                    populationCount=plain(lax.population_count(v)), square=plain(lax.square(v)),
                                    cube=plain(lax.integer_pow(v, 3)), bool=plain(v.astype(bool)),
                                    float32=plain(lax.convert_element_type(v, "float32")),
                                    other=plain(lax.convert_element_type(v, "uint32" if dtype == "int32" else "int32")))

WILD = [0.0, -0.0, 0.9, -0.9, 1.5, -1.5, 2147483648.0, -2147483648.0, 4294967296.0, 3e9, -3e9, 1e20, -1e20, INF, -INF, NAN]
convert = dict(x=plain(f32(WILD)), **{t: plain(lax.convert_element_type(f32(WILD), t)) for t in ("int32", "uint32", "bool")})
HALF = [1.1, 70000.0, 1e-6, NAN, -INF, 65519.0, 65520.0, 6e-8, -1e-9, 1.5, -1.75]
precision = dict(x=plain(f32(HALF)), half=plain(lax.reduce_precision(f32(HALF), 5, 10)), bfloat=plain(lax.reduce_precision(f32(HALF), 8, 7)),
                 one=plain(lax.reduce_precision(f32(HALF), 8, 0)), tiny=plain(lax.reduce_precision(f32(HALF), 2, 3)))

which = jnp.array([0, 1, 2, 3, 7, -1, -2147483648], jnp.int32)
select = dict(which=plain(which), y=plain(lax.select_n(which, *[jnp.full(7, float(k)) for k in range(3)])))

VECTORS = [[1.0, 3.0, 3.0, 2.0], [1.0, 3.0, 2.0, 3.0, 5.0], [2.0, 0.0, 3.0], [0.0, 0.0, 3.0], [0.0, 2.0, 3.0], [3.0, 3.0, 3.0, 1.0, 1.0, 3.0, 4.0],
           [1.0, 2.0, 3.0, 4.0], [5.0], [1000.0, 0.0, -1000.0], [-INF, -INF, 1.0], [1.0, INF, 2.0], [1.0, NAN, 0.0]]
REDUCE = dict(reduceSum=jnp.sum, reduceProd=jnp.prod, reduceMax=jnp.max, reduceMin=jnp.min)
CUMULATIVE = dict(cumsum=lax.cumsum, cumprod=lax.cumprod, cummax=lax.cummax, cummin=lax.cummin, cumlogsumexp=lax.cumlogsumexp)
reductions, cumulative = [], []
for v in VECTORS:
    x = f32(v)
    reductions.append(dict(x=plain(x), argmax=plain(lax.argmax(x, 0, "int32")), argmin=plain(lax.argmin(x, 0, "int32")),
                           **{k: dict(y=plain(f(x)), grad=plain(jax.grad(f)(x)), hessian=plain(jax.hessian(f)(x))) for k, f in REDUCE.items()}))
    row = dict(x=plain(x))
    for k, f in CUMULATIVE.items():
        for reverse in (False, True):
            g = lambda x: f(x, axis=0, reverse=reverse)
            row[k + (" reverse" if reverse else "")] = dict(y=plain(g(x)), grad=plain(jax.grad(lambda x: g(x).sum())(x)),
                                                            hessian=plain(jax.hessian(lambda x: g(x).sum())(x)))
    cumulative.append(row)

print(json.dumps(dict(special=plain(f32(SPECIAL)), unary=unary, left=plain(A), right=plain(B), binary=binary, power=power, clamp=clamp,
                      integers=integers, convert=convert, precision=precision, select=select, reductions=reductions, cumulative=cumulative)))
