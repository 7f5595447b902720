/**
 * The rows of control flow: what is computed, and the same in plain JavaScript, float64, which is what must come out and a
 * column of its own.
 */
import { data, everywhere, type Expected, type Row, sampled, scaled } from "./problem.js";

export const STEPS = 100_000;
/** The matrix of the recurrence x ← A·x + b, row by row: turns and shrinks. */
export const MATRIX = new Float32Array([0.9999, -0.005, 0.005, 0.9999]);
export const OFFSET = new Float32Array([0.001, -0.002]);

export function recurrence(steps = STEPS): Float64Array {
  const [a, b, c, d] = MATRIX as unknown as readonly [number, number, number, number];
  const [e, f] = OFFSET as unknown as readonly [number, number];
  let [x, y] = [1, 0];
  for (let k = 0; k < steps; k++) [x, y] = [a * x + b * y + e, c * x + d * y + f];
  return Float64Array.of(x, y);
}

export const PENDULUM = { angle: 1, speed: 0, dt: 1e-3, gravity: 9.81 } as const;

/** The angle and its speed after so many steps of Runge and Kutta's method. */
export function pendulum(steps = STEPS): Float64Array {
  const { dt, gravity } = PENDULUM;
  let angle: number = PENDULUM.angle;
  let speed: number = PENDULUM.speed;
  for (let k = 0; k < steps; k++) {
    const a1 = -gravity * Math.sin(angle);
    const v2 = speed + (dt / 2) * a1;
    const a2 = -gravity * Math.sin(angle + (dt / 2) * speed);
    const v3 = speed + (dt / 2) * a2;
    const a3 = -gravity * Math.sin(angle + (dt / 2) * v2);
    const v4 = speed + dt * a3;
    const a4 = -gravity * Math.sin(angle + dt * v3);
    angle += (dt / 6) * (speed + 2 * v2 + 2 * v3 + v4);
    speed += (dt / 6) * (a1 + 2 * a2 + 2 * a3 + a4);
  }
  return Float64Array.of(angle, speed);
}

export const MANDELBROT = { size: 512, most: 100 } as const;
export const axis = (from: number, to: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: MANDELBROT.size }, (_, k) => from + ((to - from) * k) / (MANDELBROT.size - 1));

/** Rounds until each point leaves the circle of radius 2, in float32. */
export function mandelbrot(): Int32Array {
  const { size, most } = MANDELBROT;
  const [xs, ys] = [axis(-2, 1), axis(-1.5, 1.5)];
  const f = Math.fround;
  return Int32Array.from({ length: size * size }, (_, i) => {
    const [cx, cy] = [xs[i % size]!, ys[Math.floor(i / size)]!];
    let [n, x, y] = [0, 0, 0];
    while (n < most && f(f(x * x) + f(y * y)) <= 4) {
      [x, y] = [f(f(f(x * x) - f(y * y)) + cx), f(f(f(x * y) * 2) + cy)];
      n++;
    }
    return n;
  });
}

export const LSTM = { hidden: 64, inputs: 64, steps: 100 } as const;
export const lstmWeights = (): readonly (readonly [shape: number[], values: Float32Array<ArrayBuffer>])[] => {
  const { hidden, inputs } = LSTM;
  return [
    [[4 * hidden, inputs], scaled(4 * hidden * inputs, 0.1, 11)],
    [[4 * hidden, hidden], scaled(4 * hidden * hidden, 0.1, 12)],
    [[4 * hidden], scaled(4 * hidden, 0.1, 13)],
  ];
};
export const lstmInputs = (): Float32Array<ArrayBuffer> => data(LSTM.steps * LSTM.inputs, 14);
export const lstmTargets = (): Float32Array<ArrayBuffer> => data(LSTM.steps * LSTM.hidden, 15);

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** The mean squared error of the hidden states, then the gradients of both matrices and the bias. */
export function lstm(): Float64Array {
  const { hidden: H, inputs: I, steps: T } = LSTM;
  const [wx, wh, b] = lstmWeights().map(([, values]) => Float64Array.from(values)) as [Float64Array, Float64Array, Float64Array]; // prettier-ignore
  const [xs, targets] = [lstmInputs(), lstmTargets()];
  const gates = new Float64Array(T * 4 * H);
  const cells = new Float64Array((T + 1) * H);
  const hiddens = new Float64Array((T + 1) * H);
  let loss = 0;
  for (let t = 0; t < T; t++) {
    for (let j = 0; j < 4 * H; j++) {
      let z = b[j]!;
      for (let i = 0; i < I; i++) z += wx[j * I + i]! * xs[t * I + i]!;
      for (let i = 0; i < H; i++) z += wh[j * H + i]! * hiddens[t * H + i]!;
      gates[t * 4 * H + j] = j >= 2 * H && j < 3 * H ? Math.tanh(z) : sigmoid(z);
    }
    const g = gates.subarray(t * 4 * H, (t + 1) * 4 * H);
    for (let k = 0; k < H; k++) {
      const c = g[H + k]! * cells[t * H + k]! + g[k]! * g[2 * H + k]!;
      cells[(t + 1) * H + k] = c;
      const h = g[3 * H + k]! * Math.tanh(c);
      hiddens[(t + 1) * H + k] = h;
      loss += (h - targets[t * H + k]!) ** 2 / (T * H);
    }
  }
  const [dwx, dwh, db] = [new Float64Array(4 * H * I), new Float64Array(4 * H * H), new Float64Array(4 * H)];
  let dh = new Float64Array(H);
  const [dc, dz] = [new Float64Array(H), new Float64Array(4 * H)];
  for (let t = T - 1; t >= 0; t--) {
    const g = gates.subarray(t * 4 * H, (t + 1) * 4 * H);
    for (let k = 0; k < H; k++) {
      const tanhC = Math.tanh(cells[(t + 1) * H + k]!);
      const d = dh[k]! + (2 * (hiddens[(t + 1) * H + k]! - targets[t * H + k]!)) / (T * H);
      const [i, f, c, o] = [g[k]!, g[H + k]!, g[2 * H + k]!, g[3 * H + k]!];
      const into = dc[k]! + d * o * (1 - tanhC * tanhC);
      dz[k] = into * c * i * (1 - i);
      dz[H + k] = into * cells[t * H + k]! * f * (1 - f);
      dz[2 * H + k] = into * i * (1 - c * c);
      dz[3 * H + k] = d * tanhC * o * (1 - o);
      dc[k] = into * f;
    }
    dh = new Float64Array(H);
    for (let j = 0; j < 4 * H; j++) {
      db[j]! += dz[j]!;
      for (let i = 0; i < I; i++) dwx[j * I + i]! += dz[j]! * xs[t * I + i]!;
      for (let i = 0; i < H; i++) {
        dwh[j * H + i]! += dz[j]! * hiddens[t * H + i]!;
        dh[i]! += dz[j]! * wh[j * H + i]!;
      }
    }
  }
  return Float64Array.of(loss, ...dwx, ...dwh, ...db);
}

