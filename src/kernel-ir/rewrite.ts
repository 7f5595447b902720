import { InternalError } from "../core/errors.js";
import { c, k } from "./math/build.js";
import { type ConstExpr, type Expr, op, type OpExpr, type ScalarOp, type ScalarType } from "./scalar.js";
import { scalarFunction, type ScalarValue, toScalar } from "./scalar-eval.js";

/**
 * Simplification of scalar expressions: a table of named rules, each exact for every value of its operands, −0, infinities
 * and NaN included (a NaN's sign and payload aside).
 */
export interface RewriteRule {
  readonly name: string;
  /** The ops it looks at; absent: all. */
  readonly ops?: readonly ScalarOp[];
  /** What stands for `e`, whose operands are simplified already; undefined where the rule does not apply. */
  readonly rewrite: (e: OpExpr) => Expr | undefined;
}

const isConst = (e: Expr | undefined): e is ConstExpr => e?.kind === "const";
const isFloat = (type: ScalarType): boolean => type === "f32" || type === "f64";
const isOp = (e: Expr, ...names: readonly ScalarOp[]): e is OpExpr => e.kind === "op" && names.includes(e.op);
/** Whether a node is this constant; bigints count as their number, −0 is not 0. */
const is = (e: Expr, value: number): boolean =>
  isConst(e) && (typeof e.value === "bigint" ? e.value === BigInt(value) : Object.is(e.value, value));
const allOnes = (e: Expr): boolean => is(e, e.type === "u32" ? 0xffffffff : e.type === "bool" ? 1 : -1);

/** The operand beside a constant one on either side of a commutative op. */
function beside(e: OpExpr, isNeutral: (x: Expr) => boolean): Expr | undefined {
  const [a, b] = e.args as readonly [Expr, Expr];
  return isNeutral(b) ? a : isNeutral(a) ? b : undefined;
}

function fold(e: OpExpr): Expr | undefined {
  if (!e.args.every(isConst)) return undefined;
  const operand = (e.op === "select" ? e.args[1] : e.args[0])!.type;
  const values = e.args.map((a) => toScalar(a.type, (a as ConstExpr).value));
  const compute = (rounding: "once" | "twice"): ScalarValue | undefined => {
    try {
      return scalarFunction(e.op, operand, e.type, rounding)?.(...values);
    } catch (error) {
      // A broken precondition: only a bug where it is reached, which a constant cannot know.
      if (error instanceof InternalError) return undefined;
      throw error;
    }
  };
  const value = compute("once");
  // What a machine may round either way is left to the machine.
  if (value === undefined || (e.op === "fma" && !Object.is(value, compute("twice")))) return undefined;
  return c(e.type, value);
}

/** 1/x where it is exact and neither x nor it is below the normal range. */
function exactReciprocal(x: Expr): Expr | undefined {
  if (!isConst(x) || typeof x.value !== "number") return undefined;
  const size = Math.abs(x.value);
  const exponent = Math.log2(size);
  const limit = x.type === "f32" ? 126 : 1022;
  return Number.isInteger(exponent) && Math.abs(exponent) <= limit && size === 2 ** exponent
    ? k(x, 1 / x.value)
    : undefined;
}

const opposite: Partial<Record<ScalarOp, ScalarOp>> = { eq: "ne", ne: "eq", lt: "ge", ge: "lt", gt: "le", le: "gt" };

/** Whether every number of the type is one of the other: converting there and back gives it again. */
function holdsAll(wide: ScalarType, narrow: ScalarType): boolean {
  switch (narrow) {
    case "bool":
      return wide !== "bool";
    case "i32":
      return wide === "f64" || wide === "i64" || wide === "u32";
    case "u32":
      return wide === "f64" || wide === "i32";
    case "f32":
      return wide === "f64";
    default:
      return false;
  }
}

