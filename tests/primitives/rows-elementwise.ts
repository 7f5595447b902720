import * as p from "../../src/primitives/all.js";
import type { NDArray } from "../../src/core/array.js";
import { type ArgSpec, bools, type ContractRow, floats, given, ints, keys, uints } from "./contract.js";

type Range = readonly [number, number];

/** A smooth function of one float operand, on a matrix and on a scalar. */
function smooth(
  primitive: string,
  f: (x: NDArray) => NDArray,
  range: Range = [-2, 2],
  more: Partial<ContractRow> = {},
): ContractRow[] {
  return [
    { primitive, args: [floats([3, 4], range)], apply: ([x]) => f(x!), smooth: 2, ...more },
    { primitive, variant: "scalar", args: [floats([], range)], apply: ([x]) => f(x!), smooth: 2, ...more },
  ];
}

/** A function with no derivative. */
const plain = (
  primitive: string,
  because: string,
  args: readonly ArgSpec[],
  apply: ContractRow["apply"],
  variant?: string,
): ContractRow => ({
  primitive,
  ...(variant === undefined ? {} : { variant }),
  args,
  apply,
  smooth: 0,
  because,
});

type Binary = (x: NDArray | number, y: NDArray | number) => NDArray;

/** A smooth function of two float operands: both arrays, one a scalar, both scalars. */
function smoothPair(
  primitive: string,
  f: Binary,
  left: ArgSpec,
  right: ArgSpec,
  more: Partial<ContractRow> = {},
  number = 1.5,
): ContractRow[] {
  const sized = (a: ArgSpec, shape: readonly number[]): ArgSpec => ({ ...a, shape });
  const row = (variant: string, l: readonly number[], r: readonly number[]): ContractRow => ({
    primitive,
    variant,
    args: [sized(left, l), sized(right, r)],
    apply: ([x, y]) => f(x!, y!),
    smooth: 2,
    ...more,
  });
  return [
    row("arrays", [3, 4], [3, 4]),
    row("scalar left", [], [3, 4]),
    row("scalar right", [3, 4], []),
    row("scalars", [], []),
    { ...row("one operand", [3], []), args: [sized(left, [3])], apply: ([x]) => f(x!, number) },
    { ...row("number left", [3], []), args: [sized(right, [3])], apply: ([y]) => f(number, y!) },
  ];
}

/** A function of two integers or booleans. */
function integerPair(primitive: string, f: Binary, kinds: readonly ArgSpec[]): ContractRow[] {
  return kinds.flatMap((k) => [
    plain(primitive, "integer results have no derivative", [k, k], ([x, y]) => f(x!, y!), k.dtype),
    plain(
      primitive,
      "integer results have no derivative",
      [k, { ...k, shape: [] }],
      ([x, y]) => f(x!, y!),
      `${k.dtype}, scalar`,
    ),
  ]);
}

const anyInt = ints([3, 4], [-2147483648, 2147483647]);
const smallInt = ints([3, 4], [-3, 3]);
const anyUint = uints([3, 4]);
const smallUint = uints([3, 4], [0, 3]);
const bool = bools([3, 4]);
const float = floats([3, 4]);
const tied = given([6], "float", [1, 2, 3, 1, 2, 3]);
const tiedToo = given([6], "float", [1, 3, 2, 2, 2, 1]);

