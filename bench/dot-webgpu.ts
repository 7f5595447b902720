import { parseArgs } from "node:util";
import { defaultLimits } from "../src/backends/webgpu/dispatch.js";
import { lowerDot } from "../src/backends/webgpu/dot/dot.js";
import type { DotKernel } from "../src/kernel-ir/kernel.js";

/**
 * What the products of the WebGPU backend could reach on a GPU that is told by three numbers, from what their shaders count;
 * nothing is run. The roofline of a product is what multiply-adds and the compulsory bytes allow (each operand read once, the
 * result written once); the share is what is left of it when every load of the shader comes from the shared cache.
 *
 *   npm run bench -- --dot-webgpu [--tflops 12] [--bandwidth 400] [--cache 1200] [PATTERN]
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "dot-webgpu": { type: "boolean" },
    tflops: { type: "string", default: "12" },
    bandwidth: { type: "string", default: "400" },
    cache: { type: "string", default: "1200" },
  },
});
const peak = Number(values.tflops) * 1e12;
const bandwidth = Number(values.bandwidth) * 1e9;
const cache = Number(values.cache) * 1e9;

interface Product {
  readonly batch?: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The operand is the transpose of a matrix in row order. */
  readonly lhsT?: boolean;
  readonly rhsT?: boolean;
}

const PRODUCTS: readonly Product[] = [
  ...[128, 256, 512, 1024, 2048, 4096].map((size) => ({ m: size, n: size, k: size })),
  { m: 1024, n: 1024, k: 1024, lhsT: true },
  { m: 1024, n: 1024, k: 1024, rhsT: true },
  { m: 128, n: 128, k: 784 },
  { m: 784, n: 128, k: 128, lhsT: true },
  { m: 128, n: 784, k: 128, rhsT: true },
  { m: 128, n: 10, k: 784 },
  { m: 784, n: 10, k: 128, lhsT: true },
  { m: 128, n: 784, k: 10, rhsT: true },
  { m: 60000, n: 10, k: 784 },
  { m: 784, n: 10, k: 60000, lhsT: true },
  { m: 64, n: 64, k: 65536 },
  { m: 4096, n: 1, k: 4096 },
  { m: 1, n: 4096, k: 4096 },
  { batch: 12, m: 512, n: 512, k: 64, rhsT: true },
  { batch: 1000, m: 8, n: 8, k: 8 },
];

function kernelOf({ batch = 1, m, n, k, lhsT, rhsT }: Product): DotKernel {
  const matrix = (rows: number, cols: number, transposed = false): DotKernel["lhs"] => ({
    offset: 0,
    batch: batch === 1 ? [] : [rows * cols],
    row: transposed ? 1 : cols,
    col: transposed ? rows : 1,
  });
  const buffer = (length: number, access: "read" | "write"): DotKernel["buffers"][number] => ({
    type: "f32",
    access,
    length: batch * length,
  });
  return {
    kind: "dot",
    name: `${batch === 1 ? "" : `${batch} of `}${m}×${k}${lhsT ? "ᵀ" : ""} · ${k}×${n}${rhsT ? "ᵀ" : ""}`,
    type: "f32",
    buffers: [buffer(m * k, "read"), buffer(k * n, "read"), buffer(m * n, "write")],
    batch: batch === 1 ? [] : [batch],
    m,
    n,
    k,
    lhs: matrix(m, k, lhsT),
    rhs: matrix(k, n, rhsT),
    out: matrix(m, n),
  };
}

const rate = (flopsPerSecond: number): string => `${(flopsPerSecond / 1e12).toPrecision(3)}`;

console.log(
  `A GPU of ${values.tflops} TFLOPS, ${values.bandwidth} GB/s of memory, ${values.cache} GB/s of shared cache\n`,
);
console.log("| product | plan | workgroups | flops a load | loads ÷ operands | roofline, TFLOPS | share |");
console.log("|---|---|---|---|---|---|---|");
for (const product of PRODUCTS) {
  const kernel = kernelOf(product);
  if (!kernel.name.includes(positionals[0] ?? "")) continue;
  const { dispatches } = lowerDot(kernel, { limits: defaultLimits, sameAs: [0, 1, 2] });
  const total = (of: (cost: (typeof dispatches)[number]["cost"]) => number): number =>
    dispatches.reduce((sum, { cost }) => sum + of(cost), 0);
  const { batch = 1, m, n, k } = product;
  const flops = 2 * batch * m * n * k;
  const operands = 4 * batch * (m * k + k * n);
  const compulsory = operands + 4 * batch * m * n;
  const loads = total(({ loadBytes }) => loadBytes);
  const best = Math.max(flops / peak, compulsory / bandwidth);
  const reached = Math.max(best, (loads + total(({ storeBytes }) => storeBytes)) / cache);
  const cells = [
    kernel.name,
    dispatches[0]!.label.slice(kernel.name.length + 2),
    dispatches.map(({ workgroups }) => workgroups.reduce((a, b) => a * b, 1)).join(" + "),
    (flops / (loads / 4)).toPrecision(3),
    (loads / operands).toPrecision(3),
    rate(flops / best),
    `${((100 * best) / reached).toFixed(0)} %`,
  ];
  console.log(`| ${cells.join(" | ")} |`);
}
