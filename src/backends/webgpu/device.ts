import type { DType, TypedArray } from "../../core/dtype.js";
import { type DeviceError, InternalError } from "../../core/errors.js";
import type {
  Backend,
  BackendStats,
  DeviceBuffer,
  DeviceCounters,
  DeviceTraits,
  HostCompute,
  ProfiledLaunch,
} from "../../kernel-ir/backend.js";
import type { Program } from "../../kernel-ir/program.js";
import { Arena } from "./arena.js";
import { BindGroups } from "./bind-groups.js";
import { own, WebgpuBuffer } from "./buffer.js";
import { bindingAlignment, usage } from "./constants.js";
import { Commands } from "./commands.js";
import { Context } from "./context.js";
import { ControlMemory } from "./control.js";
import { outOfMemory, overLimit } from "./errors.js";
import { WebgpuExecutable } from "./executable.js";
import { flatten } from "./flatten.js";
import { HostExecutable, unrecorded } from "./host-call.js";
import { Pipelines } from "./pipelines.js";
import type { Block } from "./block.js";
import { Pool } from "./pool.js";
import { Profiler } from "./profile.js";
import { Readback } from "./readback.js";
import { ScalarSlots } from "./scalars.js";
import type { Recording } from "./recording.js";
import type { Lower, SpecialiseContext } from "./specialise.js";
import { Stream } from "./stream.js";
import { defaultCap, type SubmitCap } from "./submits.js";
import { Free, Read, Settle, Write } from "./transfers.js";

export interface DeviceOptions {
  readonly lower: Lower;
  /** Bytes that all buffers together may have; none are made beyond it. */
  readonly maxBytes?: number | undefined;
  readonly submitCap?: SubmitCap | undefined;
  /** Whether loops whose bodies are small become one kernel; unless false. */
  readonly fuseLoops?: boolean | undefined;
}

/** Bytes of memory that nothing uses, kept for what comes. */
const keepBytes = 256 * 2 ** 20;
/** Workgroup memory that reductions take besides the rows that a kernel keeps. */
const reductionBytes = 4096;

/** The WebGPU backend over one GPUDevice: everything that it does goes through one ordered stream. */
export class WebgpuDevice implements Backend {
  readonly name = "webgpu";
  readonly traits: DeviceTraits;
  readonly context: Context;
  readonly commands: Commands;
  readonly stream = new Stream();
  readonly bindGroups: BindGroups;
  readonly arena: Arena;
  readonly scalars: ScalarSlots;
  readonly control: ControlMemory;
  readonly readback: Readback;
  readonly specialiseContext: SpecialiseContext;
  profiler: Profiler | undefined;
  private readonly pool: Pool;
  private readonly pipelines: Pipelines;
  private readonly maxBytes: number;
  private readonly fuseLoops: boolean;
  private readonly recordings = new WeakMap<Program, Recording>();
  private liveBytes = 0;

  constructor(gpu: GPUDevice, { lower, maxBytes, submitCap = defaultCap, fuseLoops = true }: DeviceOptions) {
    const { limits } = gpu;
    this.context = new Context(gpu);
    const commands = new Commands(this.context, submitCap);
    this.commands = commands;
    this.context.onLoss(() => this.stream.flush());
    this.bindGroups = new BindGroups(this.context);
    this.maxBytes = maxBytes ?? Infinity;
    const onDestroy = (block: Block): void => this.bindGroups.drop(block);
    this.pool = new Pool(commands, usage.storage | usage.copySource | usage.copyTarget, {
      label: "array",
      keepBytes,
      onDestroy,
      onFailure: () => {
        this.pool.trim(0);
        this.arena.clear();
      },
    });
    this.arena = new Arena(commands, { onDestroy, onFailure: () => this.pool.trim(0) });
    this.scalars = new ScalarSlots(commands, onDestroy);
    this.control = new ControlMemory(commands, onDestroy);
    this.fuseLoops = fuseLoops;
    this.readback = new Readback(commands);
    this.pipelines = new Pipelines(this.context);
    const { maxBufferSize, maxStorageBufferBindingSize, maxComputeWorkgroupStorageSize } = limits;
    const largest =
      maxBufferSize < maxStorageBufferBindingSize
        ? { name: "maxBufferSize", bytes: maxBufferSize }
        : { name: "maxStorageBufferBindingSize", bytes: maxStorageBufferBindingSize };
    this.specialiseContext = { limits, largest, lower, lowered: new WeakMap(), pipelines: this.pipelines };
    this.traits = {
      // One is left for the memory that the dispatches of one kernel share.
      maxBuffers: limits.maxStorageBuffersPerShaderStage - 1,
      loopBuffers: limits.maxStorageBuffersPerShaderStage,
      maxKeepBytes: maxComputeWorkgroupStorageSize - reductionBytes,
      arenaAlignment: bindingAlignment,
      dotEpilogue: true,
      dotDigits: true,
      dearLaunches: true,
    };
  }

