import { describe, expect, test } from "vitest";
import { type HostArray, hostZeros, sizeOf, stridesOf } from "../../src/core/aval.js";
import { isFloat } from "../../src/core/dtype.js";
import { type Eqn, Literal } from "../../src/core/jaxpr.js";
import { stage } from "../../src/core/staging.js";
import * as ix from "../../src/kernel-ir/index-expr.js";
import type { Lowering, Operand } from "../../src/kernel-ir/lowering.js";
import { type CombineOp, constant, type Expr, type ScalarType } from "../../src/kernel-ir/scalar.js";
import { scalarFunction, type ScalarValue, toScalar } from "../../src/kernel-ir/scalar-eval.js";
import { evaluateJaxpr, evaluatePrimitive, hostScalar } from "../../src/core/host-interpreter.js";
import "../../src/primitives/all.js";
import "../../src/runtime/install.js";
import type { NDArray } from "../../src/core/array.js";
import { difference, draw, generator } from "./contract-data.js";
import { rows as elementwise } from "./rows-elementwise.js";
import { rows as reductions } from "./rows-reduce.js";

/** Lowering rules against plain evaluation, without a compiler between them: expressions are computed at every index. */

const types: Readonly<Record<string, Exclude<ScalarType, "i64">>> = {
  float32: "f32",
  float64: "f64",
  int32: "i32",
  uint32: "u32",
  bool: "bool",
  key: "u32",
};

/** Computes an expression of constants; nodes that are shared are computed once. */
function compute(root: Expr): number {
  const done = new Map<Expr, ScalarValue>();
  const visit = (e: Expr): ScalarValue => {
    let value = done.get(e);
    if (value !== undefined) return value;
    if (e.kind === "const") value = toScalar(e.type, e.value);
    else if (e.kind === "index") value = e.index.base;
    else if (e.kind === "op") {
      const f = scalarFunction(e.op, e.args[0]!.type, e.type);
      if (!f) throw new Error(`there is no ${e.op} of ${e.args[0]!.type}`);
      value = f(...e.args.map(visit));
    } else throw new Error(`a lowering rule made a ${e.kind}`);
    done.set(e, value);
    return value;
  };
  return Number(visit(root));
}

const indexOf = (flat: number, shape: readonly number[]): number[] =>
  stridesOf(shape).map((s, k) => Math.floor(flat / s) % shape[k]!);

/** Operands whose elements are constants; keys give the word asked for, or `word` to rules that see whole keys. */
function constants(inputs: readonly HostArray[], word: number): Operand[] {
  return inputs.map(({ aval, data }) => ({
    aval,
    type: types[aval.dtype]!,
    at: (index) => {
      const numbers = index.map((i) => (expect(ix.isLit(i)).toBe(true), i.base));
      const isKey = aval.dtype === "key";
      const strides = stridesOf(aval.shape);
      const place = strides.reduce((sum, s, k) => sum + s * numbers[k]!, 0);
      expect(numbers.length, "indices").toBeLessThanOrEqual(strides.length + (isKey ? 1 : 0));
      return constant(types[aval.dtype]!, data[isKey ? 2 * place + (numbers[strides.length] ?? word) : place]!);
    },
  }));
}

