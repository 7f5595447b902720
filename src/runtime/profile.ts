import type { NDArray } from "../core/array.js";
import { ArgumentError } from "../core/errors.js";
import { describeValue } from "../core/literal.js";
import type { ArraysOf, Ins, Structure } from "../core/types.js";
import type { ProfiledLaunch } from "../kernel-ir/backend.js";
import { allDevices } from "./devices.js";
import { blockUntilReady } from "./transfer.js";

/** A kernel in a profile: all of its launches. */
export interface ProfiledKernel {
  readonly device: string;
  readonly program: string;
  readonly kernel: string;
  readonly launches: number;
  /** By the device's own clock; undefined where it has none. */
  readonly milliseconds: number | undefined;
  /** Counted from the code. */
  readonly flops: number;
  readonly bytes: number;
}

/** What a call took. */
export interface Profile<R> {
  readonly result: R;
  /** From the call until its results were computed. */
  readonly milliseconds: number;
  /** The dearest first. Devices whose programs are one call of machine code ("wasm", "reference") have none. */
  readonly kernels: readonly ProfiledKernel[];
  /** A table. */
  toString(): string;
}

/**
 * Calls a function, waits for its results, and tells how long that took: altogether, and on a GPU for each kernel, by the
 * device's clock where it has one. What is compiled in the call counts too: call the function once before.
 * @example
 * const { milliseconds } = await profile(jit((x) => np.tanh(x)))(np.ones([3]));
 */
export function profile<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  f: (...args: A) => R,
): (...args: Ins<A>) => Promise<Profile<ArraysOf<R>>>;
export function profile(f: (...args: never[]) => unknown): (...args: unknown[]) => Promise<Profile<unknown>> {
  if (typeof f !== "function") {
    throw new ArgumentError({ code: "not-a-function", message: `profile takes a function, not ${describeValue(f)}` });
  }
  return async (...args) => {
    if (running) throw alreadyRunning();
    running = true;
    try {
      return await measure(f, args);
    } finally {
      running = false;
    }
  };
}

let running = false;
const alreadyRunning = (): ArgumentError =>
  new ArgumentError({
    code: "profile-running",
    message: "a profile is being recorded already",
    hint: "await it before the next: it notes everything that its devices do",
  });

async function measure(f: (...args: never[]) => unknown, args: readonly unknown[]): Promise<Profile<unknown>> {
  const devices = allDevices().filter((d) => !d.lost);
  await Promise.all(devices.map((d) => d.settled()));
  const recordings = devices.flatMap((device) => {
    const recording = device.profile();
    return recording ? [{ device: device.name, stop: recording.stop }] : [];
  });
  const kernels = new Map<string, ProfiledKernel>();
  const start = performance.now();
  let milliseconds = 0;
  let result: unknown;
  try {
    result = await blockUntilReady(f(...(args as never[])));
  } finally {
    milliseconds = performance.now() - start;
    for (const { device, stop } of recordings) for (const launch of await stop()) addLaunch(kernels, device, launch);
  }
  const sorted = [...kernels.values()].sort((a, b) => (b.milliseconds ?? 0) - (a.milliseconds ?? 0));
  const toString = (): string => table(milliseconds, sorted);
  return Object.defineProperty(
    { result, milliseconds, kernels: sorted, toString },
    Symbol.for("nodejs.util.inspect.custom"),
    { value: toString },
  );
}

function addLaunch(kernels: Map<string, ProfiledKernel>, device: string, launch: ProfiledLaunch): void {
  const { program, kernel, nanoseconds, flops, bytes } = launch;
  const key = `${device}|${program}|${kernel}`;
  const so = kernels.get(key);
  const took = nanoseconds === undefined ? undefined : nanoseconds / 1e6;
  kernels.set(key, {
    device,
    program,
    kernel,
    launches: (so?.launches ?? 0) + 1,
    milliseconds: so
      ? so.milliseconds === undefined || took === undefined
        ? undefined
        : so.milliseconds + took
      : took,
    flops: (so?.flops ?? 0) + flops,
    bytes: (so?.bytes ?? 0) + bytes,
  });
}

function table(milliseconds: number, kernels: readonly ProfiledKernel[]): string {
  const rows = kernels.map((k) => [
    k.milliseconds === undefined ? "" : `${k.milliseconds.toFixed(3)} ms`,
    `${k.launches}×`,
    `${k.program}/${k.kernel}`,
    `${k.flops} flops`,
    `${k.bytes} bytes`,
  ]);
  const widths = (rows[0] ?? []).map((_, c) => Math.max(...rows.map((r) => r[c]!.length)));
  const lines = rows.map(
    (r) => `  ${r.map((cell, c) => (c === 2 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!))).join("  ")}`,
  );
  return [`${milliseconds.toFixed(3)} ms`, ...lines].join("\n");
}
