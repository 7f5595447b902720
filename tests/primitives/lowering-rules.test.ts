import { describe, expect, test } from "vitest";
import { type Aval, type HostArray, hostZeros, type Shape, sizeOf, stridesOf } from "../../src/core/aval.js";
import { dtypeInfo } from "../../src/core/dtype.js";
import { type Eqn, Literal, type Var } from "../../src/core/jaxpr.js";
import type { AnyPrimitive } from "../../src/core/primitive.js";
import { stage } from "../../src/core/staging.js";
import * as ix from "../../src/kernel-ir/index-expr.js";
import type { ElementLowering, Lowering, Operand, ScatterLowering } from "../../src/kernel-ir/lowering.js";
import { type Expr, load, type ScalarType } from "../../src/kernel-ir/scalar.js";
import { scalarFunction, type ScalarValue, toScalar } from "../../src/kernel-ir/scalar-eval.js";
import "../../src/primitives/all.js";
import "../../src/runtime/install.js";
import type { ArgSpec, ContractRow } from "./contract.js";
import { rows as indexing } from "./rows-indexing.js";
import { rows as movement } from "./rows-movement.js";
import { rows as sortRandom } from "./rows-sort-random.js";

/**
 * Lowering rules of kinds element and scatter against plain evaluation, without a compiler between them: a rule's expressions
 * are interpreted at every index, and every load and store is checked to lie within its buffer.
 */

const types: Record<string, Exclude<ScalarType, "i64">> = {
  float32: "f32",
  float64: "f64",
  int32: "i32",
  uint32: "u32",
  bool: "bool",
  key: "u32",
};
const physical = (a: Aval): Shape => (a.dtype === "key" ? [...a.shape, 2] : a.shape);

/** The index that a physical one means: for keys under a rule that sees whole keys, without the word. */
type Point = readonly number[];

class Machine {
  private readonly memo = new Map<Expr, ScalarValue>();

  constructor(
    private readonly buffers: readonly HostArray[],
    private readonly point: Point,
  ) {}

  index(i: ix.Index): number {
    let sum = i.base;
    for (const { coeff, atom } of i.terms) sum += coeff * this.atom(atom);
    expect(sum >= i.lo && sum <= i.hi, `index ${i.key} = ${sum} leaves its range [${i.lo}, ${i.hi}]`).toBe(true);
    return sum;
  }

  private atom(a: ix.Atom): number {
    switch (a.kind) {
      case "axis":
        return this.point[a.axis]!;
      case "div":
        return Math.floor(this.index(a.x) / a.d);
      case "mod": {
        const x = this.index(a.x);
        return x - a.d * Math.floor(x / a.d);
      }
      case "clamp":
        return Math.min(Math.max(this.index(a.x), a.lo), a.hi);
      case "value": {
        const v = Number(this.expr(a.expr));
        expect(v >= a.lo && v <= a.hi, `a loaded index ${v} leaves [${a.lo}, ${a.hi}]`).toBe(true);
        return v;
      }
    }
  }

  /** Expressions are graphs: what is shared is computed once. */
  expr(e: Expr): ScalarValue {
    const known = this.memo.get(e);
    if (known !== undefined) return known;
    const value = this.compute(e);
    this.memo.set(e, value);
    return value;
  }

  private compute(e: Expr): ScalarValue {
    switch (e.kind) {
      case "const":
        return toScalar(e.type, e.value);
      case "index":
        return this.index(e.index);
      case "load": {
        const { data } = this.buffers[e.buffer]!;
        const i = this.index(e.index);
        expect(i >= 0 && i < data.length, `load ${i} of ${data.length} elements`).toBe(true);
        return data[i]!;
      }
      case "op": {
        const args = e.args.map((a) => this.expr(a));
        const f = scalarFunction(e.op, e.args[0]!.type, e.type);
        if (!f) throw new Error(`no ${e.op} of ${e.args[0]!.type}`);
        return f(...args);
      }
      default:
        throw new Error(`a lowering rule made a ${e.kind}`);
    }
  }
}

/** Operands that load; `word`: of keys, the word that the framework reads for a rule that sees whole keys. */
function operandsOf(inputs: readonly HostArray[], word: ix.Index | undefined): Operand[] {
  return inputs.map(({ aval }, buffer) => ({
    aval,
    type: types[aval.dtype]!,
    at: (index) => {
      const full = aval.dtype === "key" && word ? [...index, word] : index;
      expect(full.length).toBe(physical(aval).length);
      return load(types[aval.dtype]!, buffer, ix.flatten(full, stridesOf(physical(aval))));
    },
  }));
}

function* points(shape: Shape): Generator<number[]> {
  const strides = stridesOf(shape);
  for (let i = 0; i < sizeOf(shape); i++) yield shape.map((d, k) => Math.floor(i / strides[k]!) % d);
}
const axesOf = (shape: Shape): ix.Index[] => shape.map((d, k) => ix.axisIndex(k, d));
const offset = (point: Point, shape: Shape): number => point.reduce((sum, p, k) => sum + p * stridesOf(shape)[k]!, 0);

function runElement(rule: ElementLowering<never>, inputs: readonly HostArray[], eqn: Eqn, output: number): HostArray {
  const out = hostZeros(eqn.outs[output]!.aval);
  const shape = physical(out.aval);
  const index = axesOf(shape);
  const through = out.aval.dtype === "key" && !rule.words;
  const e = rule.element(
    operandsOf(inputs, through ? index.at(-1) : undefined),
    through ? index.slice(0, -1) : index,
    eqn.params as never,
    output,
    out.aval,
  );
  for (const point of points(shape)) out.data[offset(point, shape)] = Number(new Machine(inputs, point).expr(e));
  return out;
}

