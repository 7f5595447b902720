import type { Index } from "../../../src/kernel-ir/index-expr.js";
import type { NestKernel, Statement } from "../../../src/kernel-ir/kernel.js";
import { type FmaRounding, scalarFunction, toScalar } from "../../../src/kernel-ir/scalar-eval.js";
import type { CombineOp, Expr, ScalarOp, ScalarType } from "../../../src/kernel-ir/scalar.js";
import type { TypedArray } from "../../../src/core/dtype.js";

type Value = number | bigint;

/** Runs a nest point by point, as the comment on NestKernel says. Slow, and shares nothing with the emitter. */
export function evaluateNest(kernel: NestKernel, buffers: readonly TypedArray[], rounding: FmaRounding = "once"): void {
  const apply = (op: ScalarOp, from: ScalarType, to: ScalarType, args: readonly Value[]): Value => {
    const f = scalarFunction(op, from, to, rounding);
    if (!f) throw new Error(`no ${op} of ${from}`);
    return f(...args);
  };
  const slots: Value[] = [];
  const point: number[] = new Array<number>(kernel.parallel.length + kernel.reduced.length).fill(0);
  let keeps: Value[][] = [];
  let keepAt = 0;

  const index = (i: Index): number => {
    let sum = i.base;
    for (const { coeff, atom } of i.terms) {
      let x: number;
      switch (atom.kind) {
        case "axis":
          x = point[atom.axis]!;
          break;
        case "div":
          x = Math.floor(index(atom.x) / atom.d);
          break;
        case "mod":
          x = index(atom.x) - atom.d * Math.floor(index(atom.x) / atom.d);
          break;
        case "clamp":
          x = Math.min(Math.max(index(atom.x), atom.lo), atom.hi);
          break;
        case "value":
          x = Number(value(atom.expr, new Map()));
      }
      sum += coeff * x;
    }
    return sum;
  };
  const checked = (buffer: number, i: number): number => {
    if (i < 0 || i >= kernel.buffers[buffer]!.length)
      throw new RangeError(`${kernel.name}: index ${i} of buffer ${buffer}`);
    return i;
  };
  const value = (e: Expr, memo: Map<Expr, Value>): Value => {
    const known = memo.get(e);
    if (known !== undefined) return known;
    let v: Value;
    switch (e.kind) {
      case "const":
        v = toScalar(e.type, e.value);
        break;
      case "index":
        v = index(e.index);
        break;
      case "load":
        v = buffers[e.buffer]![checked(e.buffer, index(e.index))]!;
        break;
      case "slot":
        v = slots[e.slot]!;
        break;
      case "keep":
        v = keeps[e.keep]![keepAt]!;
        break;
      case "op": {
        const args = e.args.map((a) => value(a, memo));
        const from = e.op === "select" ? e.args[1]!.type : e.args[0]!.type;
        v = apply(e.op, from, e.type, args);
      }
    }
    memo.set(e, v);
    return v;
  };
  const combine = (op: CombineOp, type: ScalarType, a: Value, b: Value): Value => apply(op, type, type, [a, b]);
  const run = (list: readonly Statement[]): void => {
    const stores: (() => void)[] = [];
    for (const s of list) {
      const v = value(s.value, new Map());
      switch (s.kind) {
        case "store": {
          const at = checked(s.buffer, index(s.index));
          if (kernel.sequential) buffers[s.buffer]![at] = Number(v);
          else stores.push(() => (buffers[s.buffer]![at] = Number(v)));
          break;
        }
        case "update": {
          if (s.when && !value(s.when, new Map())) break;
          const at = checked(s.buffer, index(s.index));
          const type = kernel.buffers[s.buffer]!.type;
          buffers[s.buffer]![at] = Number(s.combine ? combine(s.combine, type, buffers[s.buffer]![at]!, v) : v);
          break;
        }
        case "keep":
          keeps[s.keep]![keepAt] = v;
          break;
        case "accumulate": {
          const { combine: c, type } = kernel.slots[s.slot]!;
          // sums in double, so that only the emitter's rounding shows
          slots[s.slot] =
            c === "add" && type === "f32" && !kernel.slots[s.slot]!.running
              ? Number(slots[s.slot]) + Number(v)
              : combine(c, type, slots[s.slot]!, v);
        }
      }
    }
    for (const s of stores) s();
  };
  const walk = (from: number, to: number, body: () => void): void => {
    if (from === to) {
      body();
      return;
    }
    const extent = [...kernel.parallel, ...kernel.reduced][from]!;
    for (let i = 0; i < extent; i++) {
      point[from] = i;
      walk(from + 1, to, body);
    }
  };
  const p = kernel.parallel.length;
  walk(0, p, () => {
    keeps = kernel.keeps.map(() => []);
    for (const phase of kernel.phases) {
      for (const s of phase.body) if (s.kind === "accumulate") slots[s.slot] = kernel.slots[s.slot]!.initial;
      keepAt = 0;
      walk(p, p + kernel.reduced.length, () => {
        run(phase.body);
        keepAt++;
      });
      for (const s of phase.body)
        if (s.kind === "accumulate" && kernel.slots[s.slot]!.type === "f32")
          slots[s.slot] = Math.fround(Number(slots[s.slot]));
      run(phase.after);
    }
  });
}