export const rewriteRules: readonly RewriteRule[] = [
  { name: "fold-constants", rewrite: fold },
  {
    name: "select-constant",
    ops: ["select"],
    rewrite: ({ args: [p, a, b] }) => (isConst(p) ? (p.value !== 0 ? a : b) : undefined),
  },
  {
    name: "select-same",
    ops: ["select"],
    rewrite: ({ args: [, a, b] }) => (a === b || sameConst(a!, b!) ? a : undefined),
  },
  {
    name: "select-not",
    ops: ["select"],
    rewrite: ({ args: [p, a, b] }) => (isOp(p!, "not") ? op("select", [p.args[0]!, b!, a!]) : undefined),
  },
  {
    name: "select-nested",
    ops: ["select"],
    rewrite: ({ args: [p, a, b] }) => {
      const taken = isOp(a!, "select") && a.args[0] === p ? a.args[1]! : a!;
      const other = isOp(b!, "select") && b.args[0] === p ? b.args[2]! : b!;
      return taken === a && other === b ? undefined : op("select", [p!, taken, other]);
    },
  },
  {
    name: "select-bools",
    ops: ["select"],
    rewrite: ({ type, args: [p, a, b] }) => {
      if (type !== "bool") return undefined;
      if (is(a!, 1) && is(b!, 0)) return p;
      return is(a!, 0) && is(b!, 1) ? op("not", [p!]) : undefined;
    },
  },
  {
    name: "double-neg",
    ops: ["neg", "not"],
    rewrite: (e) => {
      const x = e.args[0]!;
      return isOp(x, e.op) ? x.args[0] : undefined;
    },
  },
  {
    name: "not-comparison",
    ops: ["not"],
    rewrite: (e) => {
      const x = e.args[0]!;
      if (x.kind !== "op") return undefined;
      const flipped = opposite[x.op];
      // For floats NaN makes lt and ge both false.
      const isExact = x.op === "eq" || x.op === "ne" || !isFloat(x.args[0]!.type);
      return flipped !== undefined && isExact ? op(flipped, x.args) : undefined;
    },
  },
  {
    name: "abs-of-sign",
    ops: ["abs"],
    rewrite: (e) => {
      const x = e.args[0]!;
      if (x.kind !== "op") return undefined;
      if (x.op === "abs") return x;
      return x.op === "neg" && e.type !== "u32" ? op("abs", x.args) : undefined;
    },
  },
  {
    name: "rounded-twice",
    ops: ["floor", "ceil", "trunc", "nearest"],
    rewrite: (e) => {
      const x = e.args[0]!;
      return isOp(x, "floor", "ceil", "trunc", "nearest") ? x : undefined;
    },
  },
  {
    name: "convert-same",
    ops: ["convert", "bitcast"],
    rewrite: (e) => (e.type === e.args[0]!.type ? e.args[0] : undefined),
  },
  {
    name: "convert-back",
    ops: ["convert"],
    rewrite: ({ type, args: [x] }) => {
      if (!isOp(x!, "convert")) return undefined;
      const from = x.args[0]!;
      return from.type === type && holdsAll(x.type, type) ? from : undefined;
    },
  },
  {
    name: "bitcast-twice",
    ops: ["bitcast"],
    rewrite: ({ type, args: [x] }) => (isOp(x!, "bitcast") ? op("bitcast", x.args, type) : undefined),
  },
  {
    name: "bool-as-number",
    ops: ["eq", "ne"],
    rewrite: ({ op: name, args: [x, y] }) => {
      if (!isOp(x!, "convert") || x.args[0]!.type !== "bool" || !(is(y!, 0) || is(y!, 1))) return undefined;
      return (name === "ne") === is(y!, 0) ? x.args[0] : op("not", x.args);
    },
  },
  // x + −0 is x; x + 0 is not, as −0 + 0 = 0.
  { name: "add-neutral", ops: ["add"], rewrite: (e) => beside(e, (x) => is(x, isFloat(x.type) ? -0 : 0)) },
  { name: "sub-neutral", ops: ["sub"], rewrite: ({ args: [x, y] }) => (is(y!, 0) ? x : undefined) },
  { name: "mul-one", ops: ["mul"], rewrite: (e) => beside(e, (x) => is(x, 1)) },
  {
    name: "mul-minus-one",
    ops: ["mul"],
    rewrite: (e) => {
      if (!isFloat(e.type)) return undefined;
      const x = beside(e, (y) => is(y, -1));
      return x && op("neg", [x]);
    },
  },
  {
    name: "mul-zero",
    ops: ["mul", "and"],
    rewrite: (e) => (isFloat(e.type) ? undefined : e.args.find((x) => is(x, 0))),
  },
  { name: "div-one", ops: ["div"], rewrite: ({ args: [x, y] }) => (is(y!, 1) ? x : undefined) },
  {
    name: "div-power-of-two",
    ops: ["div"],
    rewrite: (e) => {
      const r = isFloat(e.type) ? exactReciprocal(e.args[1]!) : undefined;
      return r && op("mul", [e.args[0]!, r]);
    },
  },
  { name: "and-ones", ops: ["and"], rewrite: (e) => beside(e, allOnes) },
  { name: "or-zero", ops: ["or", "xor"], rewrite: (e) => beside(e, (x) => is(x, 0)) },
  { name: "or-ones", ops: ["or"], rewrite: (e) => e.args.find(allOnes) },
  { name: "shift-zero", ops: ["shl", "shrA", "shrL"], rewrite: ({ args: [x, n] }) => (is(n!, 0) ? x : undefined) },
  { name: "with-itself", ops: ["and", "or", "min", "max"], rewrite: ({ args: [x, y] }) => (x === y ? x : undefined) },
  {
    name: "minus-itself",
    ops: ["sub", "xor"],
    rewrite: ({ type, args: [x, y] }) => (x === y && !isFloat(type) ? k(x!, 0) : undefined),
  },
  {
    name: "compare-itself",
    ops: ["eq", "ne", "le", "ge", "lt", "gt"],
    rewrite: ({ op: name, args: [x, y] }) =>
      x === y && !isFloat(x!.type) ? c("bool", name === "eq" || name === "le" || name === "ge" ? 1 : 0) : undefined,
  },
];

