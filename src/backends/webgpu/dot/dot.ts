import { InternalError } from "../../../core/errors.js";
import { indexDependsOn } from "../../../kernel-ir/index-expr.js";
import type { DotKernel } from "../../../kernel-ir/kernel.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import type { Dispatch, DispatchCost, KernelCode, LaunchContext } from "../dispatch.js";
import { Code } from "../wgsl/code.js";
import { ModuleBuilder } from "../wgsl/module.js";
import { type Access, loadsOf } from "./access.js";
import { accessFor, planProblem } from "./choose.js";
import { batchOf, describePlan, type Plan } from "./plan.js";
import { type Problem, problemOf } from "./problem.js";
import { emitCombine, type Emitted, type Order } from "./sink.js";
import { emitSweep, sweepOrder } from "./sweep.js";
import { emitTiled, tiledOrder } from "./tiled.js";
import { emitTree, treeOrder } from "./tree.js";

/** How a product is computed in this launch. */
export const planDot = (kernel: DotKernel, ctx: LaunchContext): Plan => planProblem(problemOf(kernel), ctx);

/** The dispatches of a product: one, or two where its summed axis is split. `choose`: another plan than the best one. */
export function lowerDot(
  kernel: DotKernel,
  ctx: LaunchContext,
  choose: (problem: Problem, ctx: LaunchContext) => Plan = planProblem,
): KernelCode {
  const p = problemOf(kernel);
  if (batchOf(p) * p.m * p.n === 0) return { dispatches: [], scratch: [] };
  refuseOverwriting(p, ctx);
  const plan = choose(p, ctx);
  const access = accessFor(p, plan, ctx);
  const first = new ModuleBuilder(kernel.buffers, ctx);
  const { emitted, order } = emit(first, p, access, plan);
  const name = `${kernel.name}: ${describePlan(plan)}`;
  if (plan.splits === 1) return { dispatches: [dispatch(first, emitted, name, costOfResults(p, access))], scratch: [] };
  const sums = 4 * batchOf(p) * p.m * p.n;
  const second = new ModuleBuilder(kernel.buffers, ctx);
  return {
    dispatches: [
      dispatch(first, emitted, name, { flops: 0, loadBytes: 0, storeBytes: plan.splits * sums }),
      dispatch(
        second,
        emitCombine(second, p, access, plan.splits, order),
        `${kernel.name}: sum`,
        costOfResults(p, access),
      ),
    ],
    scratch: [plan.splits * sums],
  };
}

/** Results that lie in an operand would be read by other workgroups as operands. */
function refuseOverwriting({ a, b, stores }: Problem, { sameAs }: LaunchContext): void {
  const storage = (buffer: number): number => sameAs[buffer] ?? buffer;
  for (const { buffer } of stores)
    for (const operand of [a.buffer, b.buffer])
      if (storage(buffer) === storage(operand))
        throw new InternalError(`a product's buffer ${buffer} lies in its operand, buffer ${operand}`);
}

function emit(m: ModuleBuilder, p: Problem, access: Access, plan: Plan): { emitted: Emitted; order: Order } {
  switch (plan.kind) {
    case "tiled":
      return { emitted: emitTiled(m, p, access, plan), order: tiledOrder(p) };
    case "tree":
      return { emitted: emitTree(m, p, access, plan), order: treeOrder(p, plan) };
    case "sweep":
      return { emitted: emitSweep(m, p, access, plan), order: sweepOrder(p, plan) };
  }
}

function dispatch(
  module: ModuleBuilder,
  { body, groups, threads, flops, loads }: Emitted,
  label: string,
  more: Omit<DispatchCost, "workgroupBytes">,
): Dispatch {
  const finish = (code: Code): ReturnType<ModuleBuilder["finish"]> =>
    module.finish({ workgroupSize: threads, groups, body: code });
  let made = finish(body);
  const [x, y] = made.workgroups;
  if (x * y > groups) {
    // Folded: the last row of workgroups is not full. All invocations of a workgroup agree.
    const guarded = new Code();
    guarded.block(`if (group < ${groups})`, () => guarded.append(body));
    made = finish(guarded);
  }
  return {
    label,
    wgsl: made.wgsl,
    source: made.source,
    bindings: made.bindings,
    workgroups: made.workgroups,
    cost: {
      flops: flops + more.flops,
      loadBytes: 4 * loads + more.loadBytes,
      storeBytes: more.storeBytes,
      workgroupBytes: made.workgroupBytes,
    },
  };
}

/** What the stores of the results, and the values that they are made of, count. */
function costOfResults(p: Problem, access: Access): Omit<DispatchCost, "workgroupBytes"> {
  const results = batchOf(p) * p.m * p.n;
  const operations = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (e.kind !== "op" || operations.has(e)) return;
    operations.add(e);
    e.args.forEach(visit);
  };
  p.stores.forEach(({ value }) => visit(value));
  const flops = [...operations].filter(({ type }) => type === "f32").length;
  // What is the same for four results stored together is read once for them.
  const lanes = p.batch.length + (access.along === "i" ? 0 : 1);
  const loads = loadsOf(p).map(({ index }) => (access.along === null || indexDependsOn(index, lanes) ? 1 : 0.25));
  return {
    flops: results * flops,
    loadBytes: 4 * results * loads.reduce((sum, each) => sum + each, 0),
    storeBytes: 4 * results * p.stores.length,
  };
}