const arithmetic: ContractRow[] = [
  ...smooth("neg", p.neg),
  plain("neg", "integers", [anyInt], ([x]) => p.neg(x!), "int"),
  plain("neg", "integers", [anyUint], ([x]) => p.neg(x!), "uint"),
  ...smoothPair("add", p.add, float, float),
  ...integerPair("add", p.add, [anyInt, anyUint]),
  ...smoothPair("sub", p.sub, float, float),
  ...integerPair("sub", p.sub, [anyInt, anyUint]),
  ...smoothPair("mul", p.mul, float, float),
  ...integerPair("mul", p.mul, [anyInt, anyUint]),
  ...smoothPair("div", p.div, float, floats([3, 4], [0.5, 2])),
  ...integerPair("div", p.div, [anyInt, smallInt, anyUint, smallUint]).map((r, i) => ({
    ...r,
    variant: `${r.variant!} ${i}`,
  })),
  plain(
    "div",
    "integers",
    [given([5], "int32", [-2147483648, 7, 0, -7, 7]), given([5], "int32", [-1, 0, 0, 2, -2])],
    ([x, y]) => p.div(x!, y!),
    "edges",
  ),
  ...smoothPair("rem", p.rem, floats([3, 4], [4.1, 4.9]), floats([3, 4], [0.91, 0.98])),
  ...integerPair("rem", p.rem, [smallInt]),
  plain(
    "rem",
    "integers",
    [given([5], "int32", [-2147483648, 7, 0, -7, 7]), given([5], "int32", [-1, 0, 0, 2, -2])],
    ([x, y]) => p.rem(x!, y!),
    "edges",
  ),
  plain("rem", "integers", [anyUint, smallUint], ([x, y]) => p.rem(x!, y!), "uint32"),
  ...smooth("abs", p.abs, [0.1, 2]),
  { primitive: "abs", variant: "negative", args: [floats([3], [-2, -0.1])], apply: ([x]) => p.abs(x!), smooth: 2 },
  plain("abs", "integers", [anyInt], ([x]) => p.abs(x!), "int"),
];

const powers: ContractRow[] = [
  ...smooth("square", p.square),
  plain("square", "integers", [anyInt], ([x]) => p.square(x!), "int"),
  ...[-2, 0, 1, 2, 3, 7].map((n): ContractRow => ({
    primitive: "integer_pow",
    variant: String(n),
    args: [floats([3, 4], [0.5, 2])],
    apply: ([x]) => p.integerPow(x!, n),
    ...(n === 0 ? { smooth: 0, because: "constant" } : { smooth: 2 }),
  })),
  plain("integer_pow", "integers", [anyInt], ([x]) => p.integerPow(x!, 5), "int"),
  ...smoothPair("pow", p.pow, floats([3, 4], [0.5, 2]), float),
  {
    primitive: "pow",
    variant: "integer exponents",
    args: [float, ints([3, 4], [-3, 4])],
    apply: ([x, y]) => p.pow(x!, y!),
    smooth: 2,
    tolerance: 1e-4,
  },
  ...smooth("sqrt", p.sqrt, [0.5, 4]),
  ...smooth("rsqrt", p.rsqrt, [0.5, 4]),
  ...smooth("cbrt", p.cbrt, [0.5, 4]),
];

const transcendental: ContractRow[] = [
  ...smooth("exp", (x) => p.exp(x)),
  {
    primitive: "exp",
    variant: "nonpositive",
    args: [floats([3, 4], [-3, -0.01])],
    apply: ([x]) => p.exp(x!, { nonpositive: true }),
    smooth: 2,
  },
  ...smooth("exp2", p.exp2),
  ...smooth("log", p.log, [0.5, 4]),
  ...smooth("expm1", p.expm1),
  ...smooth("log1p", p.log1p, [-0.5, 4]),
  ...smooth("tanh", p.tanh),
  ...smooth("logistic", p.logistic),
  ...smooth("sin", p.sin, [-4, 4]),
  ...smooth("cos", p.cos, [-4, 4]),
  ...smooth("tan", p.tan, [-1, 1]),
  ...smooth("asin", p.asin, [-0.8, 0.8]),
  ...smooth("acos", p.acos, [-0.8, 0.8]),
  ...smooth("atan", p.atan),
  ...smooth("sinh", p.sinh),
  ...smooth("cosh", p.cosh),
  ...smooth("asinh", p.asinh),
  ...smooth("acosh", p.acosh, [1.5, 4]),
  ...smooth("atanh", p.atanh, [-0.8, 0.8]),
  ...smooth("erf", p.erf),
  ...smooth("erfc", p.erfc),
  ...smooth("erf_inv", p.erfInv, [-0.8, 0.8]),
  ...smooth("lgamma", p.lgamma, [0.3, 8]),
  ...smooth("digamma", p.digamma, [0.3, 8]),
  ...[1, 2, 5].map((order): ContractRow => ({
    primitive: "polygamma",
    variant: String(order),
    args: [floats([3, 4], [0.6, 8])],
    apply: ([x]) => p.polygamma(x!, order),
    smooth: 2,
  })),
  ...(["lgamma", "digamma"] as const).map((primitive): ContractRow => ({
    primitive,
    variant: "reflected",
    args: [given([5], "float", [-0.3, -1.6, -2.45, -3.7, -5.5])],
    apply: ([x]) => p[primitive](x!),
    smooth: 2,
  })),
  {
    primitive: "polygamma",
    variant: "reflected",
    args: [given([5], "float", [-0.3, -1.6, -2.45, -3.7, -5.5])],
    apply: ([x]) => p.polygamma(x!, 2),
    smooth: 2,
  },
  ...smoothPair("atan2", p.atan2, floats([3, 4], [0.5, 2]), floats([3, 4], [-2, -0.5])),
  ...smoothPair("logaddexp", p.logaddexp, float, float),
  ...smoothPair("logaddexp2", p.logaddexp2, float, float),
];

