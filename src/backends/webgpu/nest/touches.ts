import type { Index } from "../../../kernel-ir/index-expr.js";
import type { NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import type { Expr } from "../../../kernel-ir/scalar.js";

/** One place in a kernel's text that loads from or stores to a buffer. */
export interface Touch {
  readonly buffer: number;
  readonly index: Index;
  readonly write: boolean;
  readonly phase: number;
  /** In the body of its phase, not after it. */
  readonly inBody: boolean;
}

/** Subexpressions, those inside of indices included. */
export function childrenOf(e: Expr): readonly Expr[] {
  if (e.kind === "op") return e.args;
  return e.kind === "load" || e.kind === "index" ? exprsIn(e.index) : [];
}

export function exprsIn(i: Index): Expr[] {
  return i.terms.flatMap(({ atom }) =>
    atom.kind === "value" ? [atom.expr] : atom.kind === "axis" ? [] : exprsIn(atom.x),
  );
}

/** Visits every node below some roots once; `seen` may be shared by several visits. */
export function forEachNode(roots: readonly Expr[], visit: (e: Expr) => void, seen = new Set<Expr>()): void {
  const stack = [...roots];
  while (stack.length > 0) {
    const e = stack.pop()!;
    if (seen.has(e)) continue;
    seen.add(e);
    visit(e);
    stack.push(...childrenOf(e));
  }
}

/** The expressions that a statement computes. */
export function rootsOf(s: Statement): Expr[] {
  switch (s.kind) {
    case "store":
      return [s.value, ...exprsIn(s.index)];
    case "update":
      return [s.value, ...exprsIn(s.index), ...(s.when ? [s.when] : [])];
    default:
      return [s.value];
  }
}

/** Loads and stores of a kernel, each place once for every list of statements that it is in. */
export function touchesOf(kernel: NestKernel): Touch[] {
  const found: Touch[] = [];
  kernel.phases.forEach(({ body, after }, phase) => {
    for (const [list, inBody] of [[body, true] as const, [after, false] as const]) {
      const seen = new Set<Expr>();
      const places = new Set<string>();
      for (const s of list) {
        forEachNode(
          rootsOf(s),
          (e) => {
            if (e.kind !== "load" || places.has(`${e.buffer}@${e.index.key}`)) return;
            places.add(`${e.buffer}@${e.index.key}`);
            found.push({ buffer: e.buffer, index: e.index, write: false, phase, inBody });
          },
          seen,
        );
        if (s.kind === "store" || s.kind === "update")
          found.push({ buffer: s.buffer, index: s.index, write: true, phase, inBody });
      }
    }
  });
  return found;
}

/** Every index of a kernel, those inside of others included. */
export function indicesOf(kernel: NestKernel): Index[] {
  const found = new Map<string, Index>();
  const add = (i: Index): void => {
    if (found.has(i.key)) return;
    found.set(i.key, i);
    for (const { atom } of i.terms) if (atom.kind !== "axis" && atom.kind !== "value") add(atom.x);
  };
  const seen = new Set<Expr>();
  for (const { body, after } of kernel.phases) {
    for (const s of [...body, ...after]) {
      if (s.kind === "store" || s.kind === "update") add(s.index);
      forEachNode(
        rootsOf(s),
        (e) => {
          if (e.kind === "load" || e.kind === "index") add(e.index);
        },
        seen,
      );
    }
  }
  return [...found.values()];
}

/** What changes: asked of one kernel with one choice of axes, slots and row buffers that do. */
export class Variance {
  private readonly exprs = new Map<Expr, boolean>();
  private readonly indices = new Map<string, boolean>();

  constructor(
    private readonly axis: (k: number) => boolean,
    private readonly slot: (k: number) => boolean,
    private readonly keep: (k: number) => boolean,
  ) {}

  of(e: Expr): boolean {
    const known = this.exprs.get(e);
    if (known !== undefined) return known;
    const varies = this.compute(e);
    this.exprs.set(e, varies);
    return varies;
  }

  ofIndex(i: Index): boolean {
    const known = this.indices.get(i.key);
    if (known !== undefined) return known;
    const varies = i.terms.some(({ atom }) =>
      atom.kind === "axis" ? this.axis(atom.axis) : atom.kind === "value" ? this.of(atom.expr) : this.ofIndex(atom.x),
    );
    this.indices.set(i.key, varies);
    return varies;
  }

  /** Whether an axis that changes stands in an index otherwise than as a plain term. */
  hides(i: Index): boolean {
    return i.terms.some(({ atom }) =>
      atom.kind === "axis" ? false : atom.kind === "value" ? this.of(atom.expr) : this.ofIndex(atom.x),
    );
  }

  private compute(e: Expr): boolean {
    switch (e.kind) {
      case "const":
        return false;
      case "slot":
        return this.slot(e.slot);
      case "keep":
        return this.keep(e.keep);
      case "op":
        return e.args.some((a) => this.of(a));
      default:
        return this.ofIndex(e.index);
    }
  }
}
