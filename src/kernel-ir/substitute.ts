import * as ix from "./index-expr.js";
import type { Atom, Index } from "./index-expr.js";
import type { Expr } from "./scalar.js";

/**
 * Rewrites expressions bottom-up: axes by `axis`, then every node by `node`; shared nodes are rewritten once, and
 * structurally equal results become one node.
 */
export class Substitution {
  private readonly memo = new Map<Expr, Expr>();
  private readonly interned = new Map<string, Expr>();
  private readonly ids = new Map<Expr, number>();
  private readonly indices = new Map<string, Index>();

  constructor(
    private readonly axis: (k: number, index: Index) => Index,
    private readonly node: (e: Expr, original: Expr) => Expr = (e) => e,
  ) {}

  expr(e: Expr): Expr {
    const known = this.memo.get(e);
    if (known) return known;
    const result = this.intern(this.node(this.rebuild(e), e));
    this.memo.set(e, result);
    return result;
  }

  index(i: Index): Index {
    const known = this.indices.get(i.key);
    if (known) return known;
    let out = ix.lit(i.base);
    for (const { coeff, atom } of i.terms) out = ix.add(out, ix.scale(this.atom(atom), coeff));
    this.indices.set(i.key, out);
    return out;
  }

  private atom(a: Atom): Index {
    switch (a.kind) {
      case "axis":
        return this.axis(a.axis, ix.axisIndex(a.axis, a.hi + 1));
      case "div":
        return ix.div(this.index(a.x), a.d);
      case "mod":
        return ix.mod(this.index(a.x), a.d);
      case "clamp":
        return ix.clamp(this.index(a.x), a.lo, a.hi);
      case "value":
        return ix.valueIndex(this.expr(a.expr), a.lo, a.hi);
    }
  }

  private rebuild(e: Expr): Expr {
    switch (e.kind) {
      case "index":
      case "load":
        return { ...e, index: this.index(e.index) };
      case "op": {
        const args = e.args.map((a) => this.expr(a));
        return args.every((a, k) => a === e.args[k]) ? e : { ...e, args };
      }
      default:
        return e;
    }
  }

  private intern(e: Expr): Expr {
    const key = this.keyOf(e);
    const same = this.interned.get(key);
    if (same) return same;
    this.interned.set(key, e);
    this.ids.set(e, this.ids.size);
    return e;
  }

  private keyOf(e: Expr): string {
    switch (e.kind) {
      case "const":
        return `c${e.type}${Object.is(e.value, -0) ? "-0" : String(e.value)}`;
      case "index":
        return `i${e.index.key}`;
      case "load":
        return `l${e.type}${e.buffer}@${e.index.key}`;
      case "op":
        return `${e.op}${e.type}(${e.args.map((a) => this.ids.get(a) ?? this.ids.get(this.intern(a))).join(",")})`;
      case "slot":
        return `s${e.type}${e.slot}`;
      case "keep":
        return `k${e.type}${e.keep}`;
    }
  }
}