function sameConst(a: Expr, b: Expr): boolean {
  return isConst(a) && isConst(b) && a.type === b.type && Object.is(a.value, b.value);
}

const rulesOf = new Map<ScalarOp, readonly RewriteRule[]>();
function rulesFor(name: ScalarOp): readonly RewriteRule[] {
  let rules = rulesOf.get(name);
  if (rules === undefined)
    rulesOf.set(name, (rules = rewriteRules.filter((r) => r.ops === undefined || r.ops.includes(name))));
  return rules;
}

const simplified = new WeakMap<Expr, Expr>();

/** An equal expression by the rules above; every node is looked at once, also over several calls. `fired` hears of each rule. */
export function simplify(root: Expr, fired?: (rule: string, before: Expr, after: Expr) => void): Expr {
  const stack: Expr[] = [root];
  while (stack.length > 0) {
    const e = stack[stack.length - 1]!;
    if (simplified.has(e)) {
      stack.pop();
      continue;
    }
    const waiting = e.kind === "op" ? e.args.filter((a) => !simplified.has(a)) : [];
    if (waiting.length > 0) {
      stack.push(...waiting);
      continue;
    }
    stack.pop();
    const result = e.kind === "op" ? rewriteTop(withArgs(e), fired) : e;
    simplified.set(e, result);
    simplified.set(result, result);
  }
  return simplified.get(root)!;
}

function withArgs(e: OpExpr): OpExpr {
  const args = e.args.map((a) => simplified.get(a)!);
  return args.every((a, i) => a === e.args[i]) ? e : op(e.op, args, e.type);
}

/** Applies rules at the top until none does: what a rule makes has simplified operands, or is one. */
function rewriteTop(start: Expr, fired: ((rule: string, before: Expr, after: Expr) => void) | undefined): Expr {
  let e = start;
  for (;;) {
    if (e.kind !== "op" || simplified.get(e) === e) return e;
    let next: Expr | undefined;
    for (const rule of rulesFor(e.op)) {
      next = rule.rewrite(e);
      if (next !== undefined) {
        fired?.(rule.name, e, next);
        break;
      }
    }
    if (next === undefined) return e;
    e = next;
  }
}