/** The result written region by region; every element must be written once. */
function runRegions(rule: ElementLowering<never>, inputs: readonly HostArray[], eqn: Eqn): HostArray {
  const out = hostZeros(eqn.outs[0]!.aval);
  const written = new Uint8Array(out.data.length);
  const isKey = out.aval.dtype === "key";
  const count = rule.regions!(operandsOf(inputs, ix.lit(0)), eqn.params as never, out.aval).length;
  for (let r = 0; r < count; r++) {
    const logical = rule.regions!(operandsOf(inputs, ix.lit(0)), eqn.params as never, out.aval)[r]!.shape;
    const shape = isKey ? [...logical, 2] : logical;
    const index = axesOf(shape);
    const word = isKey ? index.at(-1)! : undefined;
    const region = rule.regions!(operandsOf(inputs, word), eqn.params as never, out.aval)[r]!;
    const inner = isKey ? index.slice(0, -1) : index;
    const place = ix.flatten(
      word ? [...region.place(inner), word] : region.place(inner),
      stridesOf(physical(out.aval)),
    );
    const value = region.element(inner);
    for (const point of points(shape)) {
      const machine = new Machine(inputs, point);
      const at = machine.index(place);
      expect(written[at], `element ${at} is written twice`).toBe(0);
      written[at] = 1;
      out.data[at] = Number(machine.expr(value));
    }
  }
  expect(
    written.every((w) => w === 1),
    "every element is written",
  ).toBe(true);
  return out;
}

function runScatter(rule: ScatterLowering<never>, inputs: readonly HostArray[], eqn: Eqn): HostArray {
  const out: HostArray = { aval: eqn.outs[0]!.aval, data: inputs[0]!.data.slice() };
  const isKey = out.aval.dtype === "key";
  const logical = rule.scatter(operandsOf(inputs, ix.lit(0)), eqn.params as never, out.aval).updates;
  const shape = isKey ? [...logical, 2] : logical;
  const index = axesOf(shape);
  const word = isKey ? index.at(-1)! : undefined;
  const s = rule.scatter(operandsOf(inputs, word), eqn.params as never, out.aval);
  const u = isKey ? index.slice(0, -1) : index;
  const place = ix.flatten(word ? [...s.place(u), word] : s.place(u), stridesOf(physical(out.aval)));
  const value = s.value(u);
  const when = s.when(u);
  const type = types[out.aval.dtype]!;
  const touched = new Set<number>();
  for (const point of points(shape)) {
    const machine = new Machine(inputs, point);
    if (when && machine.expr(when) === 0) continue;
    const at = machine.index(place);
    expect(at >= 0 && at < out.data.length, `update ${at} of ${out.data.length} elements`).toBe(true);
    if (s.unique) expect(touched.has(at), `element ${at} is updated twice, against the promise`).toBe(false);
    touched.add(at);
    const v = machine.expr(value);
    out.data[at] = Number(s.combine === null ? v : scalarFunction(s.combine, type, type)!(out.data[at]!, v));
  }
  return out;
}

let seed = 1;
const random = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
  return seed / 4294967296;
};

function argumentOf(spec: ArgSpec): HostArray {
  const out = hostZeros({ shape: spec.shape, dtype: spec.dtype === "float" ? "float32" : spec.dtype, weakType: false });
  const [lo, hi] = spec.range ?? [-2, 2];
  const whole = dtypeInfo[out.aval.dtype].kind !== "float";
  for (let i = 0; i < out.data.length; i++) {
    out.data[i] = spec.values
      ? spec.values[i]!
      : whole
        ? Math.floor(lo + random() * (hi - lo + 1))
        : lo + random() * (hi - lo);
  }
  return out;
}

const evaluate = (p: AnyPrimitive, inputs: readonly HostArray[], params: unknown): readonly HostArray[] => {
  if (typeof p.evaluate !== "function") throw new Error(`${p.name} has no plain evaluation`);
  return p.evaluate(inputs, params as never);
};

function check(row: ContractRow): void {
  const args = row.args.map(argumentOf);
  const { jaxpr, consts } = stage(
    (xs) => {
      const y = row.apply(xs);
      return Array.isArray(y) ? (y as never) : [y as never];
    },
    args.map((a) => a.aval),
  );
  expect(consts).toEqual([]);
  const env = new Map<Var, HostArray>();
  jaxpr.inVars.forEach((v, i) => env.set(v, args[i]!));
  let seen = false;
  for (const eqn of jaxpr.eqns) {
    const inputs = eqn.inputs.map((a) => {
      if (!(a instanceof Literal)) return env.get(a)!;
      const scalar = hostZeros(a.aval);
      scalar.data[0] = a.value;
      return scalar;
    });
    const expected = evaluate(eqn.primitive, inputs, eqn.params);
    eqn.outs.forEach((v, i) => {
      expect(expected[i]!.aval).toEqual(v.aval);
      env.set(v, expected[i]!);
    });
    const rule = eqn.primitive.lower as Lowering<never>;
    if (rule.kind === "element") {
      eqn.outs.forEach((_, o) => expect(runElement(rule, inputs, eqn, o).data).toEqual(expected[o]!.data));
      if (rule.regions) expect(runRegions(rule, inputs, eqn).data).toEqual(expected[0]!.data);
    } else if (rule.kind === "scatter") {
      expect(runScatter(rule, inputs, eqn).data).toEqual(expected[0]!.data);
    }
    seen ||= eqn.primitive.name === row.primitive;
  }
  expect(seen, `the row binds ${row.primitive}`).toBe(true);
}

describe("lowering rules agree with plain evaluation", () => {
  for (const row of [...movement, ...indexing, ...sortRandom]) {
    test(`${row.primitive}${row.variant ? ` (${row.variant})` : ""}`, () => check(row));
  }
});
