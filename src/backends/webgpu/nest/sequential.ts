import type { NestKernel } from "../../../kernel-ir/kernel.js";
import type { KernelCode, LaunchContext } from "../dispatch.js";
import { ScratchMemory } from "../sort/shader.js";
import { otherAxes, pointsOf, rowNumbers, type ScatterForm, scatterForm } from "./sequential-form.js";
import { nestInOrder } from "./sequential-in-order.js";
import { scatterLast } from "./sequential-last.js";
import { scatterPairs } from "./sequential-pairs.js";
import { isOrderless, scatterApart, scatterAtomic } from "./sequential-points.js";
import { scatterSorted } from "./sequential-sorted.js";

/**
 * Nests whose rows run one after another, as parallel as they can be with the result of that order.
 *
 * A scatter's points are apart along axes that the index tells; the others are walked in order where they are few, updated by
 * atomic operations where no order shows, compared with each other or sorted where it does. What is no scatter runs in one
 * invocation. A strategy may be asked for that is right for the kernel.
 */
export function lowerSequentialNest(kernel: NestKernel, ctx: LaunchContext, strategy?: ScatterStrategy): KernelCode {
  if (kernel.parallel.some((n) => n === 0)) return { dispatches: [], scratch: [] };
  const form = scatterForm(kernel, ctx);
  if (form?.when?.kind === "const") return { dispatches: [], scratch: [] };
  return form === undefined ? nestInOrder(kernel, ctx) : strategies[strategy ?? strategyOf(form, ctx)](form, ctx);
}

export type ScatterStrategy = "apart" | "atomic" | "pairs" | "last" | "sorted" | "in order";

const strategies: Readonly<Record<ScatterStrategy, (form: ScatterForm, ctx: LaunchContext) => KernelCode>> = {
  apart: scatterApart,
  atomic: scatterAtomic,
  pairs: scatterPairs,
  last: (form, ctx) => scatterLast(form, new ScratchMemory(), ctx),
  sorted: (form, ctx) => scatterSorted(form, new ScratchMemory(), ctx),
  "in order": (form, ctx) => nestInOrder(form.kernel, ctx),
};

/** Steps that one invocation walks gladly, and those it walks where there are many invocations. */
const SHORT_WALK = 8;
const LONG_WALK = 128;
const MANY = 4096;
/** Rows that are compared pair by pair, and comparisons in all. */
const PAIRED_ROWS = 256;
const COMPARISONS = 2 ** 24;

export function strategyOf(form: ScatterForm, ctx: LaunchContext): ScatterStrategy {
  const { extents, apart, columns, combine, kernel } = form;
  const walk = pointsOf(extents, otherAxes(extents, apart));
  const threads = pointsOf(extents, apart);
  if (walk <= SHORT_WALK || (walk <= LONG_WALK && threads >= MANY)) return "apart";
  if (isOrderless(form)) return "atomic";
  const rows = pointsOf(extents, otherAxes(extents, columns));
  if (rows <= PAIRED_ROWS && rows * rows * pointsOf(extents, columns) <= COMPARISONS) return "pairs";
  // What memory of their own the others take, three arrays at most, has to be bound besides the arguments.
  const free =
    ctx.limits.maxStorageBuffersPerShaderStage - new Set(kernel.buffers.map((_, i) => ctx.sameAs[i] ?? i)).size;
  if (combine === null && rowNumbers(form).count <= 16 * rows && free >= 1) return "last";
  return free >= 3 ? "sorted" : walk <= LONG_WALK ? "apart" : "in order";
}
