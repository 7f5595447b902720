"""Records gather and scatter of JAX 0.10.2 in indexing.data.json: values, tangents, cotangents, batches.

    python tests/lax/indexing_values.py
"""

import json
import os

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

rng = np.random.default_rng(7)


def flat(a):
    a = np.asarray(a)
    values = a.astype(np.float64).ravel().tolist()
    return {
        "shape": list(a.shape),
        "dtype": str(a.dtype),
        "data": [(int(v) if v == int(v) else round(v, 7)) if np.isfinite(v) else str(v) for v in values],
    }


def floats(*shape):
    # multiples of an eighth: sums and products are exact, ties occur
    return (rng.integers(-12, 13, size=shape) / 8).astype(np.float32)


# name, operand shape, indices, offset/window dims, collapsed/inserted dims, index map, batch dims of both, sizes
LAYOUTS = [
    ("rows", (5, 4), [[4], [0], [4], [-1], [5]], [1], [0], [0], [], [], (1, 4)),
    ("elements", (5, 4), [[3, 1], [0, 4], [2, 2], [2, 2], [-1, 0], [3, 5]], [], [0, 1], [1, 0], [], [], (1, 1)),
    ("boxes", (5, 4), [[0, 1], [3, 2], [4, 3], [0, 0]], [0, 2], [], [0, 1], [], [], (2, 2)),
    ("column", (5, 4), [1], [0], [1], [1], [], [], (5, 1)),
    ("part of a row", (3, 6), [[[0], [4]], [[5], [2]]], [1], [0], [1], [], [], (1, 3)),
    ("batch axes", (2, 4, 3), [[[0], [2], [2]], [[3], [1], [7]]], [2], [1], [1], [0], [0], (1, 1, 3)),
    ("batch axes crossed", (3, 2, 4), [[[0], [2], [2]], [[3], [1], [7]]], [], [2], [2], [0, 1], [1, 0], (1, 1, 1)),
]
SCATTERS = {
    "scatter": lax.scatter,
    "scatterAdd": lax.scatter_add,
    "scatterSub": lax.scatter_sub,
    "scatterMul": lax.scatter_mul,
    "scatterMin": lax.scatter_min,
    "scatterMax": lax.scatter_max,
}
MODES = {"clip": "clip", "fill": "fill", "promiseInBounds": "promise_in_bounds"}
cases = []


def record(case, f, args):
    tangents = tuple(floats(*a.shape) for a in args)
    out = f(*args)
    case["args"] = [flat(a) for a in args]
    case["out"] = flat(out)
    try:
        case["tangents"] = [flat(t) for t in tangents]
        case["jvp"] = flat(jax.jvp(f, args, tangents)[1])
        ct = floats(*out.shape)
        case["ct"] = flat(ct)
        case["vjp"] = [flat(g) for g in jax.vjp(f, *args)[1](ct)]
    except NotImplementedError:
        case["jvp"] = case["vjp"] = None
        del case["tangents"]
    cases.append(case)


for name, shape, indices, windows, dropped, index_map, batch, index_batch, sizes in LAYOUTS:
    i = np.array(indices, np.int32)
    for mode, jax_mode in MODES.items():
        g = lax.GatherDimensionNumbers(
            tuple(windows), tuple(dropped), tuple(index_map), tuple(batch), tuple(index_batch)
        )
        layout = {"windows": windows, "dropped": dropped, "map": index_map, "batch": batch, "indexBatch": index_batch}
        base = {"layout": name, **layout, "sizes": list(sizes), "mode": mode, "indices": flat(i)}
        gather = lambda x, i=i: lax.gather(x, i, g, sizes, mode=jax_mode, fill_value=2 if mode == "fill" else None)
        x = floats(*shape)
        record({"fn": "gather", **base}, gather, (x,))
        # one batch of operands, one of indices, both
        xs, js = np.stack([x, floats(*shape)]), np.stack([i, i[::-1]])
        full = lambda x, i: lax.gather(x, i, g, sizes, mode=jax_mode, fill_value=2 if mode == "fill" else None)
        for axes in [(0, None), (None, 0), (0, 0)]:
            picked = [xs if axes[0] == 0 else x, js if axes[1] == 0 else i]
            out = jax.vmap(full, axes)(*picked)
            cases.append({"fn": "gather", **base, "axes": list(axes), "args": [flat(a) for a in picked], "out": flat(out)})
        s = lax.ScatterDimensionNumbers(
            tuple(windows), tuple(dropped), tuple(index_map), tuple(batch), tuple(index_batch)
        )
        u = floats(*gather(x).shape)
        us = np.stack([u, floats(*u.shape)])
        for fn, op in SCATTERS.items():
            scatter = lambda x, u, i=i: op(x, i, u, s, mode=jax_mode)
            record({"fn": fn, **base}, scatter, (x, u))
            if mode != "fill":
                continue
            full = lambda x, i, u: op(x, i, u, s, mode=jax_mode)
            for axes in [(0, None, None), (None, 0, None), (None, None, 0), (0, 0, 0)]:
                picked = [b if a == 0 else one for a, b, one in zip(axes, (xs, js, us), (x, i, u))]
                out = jax.vmap(full, axes)(*picked)
                cases.append({"fn": fn, **base, "axes": list(axes), "args": [flat(a) for a in picked], "out": flat(out)})

# promised to be unique: derivatives of scatterMul in the updates
i = np.array([[3], [0], [9]], np.int32)
s = lax.ScatterDimensionNumbers((1,), (0,), (0,))
for fn, op in SCATTERS.items():
    base = {"layout": "unique rows", "windows": [1], "dropped": [0], "map": [0], "batch": [], "indexBatch": []}
    base = {**base, "sizes": [1, 4], "mode": "fill", "unique": True, "indices": flat(i)}
    f = lambda x, u: op(x, i, u, s, unique_indices=True)
    record({"fn": fn, **base}, f, (floats(5, 4), floats(3, 4)))

with open(os.path.join(os.path.dirname(__file__), "indexing.data.json"), "w") as out:
    out.write("[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n")
print(len(cases))
