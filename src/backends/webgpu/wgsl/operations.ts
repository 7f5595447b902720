import { InternalError } from "../../../core/errors.js";
import type { CombineOp, ScalarOp, ScalarType } from "../../../kernel-ir/scalar.js";
import { toScalar } from "../../../kernel-ir/scalar-eval.js";
import { guarded, hidden, type Hiding, type Operand } from "./guards.js";
import type { HelperName } from "./helpers.js";
import { bare, type GpuType, gpuType, type Lanes, typeName } from "./types.js";

/**
 * Scalar ops as WGSL, with the very meaning that kernel-ir/scalar.ts gives them.
 *
 * WGSL lets an implementation assume that there are no NaNs, infinities and negative zeros, and drivers do: `x != x` is
 * false for NaN, `max(NaN, 0)` is 0. What depends on them is decided on the bits. Plain operators stand where they have the
 * meaning.
 */

export interface OperationContext extends Hiding {
  need(helper: HelperName, lanes: Lanes): string;
}

const word = new DataView(new ArrayBuffer(4));
export function floatBits(value: number): number {
  word.setFloat32(0, value);
  return word.getUint32(0);
}

const LARGEST = 3.4028234663852886e38;

/** Fewest digits that give the number again; WGSL refuses what lies above the largest number, be it nearest to that. */
function shortestDecimal(value: number): string {
  for (let digits = 1; digits <= 9; digits++) {
    const text = Number(value.toPrecision(digits));
    if (Math.fround(text) === value && Math.abs(text) <= LARGEST) return String(text);
  }
  return String(value);
}

const NORMAL = 2 ** -126;

/** Whether a constant has to come from its bits at run time: WGSL's own evaluation refuses it or loses it. */
export function isUnspeakable(type: GpuType, value: number): boolean {
  if (type !== "f32") return false;
  return !Number.isFinite(value) || Object.is(value, -0) || (value !== 0 && Math.abs(value) < NORMAL);
}

/** A literal, for constants that are not unspeakable. */
export function literal(type: GpuType, value: number): string {
  switch (type) {
    case "f32": {
      const text = `${shortestDecimal(value).replace("e+", "e")}f`;
      return value < 0 ? `(${text})` : text;
    }
    case "i32":
      return value === -0x80000000 ? "i32(-2147483648)" : value < 0 ? `(${value})` : `${value}`;
    case "u32":
      return `${value}u`;
    case "bool":
      return value !== 0 ? "true" : "false";
  }
}

/** A constant of a type: a literal, or the name of what the module makes of its bits. */
export function constantText(context: OperationContext, type: GpuType, value: number | bigint, lanes: Lanes): Operand {
  const rounded = toScalar(type, value) as number;
  const scalar = isUnspeakable(type, rounded) ? context.opaque(type, rounded) : literal(type, rounded);
  return { text: lanes === 1 ? scalar : `${typeName(type, lanes)}(${scalar})`, constant: rounded };
}

/** One op on operands, as they come; the types are given. */
interface Call {
  readonly args: readonly string[];
  readonly operands: readonly Operand[];
  readonly operand: GpuType;
  readonly result: GpuType;
  readonly lanes: Lanes;
  readonly context: OperationContext;
}
type Emit = (c: Call) => string;

const call = (name: string, ...args: readonly string[]): string => `${name}(${args.map(bare).join(", ")})`;

const infix =
  (symbol: string): Emit =>
  ({ args: [a, b] }) =>
    `(${a} ${symbol} ${b})`;
const builtin =
  (name: string): Emit =>
  ({ args }) =>
    call(name, ...args);
const helper =
  (name: HelperName): Emit =>
  ({ args, context, lanes }) =>
    call(context.need(name, lanes), ...args);
/** A helper that holds what it computes from all reasoning. */
const holding =
  (name: HelperName): Emit =>
  ({ args, context, lanes }) =>
    call(context.need(name, lanes), ...args, "zero");
const never: Emit = ({ operand }) => {
  throw new InternalError(`an op that ${operand} does not have`);
};

const cast = (text: string, to: GpuType, lanes: Lanes): string => call(`bitcast<${typeName(to, lanes)}>`, text);
const u32Literal = (value: string, lanes: Lanes): string => (lanes === 1 ? value : `vec4u(${value})`);

/** By the type of the operands; what is missing is no op of the type. */
const byType =
  (emits: Partial<Record<GpuType, Emit>>): Emit =>
  (c) =>
    (emits[c.operand] ?? never)(c);

