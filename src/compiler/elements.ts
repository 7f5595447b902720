import { stridesOf } from "../core/aval.js";
import { InternalError, invariant } from "../core/errors.js";
import { Literal } from "../core/jaxpr.js";
import { elementType } from "../kernel-ir/element-type.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Index } from "../kernel-ir/index-expr.js";
import type { ElementLowering, Operand as RuleOperand } from "../kernel-ir/lowering.js";
import { constant, type Expr } from "../kernel-ir/scalar.js";
import { type Operand, physicalShape, type Value } from "./graph.js";

/** How the elements of values that are not free are had: loaded, or computed in the same kernel. */
export interface Reader {
  /** `flat` counts elements in row-major order of the physical shape. */
  readFlat(value: Value, flat: Index): Expr;
}

/** An operand as lowering rules see it. Indices are physical: for keys, the word comes last. */
export function ruleOperand(x: Operand, reader: Reader): RuleOperand {
  const type = elementType(x.aval);
  if (x instanceof Literal) {
    const value = type === "f32" ? Math.fround(x.value) : x.value;
    return { aval: x.aval, type, at: () => constant(type, value) };
  }
  return { aval: x.aval, type, at: (index) => elementOf(x, index, reader) };
}

/** Element `index` of a value. */
export function elementOf(x: Operand, index: readonly Index[], reader: Reader): Expr {
  if (x instanceof Literal) return ruleOperand(x, reader).at(index);
  if (!x.free) return reader.readFlat(x, flatIndex(x, index));
  const root = reshapedFrom(x);
  if (!root.free) return reader.readFlat(root, flatIndex(x, index));
  return applyElement(x, index, reader);
}

export const flatIndex = (x: Value, index: readonly Index[]): Index =>
  ix.flatten(index, stridesOf(physicalShape(x.aval)));

/** Looks through free values that only change the shape. */
export function reshapedFrom(x: Value): Value {
  let v = x;
  while (v.free && v.op!.reshapes) {
    const inner = v.op!.inputs[0]!;
    if (inner instanceof Literal) break;
    v = inner;
  }
  return v;
}

/** Applies the element rule of the operation that makes `x`, at an index. */
export function applyElement(x: Value, index: readonly Index[], reader: Reader): Expr {
  const { op } = x;
  invariant(op, "an input has no element rule");
  const rule = op.lower;
  if (rule.kind !== "element") throw new InternalError(`${op.name} has no element rule`);
  const element = (rule as ElementLowering<never>).element;
  const operands = op.inputs.map((a) => ruleOperand(a, reader));
  if (rule.words || x.aval.dtype !== "key") return element(operands, index, op.params, x.output, x.aval);
  // a view of keys: the word goes through, the rule sees the keys only
  const word = index.at(-1)!;
  const wrapped = operands.map((o) =>
    o.aval.dtype === "key" ? { ...o, at: (i: readonly Index[]) => o.at([...i, word]) } : o,
  );
  return element(wrapped, index.slice(0, -1), op.params, x.output, x.aval);
}

/** The values that are not free which a value is made of, looking through free ones. */
export function sourcesOf(x: Operand, into = new Set<Value>()): Set<Value> {
  if (x instanceof Literal) return into;
  if (!x.free) into.add(x);
  else for (const y of x.op!.inputs) sourcesOf(y, into);
  return into;
}