export const RNN = { symbols: 64, hidden: 128, batch: 32, steps: 50, rate: 0.1 } as const;
/** Embedding, recurrent matrix, bias, matrix and bias of the output. */
export const rnnWeights = (): readonly (readonly [shape: number[], values: Float32Array<ArrayBuffer>])[] => {
  const { symbols: V, hidden: H } = RNN;
  return [
    [[V, H], scaled(V * H, 0.1, 21)],
    [[H, H], scaled(H * H, 0.1, 22)],
    [[H], scaled(H, 0.1, 23)],
    [[H, V], scaled(H * V, 0.1, 24)],
    [[V], scaled(V, 0.1, 25)],
  ];
};
/** Symbols by step and example. */
export const rnnText = (seed: number): Int32Array<ArrayBuffer> =>
  Int32Array.from(data(RNN.steps * RNN.batch, seed), (x) => Math.floor(((x + 1) / 2) * RNN.symbols));

/** The mean cross-entropy, then the weights after a step downhill. */
export function rnnStep(): Float64Array {
  const { symbols: V, hidden: H, batch: B, steps: T, rate } = RNN;
  const weights = rnnWeights().map(([, values]) => Float64Array.from(values));
  const [emb, wh, b, wo, bo] = weights as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const grads = weights.map((w) => new Float64Array(w.length));
  const [dEmb, dWh, dB, dWo, dBo] = grads as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
  const [inputs, targets] = [rnnText(26), rnnText(27)];
  let loss = 0;
  for (let n = 0; n < B; n++) {
    const hs = new Float64Array((T + 1) * H);
    const dLogits = new Float64Array(T * V);
    for (let t = 0; t < T; t++) {
      const x = inputs[t * B + n]!;
      for (let j = 0; j < H; j++) {
        let z = emb[x * H + j]! + b[j]!;
        for (let i = 0; i < H; i++) z += hs[t * H + i]! * wh[i * H + j]!;
        hs[(t + 1) * H + j] = Math.tanh(z);
      }
      const row = dLogits.subarray(t * V, (t + 1) * V);
      row.set(bo);
      for (let i = 0; i < H; i++) for (let v = 0; v < V; v++) row[v]! += hs[(t + 1) * H + i]! * wo[i * V + v]!;
      const most = Math.max(...row);
      const total = row.reduce((sum, z) => sum + Math.exp(z - most), 0);
      const target = targets[t * B + n]!;
      loss += (most + Math.log(total) - row[target]!) / (T * B);
      row.forEach((z, v) => (row[v] = (Math.exp(z - most) / total - (v === target ? 1 : 0)) / (T * B)));
    }
    let dh = new Float64Array(H);
    for (let t = T - 1; t >= 0; t--) {
      for (let v = 0; v < V; v++) {
        const d = dLogits[t * V + v]!;
        dBo[v]! += d;
        for (let i = 0; i < H; i++) {
          dWo[i * V + v]! += hs[(t + 1) * H + i]! * d;
          dh[i]! += wo[i * V + v]! * d;
        }
      }
      const x = inputs[t * B + n]!;
      const before = new Float64Array(H);
      for (let j = 0; j < H; j++) {
        const d = dh[j]! * (1 - hs[(t + 1) * H + j]! ** 2);
        dEmb[x * H + j]! += d;
        dB[j]! += d;
        for (let i = 0; i < H; i++) {
          dWh[i * H + j]! += hs[t * H + i]! * d;
          before[i]! += wh[i * H + j]! * d;
        }
      }
      dh = before;
    }
  }
  return Float64Array.from([loss, ...weights.flatMap((w, k) => Array.from(w, (v, i) => v - rate * grads[k]![i]!))]);
}

