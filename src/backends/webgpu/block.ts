import type { DeviceError } from "../../core/errors.js";

/** Memory on the device: one GPUBuffer. */
export class Block {
  /** Of a buffer that the device could not make. */
  failure: DeviceError | undefined;
  /** Resolves when it is known whether the device could make it; undefined: it is. */
  made: Promise<void> | undefined;
  /** Keys of the bind groups that name it. */
  readonly groups = new Set<string>();
  /** Turn of the pool in which it was last given back. */
  idleSince = 0;
  /** Turn of the commands in which a dispatch last used it. */
  usedIn = 0;

  constructor(
    readonly id: number,
    readonly gpu: GPUBuffer,
    readonly bytes: number,
  ) {}

  /** Whether it is large, and there may be no memory for it: what uses it is handed over by itself, that nothing else is refused with it. */
  get doubtful(): boolean {
    return this.made !== undefined && this.bytes >= largeFrom;
  }
}

/** Bytes from which on the device is asked of each block by itself whether there was memory for it. */
export const largeFrom = 2 ** 20;
