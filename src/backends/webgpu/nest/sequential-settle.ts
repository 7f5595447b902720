import * as ix from "../../../kernel-ir/index-expr.js";
import type { Atom, Index } from "../../../kernel-ir/index-expr.js";
import { simplify } from "../../../kernel-ir/rewrite.js";
import { constant, type Expr, op, type OpExpr } from "../../../kernel-ir/scalar.js";

/**
 * Says plainly what values of indices are known before the kernel runs: scatters write every index as one that was loaded,
 * moved into bounds and compared with them, though it may be a constant or a coordinate.
 */
export class Settler {
  private readonly exprs = new Map<Expr, Expr>();
  private readonly indices = new Map<string, Index>();

  expr(e: Expr): Expr {
    const known = this.exprs.get(e);
    if (known !== undefined) return known;
    const settled = this.rebuild(e);
    this.exprs.set(e, settled);
    return settled;
  }

  index(i: Index): Index {
    const known = this.indices.get(i.key);
    if (known !== undefined) return known;
    let out = ix.lit(i.base);
    for (const { coeff, atom } of i.terms) out = ix.add(out, ix.scale(this.atom(atom), coeff));
    this.indices.set(i.key, out);
    return out;
  }

  private atom(a: Atom): Index {
    switch (a.kind) {
      case "axis":
        return ix.axisIndex(a.axis, a.hi + 1);
      case "div":
        return ix.div(this.index(a.x), a.d);
      case "mod":
        return ix.mod(this.index(a.x), a.d);
      case "clamp":
        return ix.clamp(this.index(a.x), a.lo, a.hi);
      case "value": {
        const e = this.expr(a.expr);
        return affine(e) ?? ix.valueIndex(e, a.lo, a.hi);
      }
    }
  }

  private rebuild(e: Expr): Expr {
    switch (e.kind) {
      case "index":
      case "load": {
        const index = this.index(e.index);
        return index === e.index ? e : { ...e, index };
      }
      case "op": {
        const args = e.args.map((a) => this.expr(a));
        const same = args.every((a, k) => a === e.args[k]);
        const settled = same ? e : op(e.op, args, e.type);
        return decided(settled) ?? simplify(settled);
      }
      default:
        return e;
    }
  }
}

const fits = (i: Index): boolean => i.lo >= -0x80000000 && i.hi <= 0x7fffffff;

/** An integer as an index, where it is one of constants and coordinates only. */
function affine(e: Expr): Index | undefined {
  if (e.kind === "index") return e.index;
  if (e.kind === "const") {
    const i = typeof e.value === "number" && Number.isInteger(e.value) ? ix.lit(e.value) : undefined;
    return i && fits(i) ? i : undefined;
  }
  if (e.kind !== "op" || (e.type !== "i32" && e.type !== "u32")) return undefined;
  const of = e.args.map((a) => (a.type === "i32" || a.type === "u32" ? affine(a) : undefined));
  const [x, y] = of;
  if (x === undefined) return undefined;
  const made = combined(e, x, y);
  return made !== undefined && fits(made) && (e.type === "i32" || made.lo >= 0) ? made : undefined;
}

function combined(e: OpExpr, x: Index, y: Index | undefined): Index | undefined {
  if (e.op === "convert") return x.lo >= 0 ? x : undefined;
  if (y === undefined) return undefined;
  const [variable, fixed] = ix.isLit(y) ? [x, y] : [y, x];
  switch (e.op) {
    case "add":
      return ix.add(x, y);
    case "sub":
      return ix.sub(x, y);
    case "mul":
      return ix.isLit(fixed) ? ix.scale(variable, fixed.base) : undefined;
    case "min":
      return ix.isLit(fixed) ? ix.clamp(variable, Math.min(variable.lo, fixed.base), fixed.base) : undefined;
    case "max":
      return ix.isLit(fixed) ? ix.clamp(variable, fixed.base, Math.max(variable.hi, fixed.base)) : undefined;
    default:
      return undefined;
  }
}

/** What a comparison always gives, by the ranges of its operands. */
function decided(e: OpExpr): Expr | undefined {
  const [a, b] = e.args;
  if (e.type !== "bool" || a === undefined || b === undefined || a.type === "bool") return undefined;
  const x = affine(a);
  const y = affine(b);
  if (x === undefined || y === undefined) return undefined;
  const { lo, hi } = ix.sub(x, y);
  const says = (yes: boolean, no: boolean): Expr | undefined =>
    yes ? constant("bool", 1) : no ? constant("bool", 0) : undefined;
  switch (e.op) {
    case "lt":
      return says(hi < 0, lo >= 0);
    case "le":
      return says(hi <= 0, lo > 0);
    case "gt":
      return says(lo > 0, hi <= 0);
    case "ge":
      return says(lo >= 0, hi < 0);
    case "eq":
      return says(lo === 0 && hi === 0, lo > 0 || hi < 0);
    case "ne":
      return says(lo > 0 || hi < 0, lo === 0 && hi === 0);
    default:
      return undefined;
  }
}
