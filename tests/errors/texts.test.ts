import { expect, it } from "vitest";
import {
  devicePut,
  grad,
  hessian,
  jit,
  jvp,
  lax,
  type NDArray,
  numpy as np,
  random,
  setDefaultDevice,
  vmap,
} from "../../src/index.js";

/** Wording is part of the interface: these texts are reviewed when they change. */

const x = np.ones([2, 3], { dtype: "float32" });
const v = np.ones([3], { dtype: "float32" });

function textOf(call: () => unknown): string {
  try {
    call();
  } catch (e) {
    return `${(e as Error).name}: ${(e as Error).message}`;
  }
  throw new Error("nothing was thrown");
}

it("shapes that do not broadcast", () => {
  expect(textOf(() => np.add(x, np.ones([4])))).toMatchInlineSnapshot(`
    "ShapeError: add: shapes do not broadcast together [shape-broadcast]
      operand 0  [2,3]
      operand 1  [4]
    hint: trailing axes must be equal or 1; align them with reshape, expandDims or slice(…, null)"
  `);
});
it("a product of matrices that do not fit", () => {
  expect(textOf(() => np.matmul(x, x))).toMatchInlineSnapshot(`
    "ShapeError: matmul: axis 1 of the left operand has length 3, axis 0 of the right one 2 [contract-length]
      left   f32[2,3]
      right  f32[2,3]"
  `);
});
it("an axis out of bounds", () => {
  expect(textOf(() => np.sum(x, 2))).toMatchInlineSnapshot(`
    "ArgumentError: sum: axis 2 is out of bounds for an array of 2 dimensions [axis-range]
    hint: axes run from -2 to 1"
  `);
});
it("dtypes that lax does not promote", () => {
  expect(textOf(() => lax.add(v, np.arange(3)))).toMatchInlineSnapshot(`
    "DTypeError: add needs operands of one shape and dtype [dtype-mismatch]
      lhs  f32[3]
      rhs  i32[3]
    hint: convert one of them with astype; the functions of np promote dtypes by themselves"
  `);
});
it("a dtype that is not held", () => {
  expect(textOf(() => np.zeros([2], { dtype: "bfloat16" as never }))).toMatchInlineSnapshot(`
    "DTypeError: dtype bfloat16 is not supported [dtype-unsupported]
    hint: use one of float32, float64, int32, uint32, bool, key"
  `);
});
it("ragged lists", () => {
  expect(textOf(() => np.array([[1, 2], [3]]))).toMatchInlineSnapshot(`
    "ArgumentError: array: nested lists must be rectangular, but element [1] is a list of 1 where a list of 2 was expected [ragged]
    hint: pad the rows to one length"
  `);
});
it("an option in Python's spelling", () => {
  expect(textOf(() => np.sum(x, { keep_dims: true } as never))).toMatchInlineSnapshot(`
    "ArgumentError: sum has no option "keep_dims" [option-unknown]
      options  a, axis, dtype, keepdims, initial, where, promoteIntegers
    hint: did you mean keepdims?"
  `);
});
it("a condition on a traced value", () => {
  expect(
    textOf(() =>
      jit(function relu(y: NDArray) {
        return y.greater(0).item() ? y : np.zeros([]);
      })(v.slice(0)),
    ),
  ).toMatchInlineSnapshot(`
    "TracerError: item() needs the elements of a value that is only traced [tracer-read]
      value  bool[], made by gt, traced by jit(relu)
    hint: choose by it with np.where, make the argument that it came from static (staticArgnums), or read it outside of the transformed function"
  `);
});
it("an operator on a traced value", () => {
  expect(
    textOf(() =>
      grad(function cube(y: NDArray) {
        return np.array((y as never) ** 3);
      })(2),
    ),
  ).toMatchInlineSnapshot(`
    "TracerError: JavaScript's operators, templates and Math cannot work on a traced value [tracer-read]
      value  traced ~f32[] (under grad of cube)
    hint: write x.add(y), x.mul(y), x.less(y), np.exp(x) or np.where; item() reads a scalar where it is known; under jit, an argument that is to be a number has to be static (staticArgnums)"
  `);
});
it("a value that escaped", () => {
  expect(
    textOf(() => {
      let kept: NDArray | undefined;
      jit(function outer(y: NDArray) {
        return (kept = np.sin(y));
      })(v);
      return kept!.add(1);
    }),
  ).toMatchInlineSnapshot(`
    "TracerError: add was given a value that escaped from a transformation that has ended [leaked-tracer]
      value  f32[3], made by sin, traced by jit(outer)
    hint: return values from the transformed function instead of storing them in outer variables"
  `);
});
it("a gradient of a vector", () => {
  expect(
    textOf(() =>
      grad(function model(y: NDArray) {
        return y.mul(2);
      })(v),
    ),
  ).toMatchInlineSnapshot(`
    "ShapeError: grad is defined for scalar-output functions only, but model returned f32[3] [grad-output]
    hint: reduce the result (sum, mean), or use jacrev, jacfwd or vjp"
  `);
});
it("a gradient at integers", () => {
  expect(textOf(() => grad((p: { w: NDArray; n: NDArray[] }) => np.sum(p.w))({ w: v, n: [np.arange(2)] })))
    .toMatchInlineSnapshot(`
    "DTypeError: grad requires real-valued inputs, but argument 0.n[0] is i32[2] [grad-dtype]
    hint: convert it with .astype("float32"), or leave it out of what is differentiated"
  `);
});
it("a tangent of another shape", () => {
  expect(textOf(() => jvp((y: NDArray) => np.sin(y), [v], [x]))).toMatchInlineSnapshot(`
    "ShapeError: jvp: tangent 0 must have the shape of the value it belongs to [tangent-shape]
      expected  f32[3]
      got       f32[2,3]"
  `);
});
it("mapped axes of different sizes", () => {
  expect(
    textOf(() =>
      vmap(function pair(a: NDArray, b: { c: NDArray }) {
        return a.add(b.c);
      })(v, { c: np.ones([2, 3]) }),
    ),
  ).toMatchInlineSnapshot(`
    "ShapeError: vmap(pair): mapped axes have different sizes [vmap-sizes]
      argument [0]    f32[3], axis 0: 3
      argument [1].c  f32[2,3], axis 0: 2
    hint: use inAxes to say which axis of each argument holds the examples; null for arguments shared by all"
  `);
});
it("text given to a compiled function", () => {
  expect(
    textOf(() =>
      jit(function step(_y: unknown) {
        return 1;
      })({ rate: "high" } as never),
    ),
  ).toMatchInlineSnapshot(`
    "TreeError: jit(step): argument [0].rate is string "high", not an array [leaf-not-array]
    hint: jitted functions take pytrees of arrays and numbers; name other arguments in staticArgnums, register classes with registerPytreeNode"
  `);
});
it("arithmetic on a key", () => {
  expect(textOf(() => random.key(0).mul(2))).toMatchInlineSnapshot(`
    "DTypeError: multiply: random keys take part in no arithmetic [key-arithmetic]
      operand 0  key[]
      operand 1  the number 2
    hint: use random.bits, random.uniform, … to draw numbers, or random.keyData for the words"
  `);
});
it("a device that is not there", () => {
  expect(textOf(() => setDefaultDevice("webgpu"))).toMatchInlineSnapshot(`
    "DeviceError: device "webgpu" is not prepared [device-unprepared]
    hint: await init("webgpu") prepares it"
  `);
});
it("keys added to one another", () => {
  expect(textOf(() => random.key(0).add(random.key(1)))).toMatchInlineSnapshot(`
    "DTypeError: add takes numbers [dtype-refused]
      lhs  key[]
      rhs  key[]
    hint: draw numbers from a random key with random.bits, random.uniform, …; its words are random.keyData(key)"
  `);
});
it("a hessian at integers, of a function without a name", () => {
  expect(textOf(() => hessian((y: NDArray) => np.sum(y))(np.arange(2)))).toMatchInlineSnapshot(`
    "DTypeError: hessian of the function requires real-valued inputs, but argument 0 is i32[2] [grad-dtype]
    hint: convert it with .astype("float32"), or leave it out of what is differentiated"
  `);
});
it("an operator in a hessian", () => {
  expect(
    textOf(() =>
      hessian(function energy(y: NDArray) {
        return np.sum(np.array((y as never) ** 3));
      })(v),
    ),
  ).toMatchInlineSnapshot(`
    "TracerError: JavaScript's operators, templates and Math cannot work on a traced value [tracer-read]
      value  traced f32[3] (under hessian of energy)
    hint: write x.add(y), x.mul(y), x.less(y), np.exp(x) or np.where; item() reads a scalar where it is known; under jit, an argument that is to be a number has to be static (staticArgnums)"
  `);
});
it("a value that is mapped", () => {
  expect(
    textOf(() =>
      vmap(function row(y: NDArray) {
        return y.slice(0).item() > 0 ? y : y.mul(2);
      })(x),
    ),
  ).toMatchInlineSnapshot(`
    "TracerError: item() needs the elements of a value that is only traced [tracer-read]
      value  traced f32[] (under vmap of row)
    hint: choose by it with np.where, make the argument that it came from static (staticArgnums), or read it outside of the transformed function"
  `);
});
it("arrays that were put on two devices", () => {
  expect(textOf(() => devicePut(v, "wasm").add(devicePut(x, "reference")))).toMatchInlineSnapshot(`
    "DeviceError: add was given arrays on different devices: wasm and reference [device-mixed]
      operand 0  f32[2,3] on wasm
      operand 1  f32[2,3] on reference
    hint: move them to one device with devicePut(x, device)"
  `);
});