/** max and min of floats: −0 < +0, NaN if either is NaN. A constant operand that is a number saves most of the work. */
function extreme(name: "max" | "min"): Emit {
  return (c) => {
    const [x, y] = c.operands as readonly [Operand, Operand];
    const [variable, fixed] = x.constant === undefined ? [x, y] : [y, x];
    const bound = fixed.constant;
    const { lanes, context } = c;
    if (bound === undefined || bound !== bound) return helper(`${name}_f`)(c);
    const bits = cast(variable.text, "u32", lanes);
    if (Object.is(bound, 0)) {
      // In the order of bits: x stays where it is positive or NaN; −0, negatives: +0. (min: the sign bit set, or NaN.)
      const keep =
        name === "max"
          ? `${bits} + ${u32Literal("0x7fffffu", lanes)} <= ${u32Literal("0x807ffffeu", lanes)}`
          : `${bits} > ${u32Literal("0x7f800000u", lanes)}`;
      return call("select", fixed.text, variable.text, keep);
    }
    if (bound === 0) return helper(`${name}_f`)(c);
    const isNan = call(context.need("is_nan", lanes), variable.text);
    return call("select", call(name, variable.text, fixed.text), variable.text, isNan);
  };
}

const isNumber = (x: Operand): boolean => x.constant !== undefined && x.constant === x.constant;

/** Comparisons that hold only between numbers are ordered on every driver; with NaN they do not hold. */
const ordered =
  (symbol: string): Emit =>
  (c) => {
    const [x, y] = c.operands as readonly [Operand, Operand];
    if (c.operand === "f32" && x.text === y.text && symbol.includes("="))
      return `(!${call(c.context.need("is_nan", c.lanes), x.text)})`;
    return infix(symbol)(c);
  };

const notEqual: Emit = (c) => {
  const [x, y] = c.operands as readonly [Operand, Operand];
  if (c.operand !== "f32") return infix("!=")(c);
  const isNan = (o: Operand): string => call(c.context.need("is_nan", c.lanes), o.text);
  if (x.text === y.text) return isNan(x);
  if (isNumber(y)) return `((${x.text} != ${y.text}) | ${isNan(x)})`;
  if (isNumber(x)) return `((${x.text} != ${y.text}) | ${isNan(y)})`;
  return `((${x.text} != ${y.text}) | ${call(c.context.need("unordered", c.lanes), x.text, y.text)})`;
};

/** The amount of a shift as u32, which WGSL takes for every type. */
function amount({ operands, operand, lanes }: Call): string {
  const n = operands[1]!;
  if (n.constant !== undefined && n.constant >= 0 && n.constant < 32) return u32Literal(`${n.constant}u`, lanes);
  return operand === "u32" ? n.text : cast(n.text, "u32", lanes);
}
const shiftAs =
  (symbol: string, as?: "i32" | "u32"): Emit =>
  (c) => {
    const [x] = c.args as readonly [string];
    if (as === undefined || as === c.operand) return `(${x} ${symbol} ${amount(c)})`;
    return cast(`(${cast(x, as, c.lanes)} ${symbol} ${amount(c)})`, c.operand, c.lanes);
  };

const signBit: Readonly<Record<"neg" | "abs", readonly [string, string]>> = {
  neg: ["^", "0x80000000u"],
  abs: ["&", "0x7fffffffu"],
};
const onSign =
  (name: "neg" | "abs"): Emit =>
  ({ args: [x], lanes }) => {
    const [symbol, mask] = signBit[name];
    return cast(`${cast(x!, "u32", lanes)} ${symbol} ${u32Literal(mask, lanes)}`, "f32", lanes);
  };

const conversion: Emit = (c) => {
  const { operand, result, lanes, args } = c;
  const [x] = args as readonly [string];
  if (operand === result) return x;
  if (operand === "f32") {
    // NaN is true.
    if (result === "bool")
      return `((${cast(x, "u32", lanes)} & ${u32Literal("0x7fffffffu", lanes)}) != ${u32Literal("0u", lanes)})`;
    return helper(result === "i32" ? "to_i32" : "to_u32")(c);
  }
  if (operand === "u32" && result === "f32") return helper("from_u32")(c);
  return call(typeName(result, lanes), x);
};

const ints = (emit: Emit): Emit => byType({ i32: emit, u32: emit });

