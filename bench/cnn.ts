/** The row of the convolutional network: its data, and a training step in plain JavaScript, float64. */
import { data, everywhere, type Row, scaled } from "./problem.js";

export const CNN = { batch: 32, size: 28, channels: [1, 8, 16], classes: 10, rate: 0.1 } as const;
const { batch: B, classes: C } = CNN;
const FLAT = 7 * 7 * 16;

/** Kernels (height, width, in, out) and biases of both convolutions, then the matrix and bias of the last layer. */
export const cnnWeights = (): readonly (readonly [shape: number[], values: Float32Array<ArrayBuffer>])[] => [
  [[3, 3, 1, 8], scaled(72, 0.3, 31)],
  [[8], scaled(8, 0.1, 32)],
  [[3, 3, 8, 16], scaled(1152, 0.1, 33)],
  [[16], scaled(16, 0.1, 34)],
  [[FLAT, C], scaled(FLAT * C, 0.05, 35)],
  [[C], scaled(C, 0.1, 36)],
];
/** Images (example, row, column), one channel. */
export const cnnImages = (): Float32Array<ArrayBuffer> => data(B * 28 * 28, 37);
const labels = Array.from({ length: B }, (_, i) => (i * 7) % C);
/** Rows of one 1 each. */
export const cnnLabels = (): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: B * C }, (_, i) => (labels[Math.floor(i / C)] === i % C ? 1 : 0));

interface Layer {
  readonly size: number;
  readonly from: number;
  readonly to: number;
}

/** Calls back for each pair of an input and an output element that an element of the kernel (3×3, same padding) joins. */
function windows({ size, from, to }: Layer, visit: (input: number, weight: number, output: number) => void): void {
  for (let n = 0; n < B; n++)
    for (let y = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        for (let ky = Math.max(0, 1 - y); ky < Math.min(3, size + 1 - y); ky++)
          for (let kx = Math.max(0, 1 - x); kx < Math.min(3, size + 1 - x); kx++) {
            const input = ((n * size + y + ky - 1) * size + x + kx - 1) * from;
            const output = ((n * size + y) * size + x) * to;
            for (let i = 0; i < from; i++) visit(input + i, ((ky * 3 + kx) * from + i) * to, output);
          }
}

/** Convolved, rectified, and the largest of each 2×2: the results, and where each was. */
function layer(at: Layer, x: Float64Array, w: Float64Array, b: Float64Array) {
  const { size, to } = at;
  const z = Float64Array.from({ length: B * size * size * to }, (_, k) => b[k % to]!);
  windows(at, (input, weight, output) => {
    const v = x[input]!;
    for (let o = 0; o < to; o++) z[output + o]! += v * w[weight + o]!;
  });
  const half = size / 2;
  const places = Int32Array.from({ length: B * half * half * to }, (_, k) => {
    const o = k % to;
    const c = Math.floor(k / to) % half;
    const r = Math.floor(k / to / half);
    let best = (2 * r * size + 2 * c) * to + o;
    for (const k2 of [best + to, best + size * to, best + (size + 1) * to]) if (z[k2]! > z[best]!) best = k2;
    return best;
  });
  return { places, out: Float64Array.from(places, (p) => Math.max(0, z[p]!)) };
}

/** The gradients of a layer, given that of its result. */
function layerBack(
  at: Layer,
  x: Float64Array,
  w: Float64Array,
  { places, out }: ReturnType<typeof layer>,
  ct: Float64Array,
) {
  const { size, from, to } = at;
  const dz = new Float64Array(B * size * size * to);
  places.forEach((p, k) => {
    if (out[k]! > 0) dz[p] = ct[k]!;
  });
  const [dx, dw, db] = [new Float64Array(B * size * size * from), new Float64Array(w.length), new Float64Array(to)];
  dz.forEach((d, k) => (db[k % to]! += d));
  windows(at, (input, weight, output) => {
    let sum = 0;
    for (let o = 0; o < to; o++) {
      dw[weight + o]! += x[input]! * dz[output + o]!;
      sum += w[weight + o]! * dz[output + o]!;
    }
    dx[input]! += sum;
  });
  return { dx, dw, db };
}

/** The mean cross-entropy, then the weights after a step downhill. */
export function cnnStep(): Float64Array {
  const weights = cnnWeights().map(([, values]) => Float64Array.from(values));
  const [w1, b1, w2, b2, w3, b3] = weights as unknown as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array, Float64Array]; // prettier-ignore
  const [one, two]: readonly [Layer, Layer] = [
    { size: 28, from: 1, to: 8 },
    { size: 14, from: 8, to: 16 },
  ];
  const x = Float64Array.from(cnnImages());
  const h1 = layer(one, x, w1, b1);
  const h2 = layer(two, h1.out, w2, b2);
  const [dw3, db3, ct] = [new Float64Array(w3.length), new Float64Array(C), new Float64Array(B * FLAT)];
  let loss = 0;
  for (let n = 0; n < B; n++) {
    const logits = Float64Array.from(b3);
    for (let i = 0; i < FLAT; i++) for (let c = 0; c < C; c++) logits[c]! += h2.out[n * FLAT + i]! * w3[i * C + c]!;
    const most = Math.max(...logits);
    const total = logits.reduce((sum, z) => sum + Math.exp(z - most), 0);
    loss += (most + Math.log(total) - logits[labels[n]!]!) / B;
    logits.forEach((z, c) => {
      const d = (Math.exp(z - most) / total - (c === labels[n] ? 1 : 0)) / B;
      db3[c]! += d;
      for (let i = 0; i < FLAT; i++) {
        dw3[i * C + c]! += h2.out[n * FLAT + i]! * d;
        ct[n * FLAT + i]! += w3[i * C + c]! * d;
      }
    });
  }
  const back2 = layerBack(two, h1.out, w2, h2, ct);
  const back1 = layerBack(one, x, w1, h1, back2.dx);
  const grads = [back1.dw, back1.db, back2.dw, back2.db, dw3, db3];
  return Float64Array.from([loss, ...weights.flatMap((w, k) => Array.from(w, (v, i) => v - CNN.rate * grads[k]![i]!))]);
}

export const CNN_ROWS = {
  "convolutional network's training step, 28×28, batch 32": {
    kind: "warm",
    unit: "ms",
    expected: () => everywhere(cnnStep(), 1e-4, 1e-3),
  },
} as const satisfies Readonly<Record<string, Row>>;