const steps: ContractRow[] = [
  plain("sign", "a step function", [float], ([x]) => p.sign(x!)),
  plain("sign", "integers", [smallInt], ([x]) => p.sign(x!), "int"),
  plain("sign", "integers", [smallUint], ([x]) => p.sign(x!), "uint"),
  plain("floor", "a step function", [float], ([x]) => p.floor(x!)),
  plain("ceil", "a step function", [float], ([x]) => p.ceil(x!)),
  plain("round", "a step function", [float], ([x]) => p.round(x!)),
  plain(
    "round",
    "a step function",
    [given([6], "float", [0.5, 1.5, 2.5, -0.5, -1.5, -0.2])],
    ([x]) => p.round(x!, "toNearestEven"),
    "to even",
  ),
  plain(
    "round",
    "a step function",
    [given([6], "float", [0.5, 1.5, 2.5, -0.5, -1.5, -0.2])],
    ([x]) => p.round(x!, "awayFromZero"),
    "away",
  ),
  plain("is_finite", "boolean results", [given([4], "float", [1, Infinity, -Infinity, NaN])], ([x]) => p.isFinite(x!)),
  plain("nextafter", "a step from float to float", [float, float], ([x, y]) => p.nextafter(x!, y!)),
  plain(
    "nextafter",
    "a step from float to float",
    [given([7], "float", [0, 0, 1, 1, -1, Infinity, NaN]), given([7], "float", [1, -1, 2, 0, 0, 0, 0])],
    ([x, y]) => p.nextafter(x!, y!),
    "edges",
  ),
];

const bits: ContractRow[] = [
  plain("not", "integers", [bool], ([x]) => p.not(x!), "bool"),
  plain("not", "integers", [anyInt], ([x]) => p.not(x!), "int"),
  plain("not", "integers", [anyUint], ([x]) => p.not(x!), "uint"),
  ...integerPair("and", p.and, [bool, anyInt, anyUint]),
  ...integerPair("or", p.or, [bool, anyInt, anyUint]),
  ...integerPair("xor", p.xor, [bool, anyInt, anyUint]),
  plain("population_count", "integers", [anyInt], ([x]) => p.populationCount(x!), "int"),
  plain("population_count", "integers", [anyUint], ([x]) => p.populationCount(x!), "uint"),
  plain("clz", "integers", [given([4], "int32", [0, 1, -1, 65536])], ([x]) => p.clz(x!), "int"),
  plain("clz", "integers", [anyUint], ([x]) => p.clz(x!), "uint"),
  ...(["shift_left", "shift_right_arithmetic", "shift_right_logical"] as const).flatMap((name) => {
    const f = {
      shift_left: p.shiftLeft,
      shift_right_arithmetic: p.shiftRightArithmetic,
      shift_right_logical: p.shiftRightLogical,
    }[name];
    return [
      plain(name, "integers", [anyInt, ints([3, 4], [-5, 40])], ([x, n]) => f(x!, n!), "int"),
      plain(name, "integers", [anyUint, uints([3, 4], [0, 40])], ([x, n]) => f(x!, n!), "uint"),
      plain(name, "integers", [anyInt, ints([], [1, 31])], ([x, n]) => f(x!, n!), "scalar amount"),
    ];
  }),
  ...integerPair("mulhi", p.mulhi, [anyInt, anyUint]),
];

