import {
  ArgumentError,
  DeviceError,
  devicePut,
  DisposedError,
  DTypeError,
  evalShape,
  grad,
  hessian,
  jacfwd,
  jacrev,
  jit,
  jvp,
  lax,
  linearize,
  linearTranspose,
  makeJaxpr,
  type NDArray,
  nn,
  numpy as np,
  random,
  registerDataclass,
  setDefaultDevice,
  ShapeError,
  TracerError,
  TransformError,
  tree,
  TreeError,
  type TsaxError,
  config,
  vjp,
  vmap,
} from "../../src/index.js";

/** A call that must be refused: its error's class and code, and what its text says. */
export type Refusal = readonly [
  name: string,
  call: () => unknown,
  type: abstract new (...args: never[]) => TsaxError,
  code: string,
  /** What the text names: operands with shapes and dtypes, the valid choices, the way out. */
  says: RegExp,
];

// The calls are what JavaScript lets people write, so that types stand aside.
type Loose = (...args: unknown[]) => NDArray;
const loose = (f: unknown): Loose => f as Loose;
const method = (x: NDArray, name: string, ...args: unknown[]): unknown =>
  (x as unknown as Record<string, Loose>)[name]!.apply(x, args);

const x = np.ones([2, 3], { dtype: "float32" });
const v = np.ones([3], { dtype: "float32" });
const i = np.arange(3);
const b = np.array([true, false]);
const id = (y: NDArray): NDArray => y;
const total = (y: NDArray): NDArray => np.sum(y);

class Plain {}
class Twice {}

const shapes: readonly Refusal[] = [
  ["add", () => np.add(x, np.ones([4])), ShapeError, "shape-broadcast", /\[2,3\][\s\S]*\[4\][\s\S]*hint/],
  ["a method", () => x.mul(np.ones([2])), ShapeError, "shape-broadcast", /\[2,3\][\s\S]*\[2\]/],
  ["matmul", () => np.matmul(x, np.ones([4, 5])), ShapeError, "contract-length", /f32\[2,3\][\s\S]*f32\[4,5\]/],
  ["dot", () => np.dot(x, np.ones([4])), ShapeError, "contract-length", /f32\[2,3\][\s\S]*f32\[4\]/],
  ["tensordot", () => np.tensordot(x, x, 1), ShapeError, "contract-length", /f32\[2,3\]/],
  ["einsum lengths", () => np.einsum("ij,jk->ik", x, x), ShapeError, "contract-length", /axis j has lengths 3 and 2/],
  ["einsum labels", () => np.einsum("ij->k", x), ArgumentError, "einsum-equation", /no operand has the axis k/],
  ["einsum rank", () => np.einsum("ijk->i", x), ArgumentError, "einsum-equation", /2 dimensions/],
  ["reshape", () => x.reshape([4]), ShapeError, "reshape-size", /6 elements[\s\S]*\[4\][\s\S]*f32\[2,3\]/],
  ["reshape, two lengths open", () => x.reshape([-1, -1]), ShapeError, "shape-invalid", /one may be -1/],
  ["reshape, a fraction", () => x.reshape([1.5, 4]), ShapeError, "shape-invalid", /1\.5/],
  [
    "concatenate",
    () => np.concatenate([x, np.ones([2, 4])], 0),
    ShapeError,
    "concatenate-shapes",
    /f32\[2,3\][\s\S]*f32\[2,4\]/,
  ],
  ["concatenate of nothing", () => np.concatenate([]), ArgumentError, "list-empty", /at least one/],
  ["stack", () => np.stack([x, v]), ShapeError, "stack-shapes", /f32\[2,3\][\s\S]*f32\[3\]/],
  ["broadcastTo", () => np.broadcastTo(x, [3, 3]), ShapeError, "shape-broadcast", /\[2,3\][\s\S]*\[3,3\]/],
  ["squeeze", () => np.squeeze(x, 0), ShapeError, "squeeze-length", /f32\[2,3\]/],
  ["split", () => np.split(x, 4, 1), ArgumentError, "split-sections", /length 3[\s\S]*arraySplit/],
  ["full", () => np.full([2], x), ShapeError, "shape-broadcast", /\[2,3\]/],
  ["zeros, negative", () => np.zeros([-1]), ShapeError, "shape-invalid", /non-negative/],
  ["zeros, NaN", () => np.zeros([NaN]), ShapeError, "shape-invalid", /NaN/],
  ["zeros, an array", () => loose(np.zeros)([2, v]), ShapeError, "shape-invalid", /length 1[\s\S]*f32\[3\][\s\S]*item/],
  [
    "zeros, traced",
    () => jit((n) => loose(np.zeros)([n]))(2),
    TracerError,
    "tracer-read",
    /i32\[\][\s\S]*staticArgnums/,
  ],
  ["reshape, traced", () => jit((n) => method(x, "reshape", [n, 2]))(3), TracerError, "tracer-read", /staticArgnums/],
  ["zeros, text", () => loose(np.zeros)("a"), ShapeError, "shape-invalid", /non-negative/],
  ["diag", () => np.diag(np.ones([2, 2, 2])), ArgumentError, "rank", /\[2,2,2\]/],
  ["tril", () => np.tril(v), ArgumentError, "rank", /f32\[3\]/],
  ["cross", () => np.cross(np.ones([4]), np.ones([4])), ShapeError, "cross-length", /2 or 3/],
  ["interp", () => np.interp(v, v, x), ShapeError, "interp-points", /f32\[3\][\s\S]*f32\[2,3\]/],
  ["lax.add", () => lax.add(x, v), ShapeError, "shape-mismatch", /f32\[2,3\][\s\S]*f32\[3\][\s\S]*broadcastTo/],
  ["lax.dynamicSlice", () => lax.dynamicSlice(v, [0], [5]), ShapeError, "slice-size", /\[5\][\s\S]*f32\[3\]/],
];