/** Every op; the type of the first value operand chooses. */
const emits: Readonly<Record<ScalarOp, Emit>> = {
  add: byType({ f32: infix("+"), i32: infix("+"), u32: infix("+") }),
  sub: byType({ f32: infix("-"), i32: infix("-"), u32: infix("-") }),
  mul: byType({ f32: infix("*"), i32: infix("*"), u32: infix("*") }),
  div: byType({ f32: holding("divide"), i32: infix("/"), u32: infix("/") }),
  rem: ints(infix("%")),
  neg: byType({
    f32: onSign("neg"),
    i32: ({ args: [x] }) => `(-${x})`,
    u32: ({ args: [x], lanes }) => `(${u32Literal("0u", lanes)} - ${x})`,
  }),
  abs: byType({ f32: onSign("abs"), i32: builtin("abs"), u32: ({ args: [x] }) => x! }),
  min: byType({ f32: extreme("min"), i32: builtin("min"), u32: builtin("min") }),
  max: byType({ f32: extreme("max"), i32: builtin("max"), u32: builtin("max") }),
  sqrt: byType({ f32: holding("square_root") }),
  floor: byType({ f32: builtin("floor") }),
  ceil: byType({ f32: builtin("ceil") }),
  trunc: byType({ f32: builtin("trunc") }),
  nearest: byType({ f32: builtin("round") }),
  fma: byType({ f32: builtin("fma") }),
  and: byType({ bool: infix("&"), i32: infix("&"), u32: infix("&") }),
  or: byType({ bool: infix("|"), i32: infix("|"), u32: infix("|") }),
  xor: byType({ bool: infix("!="), i32: infix("^"), u32: infix("^") }),
  not: byType({
    bool: ({ args: [x] }) => `(!${x})`,
    i32: ({ args: [x] }) => `(~${x})`,
    u32: ({ args: [x] }) => `(~${x})`,
  }),
  shl: ints(shiftAs("<<")),
  shrA: ints(shiftAs(">>", "i32")),
  shrL: ints(shiftAs(">>", "u32")),
  clz: ints(builtin("countLeadingZeros")),
  popcnt: ints(builtin("countOneBits")),
  mulhi: byType({ u32: helper("mulhi") }),
  eq: ordered("=="),
  ne: notEqual,
  lt: ordered("<"),
  le: ordered("<="),
  gt: ordered(">"),
  ge: ordered(">="),
  select: ({ args: [p, a, b] }) => call("select", b!, a!, p!),
  convert: conversion,
  bitcast: ({ args: [x], operand, result, lanes }) => (operand === result ? x! : cast(x!, result, lanes)),
};

/** Whether a constant second operand makes the text an error: WGSL refuses these where it sees them. */
function refused(name: ScalarOp, operand: GpuType, second: Operand): boolean {
  if (second.constant === undefined || operand === "f32") return false;
  if (name === "div" || name === "rem") return second.constant === 0 || second.constant === -1;
  return (name === "shl" || name === "shrA" || name === "shrL") && (second.constant < 0 || second.constant >= 32);
}

/**
 * WGSL of an op, safe as an operand of anything. `types`: of the operands. Operands that WGSL would evaluate itself, and
 * refuse for an overflow, a division by zero or too long a shift, are hidden from it.
 */
export function operation(
  context: OperationContext,
  name: ScalarOp,
  result: GpuType,
  types: readonly GpuType[],
  operands: readonly Operand[],
  lanes: Lanes = 1,
): Operand {
  const operand = types[name === "select" ? 1 : 0]!;
  const allConstant = operands.every((o) => o.constant !== undefined);
  const safe = operands.map((o, k) =>
    (allConstant && k === 0) || (k === 1 && refused(name, operand, o)) ? hidden(context, types[k]!, o, lanes) : o,
  );
  const guard = operand === "f32" ? guarded(context, name, safe, lanes) : { operands: safe };
  const args = guard.operands.map((o) => o.text);
  return { text: emits[name]({ args, operands: guard.operands, operand, result, lanes, context }), made: guard.made };
}

/** WGSL of a combiner on two values of a type, safe as an operand of anything. */
export function combination(
  context: OperationContext,
  name: CombineOp,
  type: ScalarType,
  a: string,
  b: string,
  lanes: Lanes = 1,
): string {
  const t = gpuType(type);
  return operation(context, name, t, [t, t], [{ text: a }, { text: b }], lanes).text;
}