const comparisons: ContractRow[] = (["eq", "ne", "ge", "gt", "le", "lt"] as const).flatMap((name) => [
  plain(name, "boolean results", [tied, tiedToo], ([x, y]) => p[name](x!, y!)),
  plain(
    name,
    "boolean results",
    [given([4], "float", [NaN, 1, -0, Infinity]), given([4], "float", [NaN, NaN, 0, Infinity])],
    ([x, y]) => p[name](x!, y!),
    "special values",
  ),
  plain(name, "boolean results", [float, floats([])], ([x, y]) => p[name](x!, y!), "scalar"),
  plain(name, "boolean results", [smallInt, smallInt], ([x, y]) => p[name](x!, y!), "int"),
  plain(name, "boolean results", [anyUint, anyUint], ([x, y]) => p[name](x!, y!), "uint"),
  plain(name, "boolean results", [bool, bool], ([x, y]) => p[name](x!, y!), "bool"),
]);
comparisons.push(
  plain("eq", "boolean results", [keys([3]), keys([])], ([x, y]) => p.eq(x!, y!), "keys"),
  plain("eq", "boolean results", [keys([3])], ([x]) => p.eq(x!, x!), "equal keys"),
  plain("ne", "boolean results", [keys([3]), keys([3])], ([x, y]) => p.ne(x!, y!), "keys"),
);

const choices: ContractRow[] = [
  ...smoothPair("max", p.max, floats([3, 4], [-2, 2]), floats([3, 4], [-2, 2]), {}, 0.1),
  ...integerPair("max", p.max, [smallInt, anyUint, bool]),
  ...smoothPair("min", p.min, floats([3, 4], [-2, 2]), floats([3, 4], [-2, 2]), {}, 0.1),
  ...integerPair("min", p.min, [smallInt, anyUint, bool]),
  {
    primitive: "clamp",
    args: [floats([3, 4], [-1, 0]), floats([3, 4]), floats([3, 4], [0, 1])],
    apply: ([lo, x, hi]) => p.clamp(lo!, x!, hi!),
    smooth: 2,
  },
  {
    primitive: "clamp",
    variant: "scalar bounds",
    args: [floats([], [-1, -0.5]), floats([3, 4]), floats([], [0.5, 1])],
    apply: ([lo, x, hi]) => p.clamp(lo!, x!, hi!),
    smooth: 2,
  },
  { primitive: "clamp", variant: "numbers", args: [floats([3, 4])], apply: ([x]) => p.clamp(-0.7, x!, 0.7), smooth: 2 },
  plain("clamp", "integers", [smallInt], ([x]) => p.clamp(-1, x!, 2), "int"),
  plain("clamp", "booleans", [bool, bool, bool], ([lo, x, hi]) => p.clamp(lo!, x!, hi!), "bool"),
  { primitive: "select_n", args: [bool, float, float], apply: ([c, x, y]) => p.selectN(c!, x!, y!), smooth: 2 },
  {
    primitive: "select_n",
    variant: "scalar predicate",
    args: [given([], "bool", [1]), float, float],
    apply: ([c, x, y]) => p.selectN(c!, x!, y!),
    smooth: 2,
  },
  {
    primitive: "select_n",
    variant: "scalar case",
    args: [bool, float, floats([])],
    apply: ([c, x, y]) => p.select(c!, x!, y!),
    smooth: 2,
  },
  {
    primitive: "select_n",
    variant: "scalar cases",
    args: [bool, floats([]), floats([])],
    apply: ([c, x, y]) => p.select(c!, x!, y!),
    smooth: 2,
  },
  {
    primitive: "select_n",
    variant: "int",
    args: [ints([3, 4], [0, 2]), float, float, float],
    apply: ([c, x, y, z]) => p.selectN(c!, x!, y!, z!),
    smooth: 2,
  },
  {
    primitive: "select_n",
    variant: "uint",
    args: [uints([3, 4], [0, 1]), float, float],
    apply: ([c, x, y]) => p.selectN(c!, x!, y!),
    smooth: 2,
  },
  // What lies beyond the cases takes the nearest, as in JAX, but passes no cotangent on.
  plain(
    "select_n",
    "integers",
    [ints([3, 4], [-2, 5]), anyInt, anyInt],
    ([c, x, y]) => p.selectN(c!, x!, y!),
    "beyond",
  ),
  { primitive: "select_n", variant: "one case", args: [bool, float], apply: ([c, x]) => p.selectN(c!, x!), smooth: 2 },
  plain("select_n", "keys", [bools([4]), keys([4]), keys([4])], ([c, x, y]) => p.select(c!, x!, y!), "keys"),
  plain("select_n", "keys", [bools([4]), keys([]), keys([4])], ([c, x, y]) => p.select(c!, x!, y!), "scalar key"),
  plain("select_n", "integers", [bool, anyInt, anyInt], ([c, x, y]) => p.select(c!, x!, y!), "ints"),
  plain("select_n", "booleans", [bool, bool, bool], ([c, x, y]) => p.select(c!, x!, y!), "bools"),
];