const axes: readonly Refusal[] = [
  ["sum", () => np.sum(x, 2), ArgumentError, "axis-range", /axis 2[\s\S]*-2 to 1/],
  ["sum, a fraction", () => np.sum(x, 0.5), ArgumentError, "axis-range", /0\.5/],
  ["sum, text", () => loose(np.sum)(x, "a"), ArgumentError, "axis-invalid", /"a"/],
  ["sum, twice", () => np.sum(x, [0, -2]), ArgumentError, "axis-duplicate", /twice/],
  ["cumsum", () => np.cumsum(x, 5), ArgumentError, "axis-range", /axis 5/],
  ["sort", () => np.sort(x, 5), ArgumentError, "axis-range", /axis 5/],
  ["softmax", () => nn.softmax(v, 3), ArgumentError, "axis-range", /axis 3/],
  ["transpose, an axis twice", () => np.transpose(x, [0, 0]), ArgumentError, "axis-duplicate", /twice/],
  ["transpose, too few", () => np.transpose(x, [0]), ArgumentError, "axes-count", /f32\[2,3\]/],
  ["trace", () => np.trace(v), ArgumentError, "axis-range", /1 dimension/],
  [
    "arrays in place of a list",
    () => loose(np.concatenate)(x, v),
    ArgumentError,
    "axis-invalid",
    /f32\[3\][\s\S]*one list/,
  ],
];

const dtypes: readonly Refusal[] = [
  [
    "an unknown name",
    () => loose(np.zeros)([2], { dtype: "float99" }),
    DTypeError,
    "dtype-unknown",
    /"float99"[\s\S]*float32/,
  ],
  [
    "a dtype that is not held",
    () => loose(np.zeros)([2], { dtype: "int8" }),
    DTypeError,
    "dtype-unsupported",
    /int8[\s\S]*int32/,
  ],
  ["minus of booleans", () => np.negative(b), DTypeError, "dtype-refused", /bool\[2\][\s\S]*logicalNot/],
  ["difference of booleans", () => np.subtract(b, b), DTypeError, "dtype-refused", /bool\[2\][\s\S]*logicalXor/],
  ["bits of floats", () => np.bitwiseAnd(v, v), DTypeError, "dtype-refused", /f32\[3\][\s\S]*int32, uint32, bool/],
  ["lax.add", () => lax.add(v, i), DTypeError, "dtype-mismatch", /f32\[3\][\s\S]*i32\[3\][\s\S]*astype/],
  ["an index of floats", () => x.slice(v), DTypeError, "index-dtype", /float32[\s\S]*astype\("int32"\)/],
  ["an index of booleans", () => x.slice(b), DTypeError, "index-dtype", /bool[\s\S]*np\.where/],
  ["take by floats", () => np.take(v, v), DTypeError, "index-dtype", /float32/],
  ["arithmetic on keys", () => random.key(0).add(1), DTypeError, "key-arithmetic", /random\.bits/],
  ["reading keys", () => random.key(0).js(), DTypeError, "key-data", /keyData/],
  ["no key", () => loose(random.normal)([3]), DTypeError, "key-needed", /a list of 1[\s\S]*random\.key/],
  [
    "a number in place of a key",
    () => random.normal(0 as never, [2]),
    DTypeError,
    "key-needed",
    /number 0[\s\S]*random\.key/,
  ],
  [
    "draws of integers",
    () => loose(random.uniform)(random.key(0), [2], { dtype: "int32" }),
    DTypeError,
    "random-dtype",
    /int32/,
  ],
];

