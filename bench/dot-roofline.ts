import { dotScratchBytes, dotUnits, emitDot } from "../src/backends/wasm/dot/dot.js";
import { planDot } from "../src/backends/wasm/dot/plan.js";
import { relaxedSimd } from "../src/backends/wasm/engine.js";
import { ModuleBuilder } from "../src/backends/wasm/module-builder.js";
import { Op } from "../src/backends/wasm/opcodes.js";
import type { DotKernel } from "../src/kernel-ir/kernel.js";

/**
 * How near the dot kernels come to what the machine's multiply-adds allow: each product is timed next to a loop of nothing
 * but fused multiply-adds, over and over in turn, and the medians are compared. One thread, kernels only.
 *
 *   node --import tsx bench/dot-roofline.ts [pattern] [--unfused]
 */
interface Product {
  readonly type?: "f32" | "f64";
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The operand is the transpose of a matrix in row order. */
  readonly lhsT?: boolean;
  readonly rhsT?: boolean;
}

const PRODUCTS: readonly Product[] = [
  ...[64, 128, 256, 512, 1024].map((size) => ({ m: size, n: size, k: size })),
  { m: 512, n: 512, k: 512, lhsT: true },
  { m: 512, n: 512, k: 512, rhsT: true },
  { m: 128, n: 10, k: 784 },
  { m: 784, n: 10, k: 128, lhsT: true },
  { m: 128, n: 128, k: 784 },
  { m: 784, n: 128, k: 128, lhsT: true },
  { m: 128, n: 784, k: 10, rhsT: true },
  { m: 128, n: 512, k: 784 },
  { m: 8, n: 512, k: 784 },
  { m: 1024, n: 1, k: 1024 },
  { m: 1, n: 1024, k: 1024 },
  { m: 8, n: 8, k: 8 },
  ...[128, 512, 1024].map((size) => ({ type: "f64" as const, m: size, n: size, k: size })),
];

const ROUNDS = 15;
const ROUND_MS = 10;
const bytesOf = { f32: 4, f64: 8 };
const memory = new WebAssembly.Memory({ initial: 600, maximum: 65536 });
new Float32Array(memory.buffer).fill(0.01);

function kernelOf({ type = "f32", m, n, k, lhsT, rhsT }: Product): DotKernel {
  const matrix = (rows: number, cols: number, transposed = false): DotKernel["lhs"] => ({
    offset: 0,
    batch: [],
    row: transposed ? 1 : cols,
    col: transposed ? rows : 1,
  });
  const name = `${m}x${k}${lhsT ? "ᵀ" : ""} · ${k}x${n}${rhsT ? "ᵀ" : ""}${type === "f64" ? " f64" : ""}`;
  const buffer = (length: number, access: "read" | "write"): DotKernel["buffers"][number] => ({ type, access, length });
  return {
    kind: "dot",
    name,
    type,
    buffers: [buffer(m * k, "read"), buffer(k * n, "read"), buffer(m * n, "write")],
    batch: [],
    m,
    n,
    k,
    lhs: matrix(m, k, lhsT),
    rhs: matrix(k, n, rhsT),
    out: matrix(m, n),
  };
}

function instantiate(m: ModuleBuilder): Readonly<Record<string, (...args: readonly number[]) => void>> {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.toBytes()), { env: { memory } });
  return exports as Record<string, (...args: readonly number[]) => void>;
}

/** A loop of independent fused multiply-adds; gives floating-point operations (of f32) a pass. */
function peakLoop(): { readonly run: (passes: number) => void; readonly flops: number } {
  const sums = 12;
  const m = new ModuleBuilder();
  const f = m.func("peak", ["i32"]);
  const [x, y, ...acc] = Array.from({ length: sums + 2 }, () => f.local("v128"));
  f.loop((top) => {
    for (const sum of acc) {
      for (const local of [x!, y!, sum]) f.get(local);
      f.op(Op.f32x4_relaxed_madd);
      f.set(sum);
    }
    f.get(0);
    f.i32(1);
    f.op(Op.i32_sub);
    f.tee(0);
    f.brIf(top);
  });
  for (const sum of acc) {
    f.i32(0);
    f.get(sum);
    f.store(Op.v128_store);
  }
  m.exportFunction("peak", f.index);
  const { peak } = instantiate(m);
  return { run: peak!, flops: sums * 8 };
}

