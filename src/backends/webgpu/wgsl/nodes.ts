import type { Atom, Index } from "../../../kernel-ir/index-expr.js";
import type { Expr } from "../../../kernel-ir/scalar.js";

/** What values are made of: expressions, the indices in them, and the atoms of these. */
export type Node = Expr | Index | Atom;

/** Indices, atoms and loads are equal where their keys are; other expressions where they are the same object. */
export type NodeKey = Expr | string;

export const isIndex = (n: Node): n is Index => !("kind" in n);

export function keyOf(n: Node): NodeKey {
  if (isIndex(n)) return `i ${n.key}`;
  if ("key" in n) return `a ${n.key}`;
  return n.kind === "load" ? `l ${n.type} ${n.buffer} ${n.index.key}` : n;
}

/** The nodes that a node is computed from. */
export function operandsOf(n: Node): readonly Node[] {
  if (isIndex(n)) return n.terms.map((t) => t.atom);
  switch (n.kind) {
    case "op":
      return n.args;
    case "index":
    case "load":
      return [n.index];
    case "div":
    case "mod":
    case "clamp":
      return [n.x];
    case "value":
      return [n.expr];
    default:
      return [];
  }
}
