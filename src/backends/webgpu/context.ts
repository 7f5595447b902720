import type { DeviceError, InternalError } from "../../core/errors.js";
import type { DeviceCounters } from "../../kernel-ir/backend.js";
import { deviceDisposed, deviceLost, workRefused } from "./errors.js";

export type Counters = { -readonly [K in keyof DeviceCounters]: DeviceCounters[K] };

/** How long a failure may precede the news that its device was lost. */
const patience = 200;

/** A WebGPU device with what all parts of the backend share: its counters, its error scopes, and the news of its loss. */
export class Context {
  readonly counters: Counters = {
    dispatches: 0,
    submits: 0,
    pipelines: 0,
    bindGroups: 0,
    buffers: 0,
    flops: 0,
    loadBytes: 0,
    storeBytes: 0,
  };
  lost: DeviceError | undefined;
  /** Error scopes of `scoped` that are open. */
  openScopes = 0;
  private readonly pending = new Set<(error: DeviceError) => void>();
  private readonly losses: (() => void)[] = [];

  /** An error that no scope caught, and nobody was told of yet. */
  private stray: InternalError | undefined;

  constructor(readonly device: GPUDevice) {
    void device.lost.then(({ reason, message }) => this.lose(deviceLost(reason, message)));
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.stray ??= workRefused("a command", event.error.message, []);
    });
  }

  /** The error that no scope caught, once. */
  takeStray(): InternalError | undefined {
    const { stray } = this;
    this.stray = undefined;
    return stray;
  }

  /** @throws DeviceError `device-lost`. */
  check(): void {
    if (this.lost) throw this.lost;
  }

  onLoss(f: () => void): void {
    this.losses.push(f);
  }

  dispose(): void {
    this.lose(deviceDisposed());
    this.device.destroy();
  }

  private lose(error: DeviceError): void {
    if (this.lost) return;
    this.lost = error;
    const pending = [...this.pending];
    this.pending.clear();
    for (const reject of pending) reject(error);
    for (const f of this.losses) f();
  }

  /** The promise, or a rejection with `device-lost` as soon as the device is: not every promise of a lost device settles. */
  guard<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.lost) {
        promise.catch(() => undefined);
        return reject(this.lost);
      }
      this.pending.add(reject);
      promise.then(
        (value) => {
          this.pending.delete(reject);
          resolve(value);
        },
        async (error: unknown) => {
          // A map that is cut off says so before the device does.
          await this.newsOfLoss();
          this.pending.delete(reject);
          reject(this.lost ?? error);
        },
      );
    });
  }

  /** Does something under an error scope; the promise tells the scope's error, null if there was none. */
  scoped<T>(filter: GPUErrorFilter, body: () => T): { readonly value: T; readonly error: Promise<GPUError | null> } {
    this.device.pushErrorScope(filter);
    this.openScopes++;
    let error: Promise<GPUError | null> | undefined;
    try {
      const value = body();
      error = this.guard(this.device.popErrorScope());
      return { value, error };
    } finally {
      this.openScopes--;
      if (!error) this.device.popErrorScope().catch(() => undefined);
    }
  }

  private async newsOfLoss(): Promise<void> {
    if (this.lost) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([this.device.lost, new Promise((done) => (timer = setTimeout(done, patience)))]);
    clearTimeout(timer);
  }
}
