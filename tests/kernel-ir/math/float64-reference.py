"""Makes float64-reference.json with mpmath: for each function rows [arguments…, nearest double, what is left of the value]."""
import json
import random
import struct

from mpmath import mp, mpf
import mpmath

mp.prec = 4000
random.seed(1)


def bits():
    return struct.unpack("<d", struct.pack("<Q", random.getrandbits(64)))[0]


def sample(lo, hi, wide, n=70):
    """Uniform ones, ones by magnitude, and, where `wide`, any finite double."""
    xs = []
    while len(xs) < n:
        kind = len(xs) % 3
        if kind == 0:
            x = random.uniform(lo, hi)
        elif kind == 1:
            x = random.choice([-1, 1]) * 2.0 ** random.uniform(-30, 4)
        else:
            x = bits() if wide else random.uniform(lo, hi) * 2.0 ** -random.randrange(12)
        if x == x and abs(x) != float("inf") and (wide or lo <= x <= hi):
            xs.append(x)
    return xs


def logistic(x):
    return 1 / (1 + mpmath.exp(-x))


FUNCTIONS = {
    "exp": (mpmath.exp, -745, 709, False),
    "exp2": (lambda x: mpf(2) ** x, -1074, 1023, False),
    "expm1": (mpmath.expm1, -40, 709, False),
    "log": (mpmath.log, 0, 10, True),
    "log1p": (mpmath.log1p, -1, 100, False),
    "log2": (lambda x: mpmath.log(x) / mpmath.log(2), 0, 10, True),
    "sin": (mpmath.sin, -1000, 1000, True),
    "cos": (mpmath.cos, -1000, 1000, True),
    "tan": (mpmath.tan, -1000, 1000, True),
    "asin": (mpmath.asin, -1, 1, False),
    "acos": (mpmath.acos, -1, 1, False),
    "atan": (mpmath.atan, -10, 10, True),
    "sinh": (mpmath.sinh, -709, 709, False),
    "cosh": (mpmath.cosh, -709, 709, False),
    "tanh": (mpmath.tanh, -20, 20, False),
    "asinh": (mpmath.asinh, -100, 100, True),
    "acosh": (mpmath.acosh, 1, 1000, False),
    "atanh": (mpmath.atanh, -1, 1, False),
    "logistic": (logistic, -740, 40, False),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), -100, 100, True),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x), 0, 100, True),
    "erf": (mpmath.erf, -6, 6, False),
    "erfc": (mpmath.erfc, -6, 27, False),
}


def parts(value):
    hi = float(value)
    return [hi, float(value - mpf(hi))]


out = {}
for name, (f, lo, hi, wide) in FUNCTIONS.items():
    rows = []
    for x in sample(lo, hi, wide):
        if name in ("log", "log2", "rsqrt"):
            x = abs(x)
        if x == 0 or (name == "acosh" and x < 1):
            continue
        value = f(mpf(x))
        if value != 0 and abs(value) < mpf(2) ** 1024:
            rows.append([x, *parts(value)])
    out[name] = rows

rows = []
for x in sample(-0.999, 0.999, False, 90):
    rows.append([x, *parts(mpmath.erfinv(mpf(x)) if abs(x) > 1e-300 else mpf(0))])
out["erfInv"] = rows

rows = []
while len(rows) < 120:
    x = random.choice([random.uniform(0, 10), 2.0 ** random.uniform(-300, 300), 1 + random.uniform(-1, 1) * 2.0 ** -random.randrange(50)])
    y = random.choice([random.uniform(-30, 30), float(random.randint(-8, 8)), 2.0 ** random.uniform(-20, 40)])
    value = mpf(x) ** mpf(y) if abs(mpmath.log(x) * y) < 700 and x > 0 else mpf(0)
    if value != 0:
        rows.append([x, y, *parts(value)])
out["pow"] = rows

rows = []
while len(rows) < 80:
    y, x = (random.choice([-1, 1]) * 2.0 ** random.uniform(-20, 20) for _ in range(2))
    rows.append([y, x, *parts(mpmath.atan2(mpf(y), mpf(x)))])
out["atan2"] = rows

# The gamma function's family; digits beyond a double's are lost near its zeros only.
mp.prec = 400
random.seed(2)
GAMMA = {
    "lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))),
    "digamma": mpmath.digamma,
    "polygamma1": lambda x: mpmath.polygamma(1, x),
    "polygamma2": lambda x: mpmath.polygamma(2, x),
    "polygamma3": lambda x: mpmath.polygamma(3, x),
}
for name, f in GAMMA.items():
    rows = []
    for i in range(100):
        x = [random.uniform(0.01, 10), random.uniform(0.9, 2.2), 2.0 ** random.uniform(-30, 30), random.uniform(2, 60), -random.uniform(0, 30)][i % 5]
        x = struct.unpack("<f", struct.pack("<f", x))[0]
        rows.append([x, *parts(f(mpf(x)))])
    out[name] = rows

with open("float64-reference.json", "w") as file:
    file.write("{\n" + ",\n".join(f'"{name}": {json.dumps(rows, separators=(",", ":"))}' for name, rows in out.items()) + "\n}\n")