/** The function of the rows of compile time: as the long one, of so many equations. */
export const EQUATIONS = [1000, 3000, 10_000] as const;
/** Equations between the means that are added. */
export const MEAN_EVERY = 100;
export const PROGRAM_LENGTH = 100;

/** The factor in it: another one for every function made, 0.5 first. */
export const programConstant = (variant: number): number => 0.5 + variant / 1024;

function longProgram(equations: number): Expected {
  const x = data(PROGRAM_LENGTH);
  let y = Float64Array.from(x);
  for (let k = 0; k < equations; k += 4) {
    y = y.map((v, i) => Math.sin(Math.tanh((v + x[i]!) * programConstant(0))));
    if (k % MEAN_EVERY !== 0) continue;
    const mean = y.reduce((sum, v) => sum + v, 0) / y.length;
    y = y.map((v) => v + mean);
  }
  return everywhere(y, 1e-3, 1e-2);
}

/** Of the program of loops and branches: rounds of each loop, and equations of a block, of which most stand in loops. */
export const BLOCK = { rounds: 3, inner: 2, equations: 16 } as const;
export const blocks = (equations: number): number => Math.round(equations / BLOCK.equations);
export const BLOCK_START = 0.3;

/** Block k: a branch in a loop in a loop. */
function block(v: number, k: number): number {
  const shift = 0.01 * (k % 5);
  let y = v;
  for (let i = 0; i < BLOCK.rounds; i++) {
    for (let j = 0; j < BLOCK.inner; j++) y = y > 0.5 ? Math.sin(y + shift) : Math.tanh(y * 1.1 + shift);
    y = y * 0.9 + Math.cos(y) * 0.2;
  }
  return y;
}

/** The value of all blocks, one after another, and its derivative. */
function loopProgram(equations: number): Expected {
  let [v, d] = [BLOCK_START, 1];
  for (let k = 0; k < blocks(equations); k++) {
    d *= (block(v + 1e-6, k) - block(v - 1e-6, k)) / 2e-6;
    v = block(v, k);
  }
  return everywhere([v, d], 1e-3, 1e-2);
}

const first = (length: number): Row => ({
  kind: "first",
  unit: "ms",
  expected: () => recurrenceExpected(length),
});
const compile = (equations: number): Row => ({ kind: "warm", unit: "ms", once: true, expected: () => longProgram(equations) }); // prettier-ignore
const compileLoops = (equations: number): Row => ({ kind: "warm", unit: "ms", once: true, expected: () => loopProgram(equations) }); // prettier-ignore

const recurrenceExpected = (steps: number): Expected => everywhere(recurrence(steps), 1e-3, 1e-2);
const pendulumExpected = (steps: number): Expected => everywhere(pendulum(steps), 1e-2, 1e-2);

/** The part of the long loops that libraries do which do every operation of them apart. */
export const PARTS = {
  recurrence: { share: 1 / 100, expected: () => recurrenceExpected(STEPS / 100) },
  pendulum: { share: 1 / 1000, expected: () => pendulumExpected(STEPS / 1000) },
} as const;

export const LOOP_ROWS = {
  "scan, 10⁵ steps of a 2×2 recurrence": {
    kind: "warm",
    unit: "ms",
    expected: () => recurrenceExpected(STEPS),
  },
  "RK4 of a pendulum, 10⁵ steps": { kind: "warm", unit: "ms", expected: () => pendulumExpected(STEPS) },
  "Mandelbrot 512×512, vmapped while loop": {
    kind: "warm",
    unit: "ms",
    expected() {
      const counts = mandelbrot();
      return sampled(1000, counts.length, (i) => counts[i]!, 0, 0);
    },
  },
  "LSTM 64, 100 steps, with gradient": { kind: "warm", unit: "ms", expected: () => everywhere(lstm(), 1e-5, 1e-3) },
  "char-RNN training step": { kind: "warm", unit: "ms", expected: () => everywhere(rnnStep(), 1e-5, 1e-3) },
  "first call of a scan, length 10": first(10),
  "first call of a scan, length 1,000": first(1000),
  "first call of a scan, length 100,000": first(100_000),
  "trace and compile, 1,000 equations": compile(1000),
  "trace and compile, 3,000 equations": compile(3000),
  "trace and compile, 10,000 equations": compile(10_000),
  "trace and compile scans and conds, 1,000 equations": compileLoops(1000),
  "trace and compile scans and conds, 3,000 equations": compileLoops(3000),
  "trace and compile scans and conds, 10,000 equations": compileLoops(10_000),
} as const satisfies Readonly<Record<string, Row>>;

export type LoopRowName = keyof typeof LOOP_ROWS;