  supports(dtype: DType): boolean {
    return dtype !== "float64";
  }

  allocate(bytes: number): WebgpuBuffer {
    this.context.check();
    const { largest } = this.specialiseContext;
    if (bytes > largest.bytes) throw overLimit(bytes, largest.name, largest.bytes);
    if (this.liveBytes + bytes > this.maxBytes) {
      throw outOfMemory(bytes, [["in use", `${this.liveBytes} of ${this.maxBytes} bytes`]]);
    }
    this.liveBytes += bytes;
    return new WebgpuBuffer(bytes);
  }

  free(buffer: DeviceBuffer): void {
    const b = own(buffer);
    b.freed = true;
    this.liveBytes -= b.bytes;
    if (this.stream.idle) this.release(b);
    else this.stream.push(new Free(this, b));
  }

  write(buffer: DeviceBuffer, data: TypedArray): void {
    this.context.check();
    // What has to wait outlives the call, and the caller's data may not.
    this.stream.push(new Write(this, own(buffer), this.stream.idle ? data : data.slice()));
  }

  read(buffer: DeviceBuffer, into: TypedArray): Promise<void> {
    return new Promise((resolve, reject) => {
      this.context.check();
      this.stream.push(new Read(this, own(buffer), into, resolve, reject));
    });
  }

  settled(buffers: readonly DeviceBuffer[] = []): Promise<void> {
    return new Promise((resolve, reject) => {
      this.context.check();
      this.stream.push(new Settle(this, buffers.map(own), resolve, reject));
    });
  }

  /** Programs are specialised by their shapes: `generic` asks for nothing that this device has. */
  compile(program: Program): WebgpuExecutable {
    this.context.check();
    return new WebgpuExecutable(this, program);
  }

  lacks(program: Program): string | undefined {
    return unrecorded(program) ?? this.recordingOf(program).lacks;
  }

  /** A program as launches: made once. */
  recordingOf(program: Program): Recording {
    let recording = this.recordings.get(program);
    if (!recording) {
      const { limits } = this.specialiseContext;
      this.recordings.set(program, (recording = flatten(program, { limits, fuse: this.fuseLoops })));
    }
    return recording;
  }

  onHost(program: Program, compute: HostCompute, text: () => string): HostExecutable {
    this.context.check();
    return new HostExecutable(this, program, compute, text);
  }

  stats(): BackendStats & { readonly counters: DeviceCounters } {
    const { pool, arena, scalars, readback, control } = this;
    return {
      heapBytes: pool.usedBytes + pool.idleBytes + arena.bytes + scalars.bytes + readback.bytes + control.bytes,
      allocatedBytes: this.liveBytes,
      modules: this.pipelines.size,
      counters: { ...this.context.counters },
    };
  }

  lost(): DeviceError | undefined {
    return this.context.lost;
  }

  profile(): { readonly stop: () => Promise<readonly ProfiledLaunch[]> } {
    if (this.profiler) throw new InternalError("a profile is being recorded already");
    const profiler = new Profiler(this.context);
    this.profiler = profiler;
    const stop = async (): Promise<readonly ProfiledLaunch[]> => {
      try {
        // What was asked for before the end belongs to the profile, though it may still wait.
        await this.settled();
        return await profiler.result();
      } finally {
        this.profiler = undefined;
      }
    };
    return { stop };
  }

  dispose(): void {
    this.context.dispose();
  }

  /** The block of a buffer, taken now if it has none. */
  materialise(buffer: WebgpuBuffer): Block {
    return (buffer.block ??= this.pool.take(buffer.bytes));
  }

  /** In its turn: nothing before needs the block any more that the queue has not been given. */
  release(buffer: WebgpuBuffer): void {
    const { block } = buffer;
    buffer.block = undefined;
    if (block && !this.context.lost) this.pool.give(block);
  }
}
