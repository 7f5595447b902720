import { CNN_ROWS } from "./cnn.js";
import { LOOP_ROWS } from "./loops.js";
import { data, everywhere, type Expected, type Prepared, type Row, sampled, scaled } from "./problem.js";

export { complaint, data, type Expected, type Prepared, type Row, scaled } from "./problem.js";

/** The rows of the benchmark: what is computed, from which data, and what must come out. */

export const BATCH = 128;
export const PIXELS = 784;
export const HIDDEN = 128;
export const CLASSES = 10;
export const RATE = 0.5;

/** The class of each example. */
const labels = Array.from({ length: BATCH }, (_, i) => (i * 7) % CLASSES);

/** The classes as rows of one 1 each, `[BATCH, CLASSES]`. */
export function oneHotLabels(): Float32Array<ArrayBuffer> {
  const rows = new Float32Array(BATCH * CLASSES);
  labels.forEach((label, i) => (rows[i * CLASSES + label] = 1));
  return rows;
}

export const images = (): Float32Array<ArrayBuffer> => data(BATCH * PIXELS);
export const softmaxWeights = (): Float32Array<ArrayBuffer> => scaled(PIXELS * CLASSES, 0.1, 2);
/** Weights and biases of the two layers. */
export const mlpWeights = (): readonly (readonly [shape: number[], values: Float32Array<ArrayBuffer>])[] => [
  [[PIXELS, HIDDEN], scaled(PIXELS * HIDDEN, 0.05, 3)],
  [[HIDDEN], scaled(HIDDEN, 0.05, 4)],
  [[HIDDEN, CLASSES], scaled(HIDDEN * CLASSES, 0.1, 5)],
  [[CLASSES], scaled(CLASSES, 0.05, 6)],
];

export const CHAIN = 1 << 22;
export const SOFTMAX: [number, number] = [4096, 1000];
export const EAGER = 1000;
/** New shapes of one run of the eager chain. */
export const SHAPES = 200;
/** The k-th shape; no two are the same. */
export const newShape = (k: number): [number, number] => [2 + (k % 40), 20 + Math.floor(k / 40)];
/**
 * Vector length and elementwise operations of the long function, four a turn: sin(tanh((y + x)·c)); every `meanEvery`
 * operations the mean of y is added to it, so that not all of it is one expression (which jax-js cannot compile).
 */
export const LONG = { length: 100, operations: 2000, meanEvery: 100 } as const;
/** Elements of a result of the long loop, 100 KB, and results that make 20 GB. */
export const LOOP = { length: 25_000, steps: 200_000 } as const;

function product(n: number): Row {
  return {
    kind: "warm",
    unit: "ms",
    expected() {
      const [a, b] = [data(n * n), data(n * n, 2)];
      const element = (i: number): number => {
        let sum = 0;
        for (let k = 0; k < n; k++) sum += a[Math.floor(i / n) * n + k]! * b[k * n + (i % n)]!;
        return sum;
      };
      return sampled(100, n * n, element, 1e-3);
    },
  };
}

/** `[rows, inner] · [inner, cols]`, with either operand transposed, in float64. */
function matmul(
  [rows, inner, cols]: readonly [number, number, number],
  a: (i: number, k: number) => number,
  b: (k: number, j: number) => number,
): Float64Array {
  const out = new Float64Array(rows * cols);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++) {
      const x = a(i, k);
      for (let j = 0; j < cols; j++) out[i * cols + j]! += x * b(k, j);
    }
  return out;
}

/** Mean cross-entropy of logits, and its gradient. */
function crossEntropy(logits: Float64Array): { readonly loss: number; readonly gradient: Float64Array } {
  const gradient = new Float64Array(logits.length);
  let loss = 0;
  labels.forEach((label, i) => {
    const row = logits.subarray(i * CLASSES, (i + 1) * CLASSES);
    const max = Math.max(...row);
    const total = row.reduce((sum, z) => sum + Math.exp(z - max), 0);
    loss += (max + Math.log(total) - row[label]!) / BATCH;
    row.forEach((z, j) => (gradient[i * CLASSES + j] = (Math.exp(z - max) / total - (j === label ? 1 : 0)) / BATCH));
  });
  return { loss, gradient };
}

function softmaxStep(): Expected {
  const [x, w] = [images(), softmaxWeights()];
  const logits = matmul([BATCH, PIXELS, CLASSES], (i, k) => x[i * PIXELS + k]!, (k, j) => w[k * CLASSES + j]!); // prettier-ignore
  const { gradient } = crossEntropy(logits);
  const dw = matmul([PIXELS, BATCH, CLASSES], (i, k) => x[k * PIXELS + i]!, (k, j) => gradient[k * CLASSES + j]!); // prettier-ignore
  return everywhere(dw.map((g, i) => w[i]! - RATE * g));
}

