import type { Jaxpr } from "../core/jaxpr.js";
import type { Lowering } from "../kernel-ir/lowering.js";
import type { Eqn } from "../core/jaxpr.js";

/** Equations that a function may have to be inlined wherever it is called. */
const smallFunction = 24;

/** The jaxpr that an equation calls, if it is a call. */
function calledJaxpr(eqn: Eqn): Jaxpr | undefined {
  const lower = eqn.primitive.lower;
  return "kind" in lower && lower.kind === "call"
    ? (lower as Extract<Lowering<never>, { kind: "call" }>).jaxpr(eqn.params as never)
    : undefined;
}

/**
 * Which calls of a program are inlined: those of functions called from one place only, and of small ones. So twenty nested
 * doublings stay twenty functions, and the program is linear in the size of the jaxprs it is made of.
 */
export class CallPolicy {
  private readonly sites = new Map<Jaxpr, number>();
  private readonly sizes = new Map<Jaxpr, number>();

  constructor(root: Jaxpr) {
    const seen = new Set<Jaxpr>();
    const visit = (jaxpr: Jaxpr): void => {
      if (seen.has(jaxpr)) return;
      seen.add(jaxpr);
      for (const eqn of jaxpr.eqns) {
        const inner = calledJaxpr(eqn);
        if (!inner) {
          for (const body of eqn.primitive.jaxprs?.(eqn.params as never) ?? []) visit(body);
          continue;
        }
        this.sites.set(inner, (this.sites.get(inner) ?? 0) + 1);
        visit(inner);
      }
    };
    visit(root);
  }

  /** Whether a call is inlined where it stands. */
  inlinesAt({ primitive, params }: Pick<Eqn, "primitive" | "params">, inner: Jaxpr): boolean {
    return primitive.facts.barrier?.(params as never) !== true && this.inlines(inner);
  }

  private inlines(jaxpr: Jaxpr): boolean {
    return this.sites.get(jaxpr) === 1 || this.sizeOf(jaxpr) <= smallFunction;
  }

  /** Equations after inlining. */
  private sizeOf(jaxpr: Jaxpr): number {
    const cached = this.sizes.get(jaxpr);
    if (cached !== undefined) return cached;
    let size = 0;
    for (const eqn of jaxpr.eqns) {
      const inner = calledJaxpr(eqn);
      size += inner && this.inlinesAt(eqn, inner) ? this.sizeOf(inner) : 1;
    }
    this.sizes.set(jaxpr, size);
    return size;
  }
}
