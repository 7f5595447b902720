import { type Aval, type Shape, sizeOf } from "../core/aval.js";
import { type DType, dtypeInfo } from "../core/dtype.js";
import { InternalError, invariant } from "../core/errors.js";
import type { Var } from "../core/jaxpr.js";
import { type Eqn, type Jaxpr, Literal } from "../core/jaxpr.js";
import { ruleOf } from "../core/primitive.js";
import type { DeviceTraits } from "../kernel-ir/backend.js";
import { elementType } from "../kernel-ir/element-type.js";
import type { ElementLowering, Lowering } from "../kernel-ir/lowering.js";
import { constant, op as makeOp } from "../kernel-ir/scalar.js";

/** The shape of an array in memory: keys have a last axis of two words. */
export const physicalShape = (a: Aval): Shape => (a.dtype === "key" ? [...a.shape, 2] : a.shape);
export const physicalSize = (a: Aval): number => sizeOf(physicalShape(a));
export const bytesOf = (a: Aval): number => sizeOf(a.shape) * dtypeInfo[a.dtype].bytes;

/** A place in the order of launches: what is made in one group is made by one step (or a few) of the program. */
export interface Group {
  readonly order: number;
}

/** A value of the program: an input, or a result of an operation. */
export class Value {
  /** Others read it from memory. */
  stored = false;
  /** Where it is computed; undefined for inputs and for free values. */
  group: Group | undefined;

  constructor(
    readonly aval: Aval,
    readonly op: Op | undefined,
    readonly output: number,
  ) {}

  /** Computed where it is used, at whatever index, and never stored for its own sake. */
  get free(): boolean {
    return this.op?.free ?? false;
  }
}

export type Operand = Value | Literal;

/** An equation as the compiler sees it. */
export interface Op {
  /** Its place in the program; −1 for copies. */
  readonly number: number;
  readonly lower: Lowering<never>;
  readonly params: never;
  readonly inputs: readonly Operand[];
  readonly outs: Value[];
  readonly free: boolean;
  readonly name: string;
  readonly cost: number;
  /** The result has the operand's elements in the same row-major order. */
  readonly reshapes: boolean;
  /** The result is the operand's elements, made only to lie in memory. */
  readonly copies: boolean;
  /** What it takes to compute a free scalar again; infinite where that may not be done for its price alone. */
  readonly again: number;
  /** It is made of literals and free values alone: no element of it is loaded. */
  readonly sourceless: boolean;
  /** Element rules that one element of a result applies, those of free operands included as often as they are read. */
  readonly rules: number;
}

export interface Graph {
  readonly inputs: readonly Value[];
  readonly ops: readonly Op[];
  readonly outputs: readonly Operand[];
}

/** Reads a simplified jaxpr as operations on values, for a device. */
export function buildGraph(jaxpr: Jaxpr, traits: DeviceTraits): Graph {
  const env = new Map<Var, Value>();
  const inputs = jaxpr.inVars.map((v) => {
    const value = new Value(v.aval, undefined, 0);
    value.stored = true;
    env.set(v, value);
    return value;
  });
  const read = (a: Var | Literal): Operand => {
    if (a instanceof Literal) return a;
    const x = env.get(a);
    invariant(x, "the compiler reads a variable before it is written");
    return x;
  };
  const ops = jaxpr.eqns.map((eqn, number) => {
    const op = opOf(number, eqn, eqn.inputs.map(read), traits);
    eqn.outs.forEach((v, i) => {
      const value = new Value(v.aval, op, i);
      op.outs.push(value);
      env.set(v, value);
    });
    return op;
  });
  return { inputs, ops, outputs: jaxpr.outs.map(read) };
}

function opOf(number: number, eqn: Eqn, inputs: readonly Operand[], traits: DeviceTraits): Op {
  const { primitive } = eqn;
  const rule = ruleOf(primitive.lower, primitive, "lowering") as Lowering<never>;
  const lower = emptyReduction(rule, eqn) ?? (mayBeWhole(inputs, traits) ? inOnePiece(rule) : rule);
  if (lower.kind === "expand") throw new InternalError(`${primitive.name} was to be expanded before lowering`);
  const { facts } = primitive;
  const cost = facts.cost ?? 1;
  const first = inputs[0];
  const reshapes =
    lower.kind === "element" &&
    first instanceof Value &&
    (typeof facts.reshapes === "function" ? facts.reshapes(eqn.params as never, first.aval) : facts.reshapes === true);
  // a result joined of pieces that lie in memory is stored: each of its elements looks at all of them
  const inPieces = rule.kind === "element" && rule.regions !== undefined;
  const madeOfNothing = inputs.every(isSourceless);
  const rules = rulesOf(inputs);
  const mayBeFree =
    lower.kind === "element" && lower.regions === undefined && (!inPieces || madeOfNothing) && rules <= maxRules;
  const again = traits.dearLaunches && mayBeFree && isScalar(eqn) ? costAgain(cost, inputs) : Infinity;
  return {
    number,
    lower,
    params: eqn.params as never,
    inputs,
    outs: [],
    name: primitive.name,
    cost,
    reshapes,
    copies: false,
    again,
    sourceless: madeOfNothing,
    rules,
    free: mayBeFree && (isFree(facts.view === true, cost, inputs) || again <= maxAgain),
  };
}