const values: readonly Refusal[] = [
  ["ragged lists", () => np.array([[1, 2], [3]]), ArgumentError, "ragged", /\[1\] is a list of 1[\s\S]*list of 2/],
  ["a list too deep", () => np.array([1, [2]]), ArgumentError, "ragged", /\[1\]/],
  ["text in a list", () => loose(np.array)(["a"]), ArgumentError, "not-a-number", /element \[0\] is string "a"/],
  ["undefined in a list", () => loose(np.array)([1, undefined]), ArgumentError, "not-a-number", /\[1\] is undefined/],
  ["null", () => loose(np.array)(null), ArgumentError, "not-a-number", /null/],
  ["a Date", () => loose(np.array)([new Date(0)]), ArgumentError, "not-a-number", /class Date/],
  ["a bigint", () => loose(np.array)([1n]), ArgumentError, "not-a-number", /Number\(…\)/],
  ["NaN as an integer", () => np.array([NaN], { dtype: "int32" }), ArgumentError, "number-range", /NaN[\s\S]*int32/],
  ["infinity as an integer", () => np.array([Infinity], { dtype: "int32" }), ArgumentError, "number-range", /Infinity/],
  ["beyond int32", () => np.array([2 ** 40], { dtype: "int32" }), ArgumentError, "number-range", /1099511627776/],
  ["below zero as uint32", () => np.array([-1], { dtype: "uint32" }), ArgumentError, "number-range", /-1/],
  [
    "bytes without a dtype",
    () => np.array(new Uint8Array(2)),
    DTypeError,
    "dtype-typed-array",
    /Uint8Array[\s\S]*dtype/,
  ],
  ["too few for a shape", () => np.array([1, 2, 3], { shape: [2, 2] }), ShapeError, "shape-size", /3 elements[\s\S]*4/],
  ["a list to a function", () => loose(np.sin)([1, 2]), ArgumentError, "not-an-array", /a list of 2[\s\S]*np\.array/],
  [
    "a typed array to a function",
    () => loose(np.sin)(new Float32Array(2)),
    ArgumentError,
    "not-an-array",
    /Float32Array[\s\S]*np\.array/,
  ],
  ["text to a function", () => loose(np.sin)("1"), ArgumentError, "not-an-array", /string "1"/],
  ["a function to a function", () => loose(np.sin)(Math.sin), ArgumentError, "not-an-array", /the function sin/],
  ["a promise to a function", () => loose(np.sin)(Promise.resolve(1)), ArgumentError, "not-an-array", /Promise/],
  ["null to a function", () => loose(np.add)(x, null), ArgumentError, "not-an-array", /null/],
  [
    "undefined to a function",
    () => loose(np.add)(x, undefined),
    ArgumentError,
    "not-an-array",
    /undefined[\s\S]*returns nothing/,
  ],
  ["a function to map", () => [1, 2].map(np.sin), ArgumentError, "argument-surplus", /xs\.map\(\(x\) => sin\(x\)\)/],
  ["a bigint to a function", () => loose(np.add)(x, 1n), ArgumentError, "not-an-array", /bigint 1/],
  ["nothing to tree.map", () => loose(tree.map)({ a: x }), ArgumentError, "not-a-function", /tree\.map/],
  ["a number to scan over", () => lax.scan((c: NDArray) => [c, c], x, 3), ShapeError, "scan-length", /xs\s+~i32\[\]/],
  ["a number to map over", () => lax.map(id, 3), ShapeError, "scan-length", /leading axis/],
  [
    "a body that returns nothing",
    () => lax.foriLoop(0, 3, () => undefined as never, x),
    TreeError,
    "carry-type",
    /body gives\s+undefined\nhint: the body returns the next carry/,
  ],
  ["text to a method", () => method(x, "add", "1"), ArgumentError, "not-an-array", /string "1"/],
  ["item of many", () => x.item(), ArgumentError, "item-size", /f32\[2,3\][\s\S]*js\(\)/],
  ["iterating a scalar", () => [...np.array(1)], ArgumentError, "iterate-scalar", /item\(\)/],
  ["step 0", () => np.arange(0, 1, 0), ArgumentError, "step-zero", /step/],
  ["an endless range", () => np.arange(Infinity), ArgumentError, "range-endless", /Infinity/],
  ["a count below zero", () => np.linspace(0, 1, -1), ArgumentError, "count-invalid", /-1/],
  ["an array as a length", () => loose(np.arange)(x), ArgumentError, "number-needed", /f32\[2,3\]/],
  ["the largest of nothing", () => np.max(np.zeros([0])), ArgumentError, "reduce-empty", /\[0\][\s\S]*initial/],
  ["the place of the largest of nothing", () => np.argmax(np.zeros([0])), ArgumentError, "reduce-empty", /\[0\]/],
  ["a seed with a fraction", () => random.key(0.5), ArgumentError, "key-seed", /0\.5/],
  [
    "too many draws",
    () => random.choice(random.key(0), 3, [5], { replace: false }),
    ArgumentError,
    "draw-count",
    /5 draws[\s\S]*of 3/,
  ],
];