const wild = given([9], "float", [1.9, -1.9, 3e9, -3e9, 1e20, NaN, Infinity, -Infinity, -0]);
const conversions: ContractRow[] = [
  {
    primitive: "convert_element_type",
    args: [float],
    apply: ([x]) => p.convertElementType(p.convertElementType(x!, "float64", true), "float64"),
    smooth: 2,
  },
  {
    primitive: "convert_element_type",
    variant: "through float32",
    args: [floats([3, 4], [0.5, 1])],
    apply: ([x]) => p.convertElementType(p.convertElementType(x!, "float32"), "float64"),
    smooth: 1,
    tolerance: 2e-2,
  },
  ...(["int32", "uint32", "bool"] as const).map((to) =>
    plain("convert_element_type", "no float", [wild], ([x]) => p.convertElementType(x!, to), `float to ${to}`),
  ),
  ...[smallInt, anyUint, bool].flatMap((from) =>
    (["float32", "float64", "int32", "uint32", "bool"] as const)
      .filter((to) => to !== from.dtype)
      .map((to) =>
        plain(
          "convert_element_type",
          "no float",
          [from],
          ([x]) => p.convertElementType(x!, to),
          `${from.dtype} to ${to}`,
        ),
      ),
  ),
  plain(
    "bitcast_convert_type",
    "bits have no derivative",
    [{ ...float, dtype: "float32" }],
    ([x]) => p.bitcastConvertType(x!, "uint32"),
    "float32 to uint32",
  ),
  plain(
    "bitcast_convert_type",
    "bits have no derivative",
    [anyInt],
    ([x]) => p.bitcastConvertType(x!, "uint32"),
    "int32 to uint32",
  ),
  plain(
    "bitcast_convert_type",
    "bits have no derivative",
    [uints([3, 4], [0, 2 ** 30])],
    ([x]) => p.bitcastConvertType(x!, "float32"),
    "uint32 to float32",
  ),
  plain(
    "bitcast_words",
    "bits have no derivative",
    [{ ...float, dtype: "float64" }],
    ([x]) => p.bitcastConvertType(x!, "uint32"),
    "float64 to uint32",
  ),
  plain(
    "bitcast_words",
    "bits have no derivative",
    [ints([3, 2], [0, 2 ** 30])],
    ([x]) => p.bitcastConvertType(x!, "float64"),
    "int32 to float64",
  ),
  plain(
    "reduce_precision",
    "steps",
    [given([9], "float", [1.1, 70000, 1e-6, NaN, -Infinity, 65519, 65520, 6e-8, -1e-9])],
    ([x]) => p.reducePrecision(x!, 5, 10),
    "half",
  ),
  plain("reduce_precision", "steps", [float], ([x]) => p.reducePrecision(x!, 8, 7), "bfloat16"),
  plain(
    "reduce_precision",
    "steps",
    [given([3], "float", [1.5, 1.75, -1.4])],
    ([x]) => p.reducePrecision(x!, 8, 0),
    "powers of two",
  ),
  plain("reduce_precision", "steps", [float], ([x]) => p.reducePrecision(x!, 11, 52), "identity"),
  ...smooth("copy", p.copy),
  plain("copy", "keys", [keys([3])], ([x]) => p.copy(x!), "keys"),
  plain("copy", "booleans", [bool], ([x]) => p.copy(x!), "bool"),
  plain("stop_gradient", "its derivative is zero by definition", [float], ([x]) => p.stopGradient(x!)),
  plain("stop_gradient", "keys", [keys([3])], ([x]) => p.stopGradient(x!), "keys"),
];

export const rows: readonly ContractRow[] = [
  ...arithmetic,
  ...powers,
  ...transcendental,
  ...steps,
  ...bits,
  ...comparisons,
  ...choices,
  ...conversions,
];
