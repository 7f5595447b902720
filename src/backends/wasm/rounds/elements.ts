import * as ix from "../../../kernel-ir/index-expr.js";
import type { Index } from "../../../kernel-ir/index-expr.js";
import { simplify } from "../../../kernel-ir/rewrite.js";
import { expressionKey } from "../../../kernel-ir/substitute.js";
import {
  constant,
  type Expr,
  load,
  op,
  type OpExpr,
  type ScalarOp,
  type ScalarType,
  slotRef,
} from "../../../kernel-ir/scalar.js";

/** Thrown where a loop is none of those that are written as one stretch of code; it goes the usual way then. */
export class Declined extends Error {}

export function decline(why: string): never {
  throw new Declined(why);
}

/** Expressions that are made while a loop's body is followed, and steps of following it; together with these, its time is bounded. */
const MOST = 4000;

/** Makes expressions of elements: simplified, and equal ones once. Operands are made here, too. */
export class Elements {
  private readonly ids = new Map<Expr, number>();
  private readonly interned = new Map<string, Expr>();
  private work = 0;

  /** How many were made. */
  get size(): number {
    return this.ids.size;
  }

  /** Counts a step of work. */
  step(): void {
    if (++this.work > MOST) decline("it is long");
  }

  constant(type: ScalarType, value: number | bigint): Expr {
    return this.intern(constant(type, value));
  }
  slot(type: ScalarType, slot: number): Expr {
    return this.intern(slotRef(type, slot));
  }
  /** An element of memory. */
  load(type: ScalarType, buffer: number, index: Index): Expr {
    return this.intern(load(type, buffer, index));
  }
  op(name: ScalarOp, args: readonly Expr[], type?: ScalarType): Expr {
    return this.intern(simplify(op(name, args, type)));
  }
  /** An operation like another one, with these operands: it is simple already unless they are, where those of the other are not. */
  opLike(e: OpExpr, args: readonly Expr[]): Expr {
    if (args.some((a, k) => a.kind === "const" && e.args[k]!.kind !== "const")) return this.op(e.op, args, e.type);
    return this.intern({ ...e, args });
  }
  select(condition: Expr, yes: Expr, no: Expr): Expr {
    return yes === no ? yes : this.op("select", [condition, yes, no]);
  }
  /** A value as one of another type with the same bits. */
  as(type: ScalarType, e: Expr): Expr {
    if (e.type === type) return e;
    if (!isWord(type) || !isWord(e.type)) decline(`a ${e.type} is read as ${type}`);
    return this.op("bitcast", [e], type);
  }

  /** An index as a value. */
  indexValue(index: Index): Expr {
    if (ix.isLit(index)) return this.constant("i32", index.base);
    const only = index.terms.length === 1 && index.base === 0 ? index.terms[0]! : undefined;
    if (only?.coeff === 1 && only.atom.kind === "value") return only.atom.expr;
    return this.intern({ kind: "index", type: "i32", index });
  }

  /** An index with numbers in the place of axes, and other values in the place of those it holds. */
  index(index: Index, axis: (k: number) => number, value: (e: Expr) => Expr): Index {
    return ix.mapIndex(
      index,
      (k) => ix.lit(axis(k)),
      (given, lo, hi) => {
        const e = value(given);
        return e.kind === "const" ? ix.lit(Number(e.value)) : ix.valueIndex(e, lo, hi);
      },
    );
  }

  private intern(e: Expr): Expr {
    if (this.ids.has(e)) return e;
    this.step();
    const own = e.kind === "op" ? this.withInterned(e) : e;
    const key = expressionKey(own, (a) => this.ids.get(a)!);
    const same = this.interned.get(key);
    if (same) return same;
    this.interned.set(key, own);
    this.ids.set(own, this.ids.size);
    return own;
  }

  private withInterned(e: OpExpr): OpExpr {
    return e.args.every((a) => this.ids.has(a)) ? e : { ...e, args: e.args.map((a) => this.intern(a)) };
  }
}

const isWord = (t: ScalarType): boolean => t === "f32" || t === "i32" || t === "u32";