/**
 * Rules that an element of a free value may apply. What is beyond lies in a kernel's registers or in memory: a value that reads
 * one before it twice would double its expression, and a long chain of views is gone through by recursion.
 */
const maxRules = 128;

function rulesOf(inputs: readonly Operand[]): number {
  let count = 1;
  for (const x of inputs) if (x instanceof Value && x.free) count += x.op!.rules;
  return count;
}

/** Pieces of a result are written by one kernel where launches are dear, if it may have so many operands. */
const mayBeWhole = (inputs: readonly Operand[], { dearLaunches, maxBuffers }: DeviceTraits): boolean =>
  dearLaunches && inputs.length < maxBuffers;

function inOnePiece(rule: Lowering<never>): Lowering<never> {
  if (rule.kind !== "element" || rule.regions === undefined) return rule;
  const { regions: _, ...whole } = rule;
  return whole;
}

/** A reduction of no elements is its initial value everywhere. */
function emptyReduction(rule: Lowering<never>, eqn: Eqn): ElementLowering<never> | undefined {
  const operand = eqn.inputs[0]?.aval;
  if (rule.kind !== "reduce" || !operand || sizeOf(operand.shape) !== 0) return undefined;
  const { initial } = rule.reduce(eqn.params as never, operand);
  return {
    kind: "element",
    element: (_operands, _index, _params, _output, out) => constant(elementType(out), initial),
  };
}

/**
 * Views cost nothing. What is made of no stored value (an iota, a mask of iotas, a broadcast literal) is cheaper to make
 * again than to load; and so is a cheap scalar of program inputs.
 */
function isFree(view: boolean, cost: number, inputs: readonly Operand[]): boolean {
  if (view && inputs.length <= 1) return true;
  if (cost > 8) return false;
  return inputs.every((x) => isSourceless(x) || isCheapScalar(x as Value));
}

const isSourceless = (x: Operand): boolean => x instanceof Literal || (x.op !== undefined && x.free && x.op.sourceless);
const isCheapScalar = (x: Value): boolean =>
  sizeOf(x.aval.shape) === 1 &&
  x.aval.dtype !== "key" &&
  (x.op === undefined ||
    (x.free && x.op.cost <= 2 && x.op.inputs.every((y) => y instanceof Literal || y.op === undefined)));

/** Operations for which a scalar made of program inputs is computed again in each kernel, rather than in one of its own. */
const maxAgain = 64;

const isScalar = ({ outs }: Eqn): boolean => outs.every((v) => v.aval.dtype !== "key" && sizeOf(v.aval.shape) === 1);

/** Operations to compute a value of these operands once, what they share counted each time. */
function costAgain(cost: number, inputs: readonly Operand[]): number {
  let total = cost;
  for (const x of inputs)
    if (x instanceof Value && x.op) total += x.free && sizeOf(x.aval.shape) === 1 ? x.op.again : Infinity;
  return total;
}

/** A value that is another one copied: it has a place of its own in memory. */
export function copyOf(x: Operand): Value {
  const rule: ElementLowering<never> = { kind: "element", element: ([a], index) => a!.at(index), words: true };
  return copyBy(rule, x, x.aval, "copy");
}

/** A copy of a value with its axes in another order, and of another type where that is given. */
export function packOf(x: Operand, order: readonly number[], dtype: DType): Value {
  const rule: ElementLowering<never> = {
    kind: "element",
    element: ([a], index, _params, _output, out) => {
      const element = a!.at(order.map((_, k) => index[order.indexOf(k)]!));
      const type = elementType(out);
      return element.type === type ? element : makeOp("convert", [element], type);
    },
  };
  return copyBy(rule, x, { shape: order.map((k) => x.aval.shape[k]!), dtype, weakType: false }, "pack");
}

function copyBy(lower: ElementLowering<never>, x: Operand, aval: Aval, name: string): Value {
  const op: Op = {
    number: -1,
    lower,
    params: undefined as never,
    inputs: [x],
    outs: [],
    name,
    cost: 1,
    reshapes: false,
    copies: true,
    again: Infinity,
    sourceless: false,
    rules: 1,
    free: false,
  };
  const value = new Value(aval, op, 0);
  op.outs.push(value);
  return value;
}