const indices: readonly Refusal[] = [
  ["too many", () => x.slice(0, 0, 0), ArgumentError, "index-count", /3 indices[\s\S]*\[2,3\]/],
  ["out of bounds", () => x.slice(5), ArgumentError, "index-range", /index 5[\s\S]*-2 to 1/],
  ["a fraction", () => x.slice(0.5), ArgumentError, "index-range", /whole numbers/],
  [
    "a range to where an array says",
    () => jit((y, k) => method(y, "slice", [0, k]))(v, 2),
    ArgumentError,
    "index-invalid",
    /\[0, ~?i32\[\], an argument[\s\S]*dynamicSlice/,
  ],
  ["brackets", () => (x as unknown as NDArray[])[0], ArgumentError, "index-brackets", /slice\(0\)[\s\S]*at\(0\)\.set/],
  ["brackets, to assign", () => ((x as unknown as number[])[1] = 2), ArgumentError, "index-brackets", /at\(1\)\.set/],
  ["brackets, traced", () => jit((y) => (y as unknown as NDArray[])[0])(x), ArgumentError, "index-brackets", /slice/],
  ["text", () => method(x, "slice", "a"), ArgumentError, "index-invalid", /string "a"/],
  ["step 0", () => x.slice([0, 2, 0]), ArgumentError, "index-invalid", /step not 0/],
  ["an update too large", () => v.at(0).set(np.ones([2])), ShapeError, "update-shape", /\[2\]/],
  ["an unknown mode", () => loose(np.take)(v, 0, { mode: "foo" }), ArgumentError, "index-mode", /"foo"[\s\S]*clip/],
];

const options: readonly Refusal[] = [
  [
    "unknown",
    () => loose(np.sum)(x, { axes: 0 }),
    ArgumentError,
    "option-unknown",
    /"axes"[\s\S]*axis, dtype, keepdims/,
  ],
  [
    "in Python's spelling",
    () => loose(np.sum)(x, { keep_dims: true }),
    ArgumentError,
    "option-unknown",
    /did you mean keepdims/,
  ],
  ["given twice", () => loose(np.sum)(x, 0, { axis: 1 }), ArgumentError, "option-twice", /axis/],
  ["out", () => loose(np.sum)(x, { out: x }), ArgumentError, "option-absent", /immutable/],
  [
    "too many arguments",
    () => loose(np.sin)(x, 1, 2, 3),
    ArgumentError,
    "argument-surplus",
    /1 argument by position, but was given 4/,
  ],
  ["too few arguments", () => loose(np.matmul)(x), ArgumentError, "argument-missing", /needs b/],
  ["where with one choice", () => loose(np.where)(x, 1), ArgumentError, "argument-missing", /x and y/],
  ["of grad", () => loose(grad)(id, { argnum: 0 }), ArgumentError, "option-unknown", /argnums/],
  ["of jit", () => loose(jit)(id, { static: 0 }), ArgumentError, "option-unknown", /staticArgnums/],
  ["of vmap", () => loose(vmap)(id, { axes: 0 }), ArgumentError, "option-unknown", /inAxes/],
  ["a mode of pad", () => loose(np.pad)(x, 1, { mode: "foo" }), ArgumentError, "option-value", /reflect/],
  ["widths of pad", () => loose(np.pad)(x, [[1]]), ShapeError, "pad-pairs", /2 axes/],
  ["a setting", () => loose(config.update.bind(config))("foo", 1), ArgumentError, "config-unknown", /enableX64/],
  [
    "a setting of another type",
    () => loose(config.update.bind(config))("enableX64", "yes"),
    ArgumentError,
    "config-unknown",
    /enableX64/,
  ],
];

const derivatives: readonly Refusal[] = [
  ["of a vector", () => grad(id)(v), ShapeError, "grad-output", /f32\[3\][\s\S]*jacrev/],
  ["of a tree", () => grad((y: NDArray) => ({ y }))(1), ShapeError, "grad-output", /"y": \*[\s\S]*hasAux/],
  ["of nothing", () => loose(grad(() => undefined))(1), ShapeError, "grad-output", /undefined/],
  [
    "of an integer result",
    () => grad((y: NDArray) => total(y).astype("int32"))(v),
    DTypeError,
    "grad-dtype",
    /i32\[\]/,
  ],
  ["at integers", () => grad(total)(i), DTypeError, "grad-dtype", /argument 0 is i32\[3\][\s\S]*astype/],
  [
    "at integers in a tree",
    () => grad((p: { w: NDArray[] }) => total(p.w[0]!))({ w: [i] }),
    DTypeError,
    "grad-dtype",
    /argument 0\.w\[0\]/,
  ],
  ["at text", () => loose(grad(id))("a"), TreeError, "leaf-not-array", /string "a"/],
  [
    "at an unregistered class",
    () => loose(grad(id))(new Plain()),
    TreeError,
    "leaf-not-array",
    /class Plain[\s\S]*registerPytreeNode/,
  ],
  ["without arguments", () => loose(grad(id))(), ArgumentError, "argnums", /0 arguments/],
  ["of an argument that is not there", () => grad(id, 2)(1), ArgumentError, "argnums", /argument 2/],
  ["with a bad argnums", () => grad(id, 0.5)(1), ArgumentError, "argnums", /0\.5/],
  ["called at once", () => loose(grad)(total, v), ArgumentError, "argnums", /f32\[3\][\s\S]*grad\(f\)\(x\)/],
  ["of no function", () => loose(grad)(3), ArgumentError, "not-a-function", /number 3/],
  [
    "of an async function",
    () => grad((async (y: NDArray) => Promise.resolve(y)) as never)(1 as never),
    ArgumentError,
    "async-function",
    /promise/,
  ],
  ["with hasAux and no pair", () => grad(id, { hasAux: true })(1), ArgumentError, "aux-pair", /\[loss, extra\]/],
  ["jvp without lists", () => loose(jvp)(np.sin, 1, 1), ArgumentError, "jvp-lists", /two lists/],
  [
    "jvp, another structure",
    () => loose(jvp)(np.sin, [1], [1, 2]),
    TreeError,
    "tree-mismatch",
    /\[\*\][\s\S]*\[\*, \*\]/,
  ],
  ["jvp, another shape", () => jvp(id, [v], [x]), ShapeError, "tangent-shape", /f32\[3\][\s\S]*f32\[2,3\]/],
  ["jvp, another dtype", () => jvp(id, [v], [i]), DTypeError, "tangent-dtype", /f32\[3\][\s\S]*i32\[3\][\s\S]*astype/],
  ["jvp at integers", () => jvp(id, [i], [i]), DTypeError, "grad-dtype", /i32\[3\]/],
  ["vjp, another shape", () => vjp(id, v)[1](x), ShapeError, "tangent-shape", /f32\[3\][\s\S]*f32\[2,3\]/],
  ["vjp, another structure", () => loose(vjp(id, v)[1])([v]), TreeError, "tree-mismatch", /cotangent/],
  ["vjp, another dtype", () => vjp(id, v)[1](i), DTypeError, "tangent-dtype", /i32\[3\]/],
  ["linearize at integers", () => linearize(id, i), DTypeError, "grad-dtype", /i32\[3\]/],
  ["linearize, another shape", () => linearize(id, v)[1](x), ShapeError, "tangent-shape", /f32\[2,3\]/],
  [
    "linearTranspose of sin",
    () => linearTranspose((y: NDArray) => np.sin(y), v)(v),
    TransformError,
    "no-rule",
    /not linear/,
  ],
  [
    "linearTranspose, another shape",
    () => linearTranspose((y: NDArray) => y.mul(2), v)(x),
    ShapeError,
    "tangent-shape",
    /f32\[2,3\]/,
  ],
  ["jacfwd at integers", () => jacfwd(id)(i), DTypeError, "grad-dtype", /i32\[3\]/],
  ["jacrev at text", () => loose(jacrev(id))("a"), TreeError, "leaf-not-array", /string "a"/],
  ["hessian at integers", () => hessian(total)(i), DTypeError, "grad-dtype", /i32\[3\]/],
];

const mapping: readonly Refusal[] = [
  ["called at once", () => loose(vmap)(id, v), ArgumentError, "vmap-axes", /f32\[3\][\s\S]*vmap\(f\)\(xs\)/],
  ["no axis at all", () => vmap(id, { inAxes: null })(v), ArgumentError, "vmap-axes", /at least one mapped/],
  [
    "different sizes",
    () => vmap((a: NDArray, c: NDArray) => a.add(c))(v, np.ones([2])),
    ShapeError,
    "vmap-sizes",
    /f32\[3\], axis 0: 3[\s\S]*f32\[2\], axis 0: 2/,
  ],
  ["another axisSize", () => vmap(id, { axisSize: 5 })(v), ShapeError, "vmap-sizes", /axisSize\s+5/],
  ["a scalar", () => vmap(id)(1), ArgumentError, "axis-range", /a scalar has no axes/],
  ["an axis too far", () => vmap(id, { inAxes: 3 })(x), ArgumentError, "axis-range", /-2 to 1/],
  [
    "too few entries",
    () => vmap((a: NDArray, c: NDArray) => a.add(c), { inAxes: [0] })(v, v),
    ArgumentError,
    "vmap-axes",
    /1 entry for 2 arguments/,
  ],
  [
    "no prefix",
    () => vmap((p: { a: NDArray }) => p.a, { inAxes: [{ b: 0 }] })({ a: v }),
    TreeError,
    "tree-prefix",
    /"a": \*/,
  ],
  ["text as axes", () => loose(vmap(id, { inAxes: "0" as never }))(v), TreeError, "tree-prefix", /string "0"/],
  ["null for a mapped result", () => vmap(id, { outAxes: null })(v), ArgumentError, "vmap-out-axes", /outAxes is null/],
  ["an axis of the result too far", () => vmap(id, { outAxes: 4 })(v), ArgumentError, "axis-range", /axis 4/],
  ["no function", () => loose(vmap)(3), ArgumentError, "not-a-function", /number 3/],
];

const tracing: readonly Refusal[] = [
  [
    "item under jit",
    () => jit((y: NDArray) => (y.item() > 0 ? y : y.neg()))(1),
    TracerError,
    "tracer-read",
    /np\.where[\s\S]*staticArgnums/,
  ],
  ["js under jit", () => jit((y: NDArray) => np.array(y.js() as number[]))(v), TracerError, "tracer-read", /f32\[3\]/],
  [
    "a traced length under jit",
    () => jit((n: NDArray) => loose(np.zeros)([n]))(3),
    TracerError,
    "tracer-read",
    /traced/,
  ],
  ["a traced range under jit", () => jit((n: NDArray) => np.arange(n))(3), ArgumentError, "number-needed", /static/],
  ["text to jit", () => loose(jit(id))("a"), TreeError, "leaf-not-array", /string "a"[\s\S]*staticArgnums/],
  ["an unregistered class to jit", () => loose(jit(id))(new Plain()), TreeError, "leaf-not-array", /class Plain/],
  ["text from jit", () => jit(() => "a")(), TreeError, "leaf-not-array", /result[\s\S]*string "a"/],
  ["a function from jit", () => jit(() => () => 1)(), TreeError, "leaf-not-array", /the function/],
  ["no function to jit", () => loose(jit)(3), ArgumentError, "not-a-function", /number 3/],
  ["an array as static", () => jit(id, { staticArgnums: 0 })(v), ArgumentError, "static-array", /traced/],
  [
    "a static argument that is not there",
    () => jit(id, { staticArgnums: 3 })(v),
    ArgumentError,
    "argnums",
    /argument 3/,
  ],
  [
    "other types than compiled",
    () => jit(id).lower(v).compile()(x),
    ShapeError,
    "compiled-types",
    /f32\[3\][\s\S]*f32\[2,3\]/,
  ],
  ["text to makeJaxpr", () => loose(makeJaxpr(id))("a"), ArgumentError, "not-an-array", /string "a"/],
  [
    "a bad shape to evalShape",
    () => evalShape(id, { shape: [-1], dtype: "float32" }),
    ShapeError,
    "shape-invalid",
    /-1/,
  ],
  [
    "a bad dtype to evalShape",
    () => loose(evalShape)(id, { shape: [1], dtype: "f" }),
    DTypeError,
    "dtype-unknown",
    /"f"/,
  ],
  ["a value leaked from jit", () => leaked((f) => jit(f)), TracerError, "leaked-tracer", /return values/],
  ["a value leaked from grad", () => leaked((f) => grad(f)), TracerError, "leaked-tracer", /return values/],
  ["a value leaked from makeJaxpr", () => leaked((f) => makeJaxpr(f)), TracerError, "leaked-tracer", /return values/],
];

function leaked(transform: (f: (y: NDArray) => NDArray) => (y: number) => unknown): unknown {
  let kept: NDArray | undefined;
  transform((y) => (kept = y))(1);
  return kept!.add(1);
}

const trees: readonly Refusal[] = [
  [
    "map over other keys",
    () => tree.map((a: unknown) => a, { a: 1 }, { b: 1 }),
    TreeError,
    "tree-mismatch",
    /"a": \*[\s\S]*"b": \*/,
  ],
  [
    "map over another length",
    () => tree.map((a: unknown) => a, [1, 2], [1]),
    TreeError,
    "tree-mismatch",
    /\[\*, \*\][\s\S]*\[\*\]/,
  ],
  ["too few leaves", () => tree.unflatten(tree.flatten([1, 2])[1], [1]), TreeError, "tree-leaves", /2 leaves[\s\S]*1/],
  ["reduce of nothing", () => tree.reduce((a: number) => a, []), TreeError, "tree-empty", /initial/],
  [
    "a class registered twice",
    () => [Twice, Twice].forEach((type) => registerDataclass(type, [])),
    ArgumentError,
    "pytree-registered",
    /Twice/,
  ],
];

const devices: readonly Refusal[] = [
  ["unknown", () => setDefaultDevice("abacus"), DeviceError, "device-unknown", /"abacus"[\s\S]*reference/],
  [
    "a disposed array",
    () => {
      const y = v.add(1);
      y.dispose();
      return y.add(1);
    },
    DisposedError,
    "array-deleted",
    /float32\[3\]/,
  ],
  [
    "a donated array",
    () => {
      const y = v.add(1);
      jit((z: NDArray) => z.mul(2), { donateArgnums: 0 })(y);
      return y.add(1);
    },
    DisposedError,
    "array-deleted",
    /donat/,
  ],
  ["moving a traced value", () => jit((y: NDArray) => devicePut(y))(v), TracerError, "tracer-device", /f32\[3\]/],
];

export const refusals: Readonly<Record<string, readonly Refusal[]>> = {
  shapes,
  axes,
  dtypes,
  values,
  indices,
  options,
  derivatives,
  mapping,
  tracing,
  trees,
  devices,
};
