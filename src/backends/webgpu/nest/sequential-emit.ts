import { InternalError } from "../../../core/errors.js";
import type { BufferArg } from "../../../kernel-ir/kernel.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import type { Dispatch, DispatchCost, LaunchContext } from "../dispatch.js";
import { Code } from "../wgsl/code.js";
import { ModuleBuilder } from "../wgsl/module.js";
import { Values, type ValueSource } from "../wgsl/values.js";
import { exprsIn, forEachNode } from "./touches.js";
import type { ScatterForm } from "./sequential-form.js";

/** Invocations of a workgroup. */
const THREADS = 64;

/** One dispatch of the lowering of a scatter: so many invocations, `id` each one's number. */
export class Threads {
  readonly module: ModuleBuilder;
  readonly code = new Code();

  constructor(
    buffers: readonly BufferArg[],
    private readonly launch: LaunchContext,
  ) {
    this.module = new ModuleBuilder(buffers, launch);
  }

  /** Values whose axes have the names that `coordinates` gives with the same suffix. */
  values(suffix = ""): Values {
    return new Values(this.module, this.code, this.source(suffix));
  }
  source(suffix: string): ValueSource {
    const never = (): never => {
      throw new InternalError("a scatter has no accumulators");
    };
    return {
      axis: (k) => `a${k}${suffix}`,
      load: (buffer, index) => this.module.load(buffer, index),
      slot: never,
      keep: never,
    };
  }

  /** Names the coordinates of point number `flat` (a name) of some axes, the last axis the fastest. */
  coordinates(flat: string, axes: readonly number[], extents: readonly number[], suffix = ""): void {
    let below = axes.reduce((n, k) => n * extents[k]!, 1);
    axes.forEach((k, at) => {
      below /= extents[k]!;
      const quotient = below === 1 ? flat : `${flat} / ${below}`;
      this.code.line(`let a${k}${suffix} = ${at === 0 ? quotient : `(${quotient}) % ${extents[k]!}`};`);
    });
  }

  /** The whole dispatch; `body` is what one invocation does. */
  finish(label: string, count: number, cost: Omit<DispatchCost, "workgroupBytes">, body: () => void): Dispatch {
    const size = Math.min(THREADS, this.launch.limits.maxComputeInvocationsPerWorkgroup);
    const groups = Math.ceil(count / size);
    const whole = groups * size === count && groups <= this.launch.limits.maxComputeWorkgroupsPerDimension;
    if (whole) body();
    else this.code.block(`if (id < ${count})`, body);
    const { wgsl, bindings, workgroups, workgroupBytes } = this.module.finish({
      workgroupSize: size,
      groups,
      body: this.code,
    });
    return { label, wgsl, bindings, workgroups, cost: { ...cost, workgroupBytes } };
  }
}

/** Opens a block for a condition where there is one. */
export function onlyIf(code: Code, condition: string | null, body: () => void): void {
  if (condition === null) body();
  else code.block(`if (${condition})`, body);
}

/** What one point of a scatter costs: operations, and words loaded. */
export function pointCost({ index, value, when }: ScatterForm): { readonly flops: number; readonly loads: number } {
  let flops = 1;
  let loads = 0;
  const roots: Expr[] = [value, ...exprsIn(index), ...(when ? [when] : [])];
  forEachNode(roots, (e) => {
    if (e.kind === "op") flops++;
    else if (e.kind === "load") loads++;
  });
  return { flops, loads };
}
