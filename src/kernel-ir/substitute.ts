import * as ix from "./index-expr.js";
import type { Index } from "./index-expr.js";
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
    const out = ix.mapIndex(
      i,
      this.axis,
      (e, lo, hi) => ix.valueIndex(this.expr(e), lo, hi),
      (x) => this.index(x),
    );
    this.indices.set(i.key, out);
    return out;
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
    const key = expressionKey(e, (a) => this.ids.get(a) ?? this.ids.get(this.intern(a))!);
    const same = this.interned.get(key);
    if (same) return same;
    this.interned.set(key, e);
    this.ids.set(e, this.ids.size);
    return e;
  }
}

/** Equal for nodes that are the same but for being two; operands count by their numbers. */
export function expressionKey(e: Expr, number: (operand: Expr) => number): string {
  switch (e.kind) {
    case "const":
      return `c${e.type}${Object.is(e.value, -0) ? "-0" : String(e.value)}`;
    case "index":
      return `i${e.index.key}`;
    case "load":
      return `l${e.type}${e.buffer}@${e.index.key}`;
    case "op":
      return `${e.op}${e.type}(${e.args.map(number).join(",")})`;
    case "slot":
      return `s${e.type}${e.slot}`;
    case "keep":
      return `k${e.type}${e.keep}`;
  }
}