function lowered(eqn: Eqn, inputs: readonly HostArray[]): HostArray[] {
  const rule = eqn.primitive.lower as Lowering<never>;
  const params = eqn.params as never;
  return eqn.outs.map(({ aval }, output) => {
    const out = hostZeros(aval);
    const words = aval.dtype === "key" ? 2 : 1;
    if (rule.kind === "element") {
      for (let i = 0; i < out.data.length; i++) {
        const index = indexOf(Math.floor(i / words), aval.shape).map((n) => ix.lit(n));
        const e = rule.element(constants(inputs, i % words), index, params, output, aval);
        expect(e.type).toBe(types[aval.dtype]);
        out.data[i] = compute(e);
      }
    } else if (rule.kind === "reduce") {
      const { axes, combine, initial } = rule.reduce(params, inputs[0]!.aval);
      const { shape } = inputs[0]!.aval;
      const kept = shape.map((_, k) => k).filter((k) => !axes.includes(k));
      const strides = stridesOf(aval.shape);
      const f = combiner(combine, aval.dtype);
      const sums = new Float64Array(out.data.length).fill(initial);
      for (let i = 0; i < sizeOf(shape); i++) {
        const index = indexOf(i, shape);
        const target = kept.reduce((sum, k, o) => sum + index[k]! * strides[o]!, 0);
        sums[target] = f(sums[target]!, inputs[0]!.data[i]!);
      }
      out.data.set(sums);
    } else if (rule.kind === "scan") {
      const { axis, reverse, combine, initial } = rule.scan(params, inputs[0]!.aval);
      const f = combiner(combine, aval.dtype);
      const stride = stridesOf(aval.shape)[axis]!;
      const n = aval.shape[axis]!;
      const order = Array.from({ length: sizeOf(aval.shape) }, (_, i) => i);
      if (reverse) order.reverse();
      const acc = new Map<number, number>();
      for (const i of order) {
        const line = i - (Math.floor(i / stride) % n) * stride;
        acc.set(line, f(acc.get(line) ?? initial, inputs[0]!.data[i]!));
        out.data[i] = acc.get(line)!;
      }
    } else throw new Error(`no interpretation of kind ${rule.kind}`);
    return out;
  });
}

function combiner(op: CombineOp, dtype: string): (x: number, y: number) => number {
  // Sums of floats are kept in float64, as plain evaluation keeps them.
  const type = dtype === "float32" ? "f64" : types[dtype]!;
  const f = scalarFunction(op, type, type);
  if (!f) throw new Error(`there is no ${op} of ${type}`);
  return (x, y) => Number(f(x, y));
}

const kinds = ["element", "reduce", "scan", "expand"];

describe.each([...elementwise, ...reductions].map((row) => [`${row.primitive} ${row.variant ?? ""}`, row] as const))(
  "%s",
  (_, row) => {
    test.each(["float32", "float64"] as const)("lowering = plain evaluation, %s", (float) => {
      const random = generator(11);
      const inputs = row.args.map((a) => draw(a, float, random));
      const apply = (xs: readonly NDArray[]): readonly NDArray[] => {
        const out = row.apply(xs);
        return Array.isArray(out) ? (out as readonly NDArray[]) : [out as NDArray];
      };
      const { jaxpr } = stage(
        apply,
        inputs.map((h) => h.aval),
      );
      const env = new Map<unknown, HostArray>();
      jaxpr.inVars.forEach((v, i) => env.set(v, inputs[i]!));
      for (const eqn of jaxpr.eqns) {
        const operands = eqn.inputs.map((a) => (a instanceof Literal ? hostScalar(a.value, a.aval) : env.get(a)!));
        const avals = eqn.outs.map((v) => v.aval);
        const plain = evaluatePrimitive(eqn.primitive, operands, eqn.params, avals);
        const rule = eqn.primitive.lower as Lowering<never>;
        expect(kinds).toContain(rule.kind);
        let actual: readonly HostArray[];
        if (rule.kind === "expand") {
          const { jaxpr: inner, consts } = stage(
            (xs) => rule.expand(xs, eqn.params as never),
            operands.map((h) => h.aval),
          );
          expect(consts).toEqual([]);
          expect(inner.eqns.map((e) => e.primitive.name)).not.toContain(eqn.primitive.name);
          actual = evaluateJaxpr(inner, operands);
        } else actual = lowered(eqn, operands);
        plain.forEach((p, i) => {
          env.set(eqn.outs[i], p);
          const ulp = isFloat(p.aval.dtype) ? (p.aval.dtype === "float32" ? 2 ** -23 : 2 ** -52) : 0;
          expect(
            difference(actual[i]!, p, (row.ulps ?? 4) * ulp),
            `${eqn.primitive.name}, result ${i}`,
          ).toBeUndefined();
        });
      }
    });
  },
);
