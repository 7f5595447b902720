import { InternalError } from "../core/errors.js";
import type { Index } from "./index-expr.js";
import { printExpr, printIndex } from "./printer.js";
import { type Expr, isComparison, type ScalarType } from "./scalar.js";
import { scalarFunction } from "./scalar-eval.js";

/** What may be read where an expression stands. */
export interface ExprScope {
  /** Extents of the axes that have a value. */
  readonly axes: readonly number[];
  /** Throws unless the buffer may be read at this index as this type. */
  readonly load: (buffer: number, type: ScalarType, index: Index) => void;
  readonly slot: (slot: number, type: ScalarType) => void;
  readonly keep: (keep: number, type: ScalarType) => void;
}

const arity: Readonly<Record<string, number>> = {
  neg: 1,
  abs: 1,
  sqrt: 1,
  floor: 1,
  ceil: 1,
  trunc: 1,
  nearest: 1,
  not: 1,
  clz: 1,
  popcnt: 1,
  convert: 1,
  bitcast: 1,
  fma: 3,
  select: 3,
};

/** Checks an expression: operands and types of every op, indices, what is read. Nodes in `seen` were checked before. */
export function verifyExpr(e: Expr, scope: ExprScope, seen: Set<Expr>): void {
  if (seen.has(e)) return;
  seen.add(e);
  switch (e.kind) {
    case "const":
      if ((e.type === "i64") !== (typeof e.value === "bigint"))
        throw faulty(e, `a constant of type ${e.type} that is a ${typeof e.value}`);
      return;
    case "index":
      if (e.type !== "i32") throw faulty(e, `an index of type ${e.type}`);
      return verifyIndex(e.index, scope, seen);
    case "load":
      verifyIndex(e.index, scope, seen);
      return scope.load(e.buffer, e.type, e.index);
    case "slot":
      return scope.slot(e.slot, e.type);
    case "keep":
      return scope.keep(e.keep, e.type);
    case "op":
      for (const a of e.args) verifyExpr(a, scope, seen);
      return verifyOp(e);
  }
}

function verifyOp(e: Extract<Expr, { kind: "op" }>): void {
  const expected = arity[e.op] ?? 2;
  if (e.args.length !== expected) throw faulty(e, `${e.args.length} operands where ${e.op} takes ${expected}`);
  const values = e.op === "select" ? e.args.slice(1) : e.args;
  const type = values[0]!.type;
  if (values.some((a) => a.type !== type)) throw faulty(e, `operands of types ${values.map((a) => a.type).join(", ")}`);
  if (e.op === "select" && e.args[0]!.type !== "bool") throw faulty(e, `a condition of type ${e.args[0]!.type}`);
  if (scalarFunction(e.op, type, e.type) === undefined) throw faulty(e, `no ${e.op} of ${type} to ${e.type}`);
  const result = e.op === "convert" || e.op === "bitcast" ? e.type : isComparison(e.op) ? "bool" : type;
  if (e.type !== result) throw faulty(e, `a result of type ${e.type} where it is ${result}`);
}

function faulty(e: Expr, what: string): InternalError {
  return new InternalError(`kernel expression with ${what}`, [["expression", clip(printExpr(e))]]);
}

const clip = (text: string): string => (text.length > 400 ? `${text.slice(0, 200)} … ${text.slice(-200)}` : text);

/** Checks that an index names axes that have a value here, within their extents. */
export function verifyIndex(i: Index, scope: ExprScope, seen: Set<Expr>): void {
  for (const { atom } of i.terms) {
    switch (atom.kind) {
      case "axis": {
        const extent = scope.axes[atom.axis];
        if (extent === undefined || atom.hi >= Math.max(extent, 1)) {
          throw new InternalError(`an index with axis ${atom.axis} up to ${atom.hi}`, [
            ["index", printIndex(i)],
            ["extents here", `[${scope.axes.join(", ")}]`],
          ]);
        }
        break;
      }
      case "value":
        if (atom.expr.type !== "i32" && atom.expr.type !== "u32")
          throw faulty(atom.expr, `type ${atom.expr.type} as an index`);
        verifyExpr(atom.expr, scope, seen);
        break;
      default:
        verifyIndex(atom.x, scope, seen);
    }
  }
}
