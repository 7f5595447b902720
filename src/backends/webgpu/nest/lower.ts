import { InternalError } from "../../../core/errors.js";
import type { NestKernel } from "../../../kernel-ir/kernel.js";
import type { KernelCode, LaunchContext } from "../dispatch.js";
import { type KeepPlace, withRowBuffers } from "./keeps.js";
import { normalNest } from "./normal.js";
import { defaultTuning, type Mapping, schedule, type Tuning } from "./schedule.js";
import { Stages } from "./stages.js";
import { touchesOf } from "./touches.js";

/** A nest as dispatches, and how its work is shared out. */
export interface LoweredNest extends KernelCode {
  /** Undefined where there is nothing to do. */
  readonly mapping: Mapping | undefined;
  readonly keeps: KeepPlace;
}

/** Lowers a nest whose rows are not sequential. */
export function lowerNest(kernel: NestKernel, launch: LaunchContext, tuning: Tuning = defaultTuning): LoweredNest {
  if (kernel.sequential) throw new InternalError(`kernel ${kernel.name} is sequential`);
  if (kernel.parallel.includes(0)) return { dispatches: [], scratch: [], mapping: undefined, keeps: "private" };
  const { maxStorageBuffersPerShaderStage: most } = launch.limits;
  const storage = new Set(touchesOf(kernel).map((t) => launch.sameAs[t.buffer] ?? t.buffer));
  if (storage.size > most)
    throw new InternalError(`kernel ${kernel.name} has ${storage.size} buffers, and the device binds ${most}`);
  const normal = normalNest(kernel);
  const mapping = schedule(normal, launch, tuning);
  const placed = withRowBuffers(normal, mapping, launch);
  return { ...new Stages(placed.kernel, mapping, placed.keeps, launch).code(), mapping, keeps: placed.keeps };
}
