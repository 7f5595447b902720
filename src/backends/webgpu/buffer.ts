import { invariant } from "../../core/errors.js";
import type { DeviceBuffer } from "../../kernel-ir/backend.js";
import type { Fate } from "./fate.js";
import type { Block } from "./block.js";

/** A buffer of the runtime. Its block is taken when the stream first writes it, so that calls that wait take no memory. */
export class WebgpuBuffer implements DeviceBuffer {
  block: Block | undefined;
  /** Of the work that last wrote it. */
  fate: Fate | undefined;
  freed = false;
  constructor(readonly bytes: number) {}
}

export function own(buffer: DeviceBuffer): WebgpuBuffer {
  invariant(buffer instanceof WebgpuBuffer, "a buffer of another backend");
  invariant(!buffer.freed, "a buffer that was freed is used");
  return buffer;
}
