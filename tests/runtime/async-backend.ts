import { InterpreterBackend } from "../../src/backends/reference/interpreter.js";
import { compile } from "../../src/compiler/index.js";
import type { DType, TypedArray } from "../../src/core/dtype.js";
import { DeviceError } from "../../src/core/errors.js";
import type {
  Backend,
  BackendStats,
  DeviceBuffer,
  DeviceCounters,
  Executable,
  ProfiledLaunch,
  ScalarInput,
} from "../../src/kernel-ir/backend.js";
import type { Program } from "../../src/kernel-ir/program.js";
import { CompiledDevice } from "../../src/runtime/compiled-device.js";

/**
 * A device that computes while the program goes on: what it is asked for waits in a stream, in order. Reading at once is not
 * offered, and float64 is not held. Programs are verified and interpreted.
 */
export class AsyncBackend implements Backend {
  private readonly inner: InterpreterBackend;
  private stream: Promise<void> = Promise.resolve();
  private failure: DeviceError | undefined;
  /** What went wrong with the elements of a buffer. */
  private readonly broken = new WeakMap<DeviceBuffer, unknown>();
  private launches: ProfiledLaunch[] | undefined;
  compiles = 0;
  runs = 0;
  /** Thrown by the next run, when its turn in the stream comes. */
  failNext: Error | undefined;
  /** Bytes that fit. */
  capacity = Infinity;

  constructor(readonly name = "later") {
    this.inner = new InterpreterBackend(name);
  }
  get traits(): Backend["traits"] {
    return this.inner.traits;
  }
  get allocated(): number {
    return this.inner.stats().allocatedBytes;
  }
  supports(dtype: DType): boolean {
    return dtype !== "float64";
  }
  allocate(bytes: number): DeviceBuffer {
    if (this.failure) throw this.failure;
    if (this.allocated + bytes > this.capacity)
      throw new DeviceError({ code: "out-of-memory", message: `${this.name}: no ${bytes} bytes` });
    return this.inner.allocate(bytes);
  }
  free(buffer: DeviceBuffer): void {
    this.enqueue(() => this.inner.free(buffer));
  }
  write(buffer: DeviceBuffer, data: TypedArray): void {
    const copy = data.slice();
    this.enqueue(() => this.inner.write(buffer, copy));
  }
  read(buffer: DeviceBuffer, into: TypedArray): Promise<void> {
    return this.enqueue(() => {
      if (this.failure) throw this.failure;
      if (this.broken.has(buffer)) throw this.broken.get(buffer);
      this.inner.readSync(buffer, into);
    });
  }
  async settled(buffers: readonly DeviceBuffer[] = []): Promise<void> {
    await this.stream;
    if (this.failure) throw this.failure;
    for (const b of buffers) if (this.broken.has(b)) throw this.broken.get(b);
  }
  lost(): DeviceError | undefined {
    return this.failure;
  }
  lose(): void {
    this.failure = new DeviceError({
      code: "device-lost",
      message: `device "${this.name}" was lost`,
      hint: `await init("${this.name}") makes a new one`,
    });
  }
  profile(): { readonly stop: () => Promise<readonly ProfiledLaunch[]> } {
    const launches: ProfiledLaunch[] = (this.launches = []);
    return {
      stop: async () => {
        this.launches = undefined;
        await this.stream;
        return launches;
      },
    };
  }

  compile(program: Program): Executable {
    this.compiles++;
    const executable = this.inner.compile(program);
    return {
      text: () => executable.text(),
      run: (inputs, outputs) => {
        if (this.failure) throw this.failure;
        this.runs++;
        for (const { name } of program.kernels)
          this.launches?.push({ program: program.name, kernel: name, nanoseconds: 1000, flops: 1, bytes: 4 });
        this.later(executable, [...inputs], [...outputs]);
      },
    };
  }

  private later(
    executable: Executable,
    inputs: readonly (DeviceBuffer | ScalarInput)[],
    outputs: readonly DeviceBuffer[],
  ): void {
    const failing = this.failNext;
    this.failNext = undefined;
    void this.enqueue(() => {
      const bad = inputs.find((x) => !("scalar" in x) && this.broken.has(x)) as DeviceBuffer | undefined;
      const error = failing ?? (bad && this.broken.get(bad));
      if (error !== undefined) for (const out of outputs) this.broken.set(out, error);
      else executable.run(inputs, outputs);
    });
  }

  /** Fulfilled when its turn has come and it is done. */
  private enqueue(work: () => void): Promise<void> {
    const done = this.stream.then(work);
    this.stream = done.catch(() => undefined);
    return done;
  }

  stats(): BackendStats {
    return { ...this.inner.stats(), counters: this.counters() };
  }
  private counters(): DeviceCounters {
    const { runs: submits, compiles: pipelines } = this;
    return {
      dispatches: submits,
      submits,
      pipelines,
      bindGroups: 0,
      buffers: 0,
      flops: 0,
      loadBytes: 0,
      storeBytes: 0,
    };
  }
}

export const asyncDevice = (backend: AsyncBackend): CompiledDevice => new CompiledDevice(backend, compile);