/** Milliseconds of processor time: what other processes take does not count. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

interface Runner {
  readonly kernel: DotKernel;
  /** Milliseconds of one product. */
  readonly time: () => number;
}

function runnerOf(kernel: DotKernel, relaxed: boolean): Runner {
  const m = new ModuleBuilder();
  m.exportFunction("dot", emitDot(m, kernel, { relaxed }));
  const dot = instantiate(m)["dot"]!;
  const addresses: number[] = [];
  let next = 4096;
  for (const { length } of kernel.buffers) {
    addresses.push(next);
    next += Math.ceil((length * bytesOf[kernel.type] + 16) / 64) * 64;
  }
  if (next + dotScratchBytes(kernel) > memory.buffer.byteLength) throw new RangeError(`no room for ${kernel.name}`);
  const once = (): void => dot(0, dotUnits(kernel), ...addresses, next);
  const timed = (times: number): number => {
    const start = cpuMs();
    for (let i = 0; i < times; i++) once();
    return (cpuMs() - start) / times;
  };
  const until = performance.now() + 50;
  while (performance.now() < until) once();
  const times = Math.max(1, Math.round(ROUND_MS / timed(Math.ceil(1e6 / (kernel.m * kernel.n * kernel.k)))));
  return { kernel, time: () => timed(times) };
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

if (!relaxedSimd()) throw new Error("this engine has no relaxed SIMD: there is no fused peak to compare with");
const relaxed = !process.argv.includes("--unfused");
const pattern = process.argv.slice(2).find((argument) => !argument.startsWith("--")) ?? "";
const peak = peakLoop();
const runners = PRODUCTS.map(kernelOf)
  .filter((kernel) => kernel.name.includes(pattern))
  .map((kernel) => runnerOf(kernel, relaxed));
// Timers must turn for the engine to take over what its optimising compiler made.
await new Promise((resolve) => setTimeout(resolve, 50));

const rounds = runners.map(() => ({ ms: [] as number[], share: [] as number[], peak: [] as number[] }));
for (let round = 0; round < ROUNDS; round++)
  runners.forEach(({ kernel, time }, i) => {
    const passes = 4_000_000;
    const start = cpuMs();
    peak.run(passes);
    const peakRate = (passes * peak.flops) / (cpuMs() - start);
    const ms = time();
    const flops = 2 * kernel.m * kernel.n * kernel.k * (bytesOf[kernel.type] / bytesOf.f32);
    rounds[i]!.ms.push(ms);
    rounds[i]!.peak.push(peakRate);
    rounds[i]!.share.push(flops / ms / peakRate);
  });

const gflops = (median(rounds.flatMap(({ peak: rate }) => rate)) / 1e6).toFixed(1);
console.log(`Peak of 128-bit fused multiply-add: ${gflops} GFLOPS (f32), half of it f64; node ${process.version}\n`);
console.log("| product | routine | µs | GFLOPS | share of peak |\n|---|---|---|---|---|");
runners.forEach(({ kernel }, i) => {
  const ms = median(rounds[i]!.ms);
  const rate = (2 * kernel.m * kernel.n * kernel.k) / ms / 1e6;
  const share = (100 * median(rounds[i]!.share)).toFixed(0);
  const { routine } = planDot(kernel);
  console.log(`| ${kernel.name} | ${routine} | ${(1000 * ms).toPrecision(3)} | ${rate.toFixed(1)} | ${share} % |`);
});
