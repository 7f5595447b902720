import type { Index } from "../../../kernel-ir/index-expr.js";
import type { NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import type { Expr, ScalarType } from "../../../kernel-ir/scalar.js";

/** What a nest kernel contains, found in one walk over its expression DAGs. */
export interface Survey {
  /** Every expression, those inside indices included, operands first. */
  readonly exprs: readonly Expr[];
  /** Every distinct index, those nested in others included. */
  readonly indices: readonly Index[];
  readonly touches: readonly Touch[];
  /** Buffers that statements write. */
  readonly written: ReadonlySet<number>;
  /** A 64-bit type occurs. */
  readonly wide: boolean;
}

/** An access to a buffer: a load in the body or behind it, or a statement's place. */
export interface Touch {
  readonly buffer: number;
  readonly index: Index;
  readonly write: boolean;
}

export function survey(kernel: NestKernel, roots: readonly Expr[] = []): Survey {
  const exprs: Expr[] = [];
  const indices = new Map<string, Index>();
  const touches: Touch[] = [];
  const written = new Set<number>();
  const seen = new Set<Expr>();
  let wide =
    kernel.slots.some((s) => isWide(s.type)) || kernel.keeps.some(isWide) || kernel.buffers.some((b) => isWide(b.type));

  /** Notes an index and gives the expressions that it loads. */
  const enter = (index: Index): readonly Expr[] => {
    if (indices.has(index.key)) return none;
    indices.set(index.key, index);
    let values: Expr[] | undefined;
    for (const { atom } of index.terms) {
      if (atom.kind === "axis") continue;
      if (atom.kind === "value") (values ??= []).push(atom.expr);
      else for (const e of enter(atom.x)) (values ??= []).push(e);
    }
    return values ?? none;
  };

  // Iterative, for chains of thousands of operations are one expression.
  const walk = (root: Expr): void => {
    const stack: { readonly expr: Expr; readonly children: readonly Expr[]; next: number }[] = [];
    const open = (expr: Expr): void => {
      if (seen.has(expr)) return;
      seen.add(expr);
      const children =
        expr.kind === "op" ? expr.args : expr.kind === "load" || expr.kind === "index" ? enter(expr.index) : none;
      stack.push({ expr, children, next: 0 });
    };
    open(root);
    while (stack.length > 0) {
      const top = stack[stack.length - 1]!;
      if (top.next < top.children.length) open(top.children[top.next++]!);
      else {
        stack.pop();
        exprs.push(top.expr);
        if (isWide(top.expr.type)) wide = true;
        if (top.expr.kind === "load") touches.push({ buffer: top.expr.buffer, index: top.expr.index, write: false });
      }
    }
  };

  for (const statement of statementsOf(kernel)) {
    if (statement.kind === "store" || statement.kind === "update") {
      for (const e of enter(statement.index)) walk(e);
      touches.push({ buffer: statement.buffer, index: statement.index, write: true });
      written.add(statement.buffer);
      if (statement.kind === "update" && statement.when) walk(statement.when);
    }
    walk(statement.value);
  }
  for (const e of roots) walk(e);
  return { exprs, indices: [...indices.values()], touches, written, wide };
}

export function statementsOf(kernel: NestKernel): Statement[] {
  return kernel.phases.flatMap((p) => [...p.body, ...p.after]);
}

const none: readonly Expr[] = [];
export const isWide = (t: ScalarType): boolean => t === "f64" || t === "i64";