/** The loss, then the new weights and biases of both layers. */
function mlpStep(): Expected {
  const x = images();
  const [w1, b1, w2, b2] = mlpWeights().map(([, values]) => values) as [Float32Array, Float32Array, Float32Array, Float32Array]; // prettier-ignore
  const before = matmul([BATCH, PIXELS, HIDDEN], (i, k) => x[i * PIXELS + k]!, (k, j) => w1[k * HIDDEN + j]!); // prettier-ignore
  before.forEach((_, i) => (before[i]! += b1[i % HIDDEN]!));
  const hidden = before.map((z) => Math.max(z, 0));
  const logits = matmul([BATCH, HIDDEN, CLASSES], (i, k) => hidden[i * HIDDEN + k]!, (k, j) => w2[k * CLASSES + j]!); // prettier-ignore
  logits.forEach((_, i) => (logits[i]! += b2[i % CLASSES]!));
  const { loss, gradient } = crossEntropy(logits);
  const dw2 = matmul([HIDDEN, BATCH, CLASSES], (i, k) => hidden[k * HIDDEN + i]!, (k, j) => gradient[k * CLASSES + j]!); // prettier-ignore
  const dhidden = matmul([BATCH, CLASSES, HIDDEN], (i, k) => gradient[i * CLASSES + k]!, (k, j) => w2[j * CLASSES + k]!); // prettier-ignore
  const dbefore = dhidden.map((g, i) => (before[i]! > 0 ? g : 0));
  const dw1 = matmul(
    [PIXELS, BATCH, HIDDEN],
    (i, k) => x[k * PIXELS + i]!,
    (k, j) => dbefore[k * HIDDEN + j]!,
  );
  const columns = (m: Float64Array, n: number): Float64Array => {
    const sums = new Float64Array(n);
    m.forEach((g, i) => (sums[i % n]! += g));
    return sums;
  };
  const updated = (w: Float32Array, g: Float64Array): number[] => Array.from(w, (v, i) => v - RATE * g[i]!);
  return everywhere([
    loss,
    ...updated(w1, dw1),
    ...updated(b1, columns(dbefore, HIDDEN)),
    ...updated(w2, dw2),
    ...updated(b2, columns(gradient, CLASSES)),
  ]);
}

/** The c of the long function: another one for every function made. */
export const longConstant = (variant: number): number => 0.5 + variant / 1024;

function longProgram(): Expected {
  const x = data(LONG.length);
  const c = longConstant(0);
  let y = Float64Array.from(x);
  for (let k = 0; k < LONG.operations; k += 4) {
    y = y.map((v, i) => Math.sin(Math.tanh((v + x[i]!) * c)));
    if (k % LONG.meanEvery !== 0) continue;
    const mean = y.reduce((sum, v) => sum + v, 0) / y.length;
    y = y.map((v) => v + mean);
  }
  return everywhere(y, 1e-4, 1e-3);
}

/** Elements of row `i` of the softmax. */
function softmaxElement(x: Float32Array, i: number): number {
  const cols = SOFTMAX[1];
  const row = x.subarray(Math.floor(i / cols) * cols, Math.floor(i / cols) * cols + cols);
  const total = row.reduce((sum, z) => sum + Math.exp(z), 0);
  return Math.exp(x[i]!) / total;
}

export const ROWS = {
  "softmax-regression step, 128×784×10": { kind: "warm", unit: "ms", expected: softmaxStep },
  "MLP step, 784-128-10, batch 128": { kind: "warm", unit: "ms", expected: mlpStep },
  "matmul 128": product(128),
  "matmul 256": product(256),
  "matmul 512": product(512),
  "matmul 1024": product(1024),
  "tanh/exp chain, 4M": {
    kind: "warm",
    unit: "ms",
    expected() {
      const x = data(CHAIN);
      return sampled(1000, CHAIN, (i) => Math.tanh(x[i]!) * 2 + Math.exp(-x[i]!));
    },
  },
  "sum, 4M": {
    kind: "warm",
    unit: "ms",
    expected: () => everywhere([data(CHAIN).reduce((sum, x) => sum + x, 0)], 1, 0),
  },
  "softmax, 4096×1000": {
    kind: "warm",
    unit: "ms",
    expected() {
      const x = data(SOFTMAX[0] * SOFTMAX[1]);
      return sampled(1000, x.length, (i) => softmaxElement(x, i), 1e-8);
    },
  },
  "warm jitted call, scalar": { kind: "warm", unit: "µs", expected: () => everywhere([4]) },
  "eager add, 1000": {
    kind: "warm",
    unit: "µs",
    expected() {
      const [a, b] = [data(EAGER), data(EAGER, 2)];
      return everywhere(a.map((x, i) => x + b[i]!));
    },
  },
  "eager chain over 200 new shapes": {
    kind: "warm",
    unit: "ms",
    once: true,
    expected() {
      const sums = Array.from({ length: SHAPES }, (_, k) => {
        const [rows, cols] = newShape(k);
        return data(rows * cols).reduce((sum, x) => sum + Math.tanh((x + x) * x), 0);
      });
      return everywhere(sums, 1e-2, 1e-3);
    },
  },
  "first call of the MLP step": { kind: "first", unit: "ms", expected: mlpStep },
  "2000-operation function, trace and compile": { kind: "warm", unit: "ms", once: true, expected: longProgram },
  "loop allocating 20 GB, peak memory": {
    kind: "memory",
    unit: "bytes",
    expected: () => everywhere(new Float32Array(LOOP.length).fill(LOOP.steps)),
  },
  ...LOOP_ROWS,
  ...CNN_ROWS,
} as const satisfies Readonly<Record<string, Row>>;

export type RowName = keyof typeof ROWS;

/** A library under test. A row that it cannot do is left out. */
export interface Library {
  readonly rows: Readonly<Partial<Record<RowName, () => Prepared>>>;
}
