import { jit, lax, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { CNN, cnnImages, cnnLabels, cnnWeights } from "../cnn.js";
import * as problem from "../loops.js";
import { data, type Prepared } from "../problem.js";
import type { Library } from "../rows.js";

type Array = np.Array;
type Weight = readonly [shape: number[], values: Float32Array<ArrayBuffer>];
type Run = (f: () => Array | Array[]) => Prepared;

// It has no control flow: loops are JavaScript's own, around jitted steps, or written out where a gradient goes through them.

const arrays = (list: readonly Weight[]): Array[] => list.map(([shape, values]) => np.array(values, { shape }));
const refs = (list: readonly Array[]): Array[] => list.map((x) => x.ref);

type State = [angle: Array, speed: Array];

function rk4([angle, speed]: State): State {
  const { dt, gravity } = problem.PENDULUM;
  const slope = (y: State): State => [y[1], np.sin(y[0]).mul(-gravity)];
  const along = (y: State, d: State, h: number): State => [y[0].add(d[0].mul(h)), y[1].add(d[1].mul(h))];
  const both = (y: State): State => [y[0].ref, y[1].ref];
  const y: State = [angle, speed];
  const k1 = slope(both(y));
  const k2 = slope(along(both(y), both(k1), dt / 2));
  const k3 = slope(along(both(y), both(k2), dt / 2));
  const k4 = slope(along(both(y), both(k3), dt));
  const mean = ([0, 1] as const).map((i) => k1[i].add(k2[i].mul(2)).add(k3[i].mul(2)).add(k4[i]));
  return along(y, mean as State, dt / 6);
}

const downhill = (weights: Array[], gradients: Array[], rate: number): Array[] =>
  weights.map((w, i) => w.sub(gradients[i]!.mul(rate)));

function lstmLoss(weights: Array[], xs: Array[], targets: Array): Array {
  const [wx, wh, b] = weights as [Array, Array, Array];
  let [h, c] = [np.zeros([problem.LSTM.hidden]), np.zeros([problem.LSTM.hidden])];
  const hs: Array[] = [];
  for (const x of xs) {
    const z = np.matmul(wx.ref, x).add(np.matmul(wh.ref, h)).add(b.ref);
    const [i, f, g, o] = np.split(z, 4) as [Array, Array, Array, Array];
    c = nn
      .sigmoid(f)
      .mul(c)
      .add(nn.sigmoid(i).mul(np.tanh(g)));
    h = nn.sigmoid(o).mul(np.tanh(c.ref));
    hs.push(h.ref);
  }
  for (const x of [wx, wh, b, h, c]) x.dispose();
  return np.mean(np.square(np.stack(hs).sub(targets)));
}

function rnnLoss(weights: Array[], texts: Array[], targets: Array): Array {
  const [emb, wh, b, wo, bo] = weights as [Array, Array, Array, Array, Array];
  let h = np.zeros([problem.RNN.batch, problem.RNN.hidden]);
  const found: Array[] = [];
  for (const x of texts) {
    // rows of one 1 each: there is no gradient through its take
    h = np.tanh(np.matmul(nn.oneHot(x, problem.RNN.symbols), emb.ref).add(np.matmul(h, wh.ref)).add(b.ref));
    found.push(np.matmul(h.ref, wo.ref).add(bo.ref));
  }
  for (const x of [emb, wh, b, wo, bo, h]) x.dispose();
  return np.mean(np.sum(targets.mul(nn.logSoftmax(np.stack(found), -1)), -1)).neg();
}

function cnnLoss(weights: Array[], images: Array, labels: Array): Array {
  const [w1, b1, w2, b2, w3, b3] = weights as [Array, Array, Array, Array, Array, Array];
  const layer = (x: Array, w: Array, b: Array): Array => {
    const z = nn.relu(lax.convGeneralDilated(x, w, [1, 1], "SAME").add(np.reshape(b, [-1, 1, 1])));
    const [n, channels, size] = z.shape as [number, number, number];
    return np.max(np.reshape(z, [n, channels, size / 2, 2, size / 2, 2]), [3, 5]);
  };
  const last = np.reshape(layer(layer(images, w1, b1), w2, b2), [CNN.batch, -1]);
  const logits = np.matmul(last, w3).add(b3);
  return np.mean(np.sum(labels.mul(nn.logSoftmax(logits, -1)), -1)).neg();
}

/** Kernels and the rows of the last matrix in the order of this library, channels first. */
function channelsFirst(list: readonly Weight[]): Array[] {
  const [w1, b1, w2, b2, w3, b3] = arrays(list) as [Array, Array, Array, Array, Array, Array];
  const rows = np.transpose(np.reshape(w3, [7, 7, 16, CNN.classes]), [2, 0, 1, 3]);
  const kernel = (w: Array): Array => np.transpose(w, [3, 2, 0, 1]);
  return [kernel(w1), b1, kernel(w2), b2, np.reshape(rows, [-1, CNN.classes]), b3];
}
function channelsLast([loss, w1, b1, w2, b2, w3, b3]: Array[]): Array[] {
  const rows = np.transpose(np.reshape(w3!, [16, 7, 7, CNN.classes]), [1, 2, 0, 3]);
  const kernel = (w: Array): Array => np.transpose(w, [2, 3, 1, 0]);
  return [loss!, kernel(w1!), b1!, kernel(w2!), b2!, rows, b3!];
}

/** The rows of control flow for jax-js. */
export function loopRows(prepared: Run): Library["rows"] {
  const compile = (equations: number) => (): Prepared => {
    const x = np.array(data(problem.PROGRAM_LENGTH));
    let variant = 0;
    return prepared(() => {
      const c = problem.programConstant(variant++);
      const f = jit((v: Array) => {
        let y = v.ref;
        for (let k = 0; k < equations; k += 4) {
          y = np.sin(np.tanh(y.add(v.ref).mul(c)));
          if (k % problem.MEAN_EVERY === 0) y = y.ref.add(np.mean(y));
        }
        v.dispose();
        return y;
      });
      return f(x.ref);
    });
  };
  return {
    "scan, 10⁵ steps of a 2×2 recurrence": () => {
      const [a, b, x0] = arrays([
        [[2, 2], problem.MATRIX],
        [[2], problem.OFFSET],
        [[2], new Float32Array([1, 0])],
      ]) as [Array, Array, Array];
      const step = jit((m: Array, x: Array, c: Array) => np.matmul(m, x).add(c));
      const steps = (count: number): Array => {
        let x = x0.ref;
        for (let k = 0; k < count; k++) x = step(a.ref, x, b.ref);
        return x;
      };
      return {
        ...prepared(() => steps(problem.STEPS * problem.PARTS.recurrence.share)),
        part: problem.PARTS.recurrence,
      };
    },
    "RK4 of a pendulum, 10⁵ steps": () => {
      const step = jit(rk4);
      const steps = (count: number): State => {
        let y: State = [np.array(problem.PENDULUM.angle), np.array(problem.PENDULUM.speed)];
        for (let k = 0; k < count; k++) y = step(y);
        return y;
      };
      return { ...prepared(() => steps(problem.STEPS * problem.PARTS.pendulum.share)), part: problem.PARTS.pendulum };
    },
    "Mandelbrot 512×512, vmapped while loop": () => {
      const { size, most } = problem.MANDELBROT;
      const cx = np.array(problem.axis(-2, 1), { shape: [1, size] });
      const cy = np.array(problem.axis(-1.5, 1.5), { shape: [size, 1] });
      const step = jit((n: Array, x: Array, y: Array, a: Array, b: Array): [Array, Array, Array] => {
        const [xx, yy] = [x.ref.mul(x.ref), y.ref.mul(y.ref)];
        const inside = xx.ref.add(yy.ref).lessEqual(4);
        const [u, v] = [xx.sub(yy).add(a), x.ref.mul(y.ref).mul(2).add(b)];
        return [n.add(inside.ref.astype(np.int32)), np.where(inside.ref, u, x), np.where(inside, v, y)];
      });
      return prepared(() => {
        let n = np.zeros([size, size], { dtype: np.int32 });
        let [x, y] = [np.zeros([size, size]), np.zeros([size, size])];
        for (let k = 0; k < most; k++) [n, x, y] = step(n, x, y, cx.ref, cy.ref);
        x.dispose();
        y.dispose();
        return n;
      });
    },
    "LSTM 64, 100 steps, with gradient": () => {
      const { hidden, inputs, steps } = problem.LSTM;
      const weights = arrays(problem.lstmWeights());
      const all = problem.lstmInputs();
      const xs = globalThis.Array.from({ length: steps }, (_, t) => np.array(all.slice(t * inputs, (t + 1) * inputs)));
      const targets = np.array(problem.lstmTargets(), { shape: [steps, hidden] });
      const f = jit((w: Array[], x: Array[], y: Array) => {
        const [value, gradients] = valueAndGrad(lstmLoss)(w, x, y);
        return [value, ...gradients];
      });
      return prepared(() => f(refs(weights), refs(xs), targets.ref));
    },
    "char-RNN training step": () => {
      const { batch, steps, symbols, rate } = problem.RNN;
      const weights = arrays(problem.rnnWeights());
      const text = problem.rnnText(26);
      const texts = globalThis.Array.from({ length: steps }, (_, t) =>
        np.array(text.slice(t * batch, (t + 1) * batch)),
      );
      const targets = nn.oneHot(np.array(problem.rnnText(27), { shape: [steps, batch] }), symbols);
      const step = jit((w: Array[], x: Array[], y: Array) => {
        const [value, gradients] = valueAndGrad(rnnLoss)(refs(w), x, y);
        return [value, ...downhill(w, gradients, rate)];
      });
      return prepared(() => step(refs(weights), refs(texts), targets.ref));
    },
    "convolutional network's training step, 28×28, batch 32": () => {
      const weights = channelsFirst(cnnWeights());
      const images = np.array(cnnImages(), { shape: [CNN.batch, 1, CNN.size, CNN.size] });
      const labels = np.array(cnnLabels(), { shape: [CNN.batch, CNN.classes] });
      const step = jit((w: Array[], x: Array, y: Array) => {
        const [value, gradients] = valueAndGrad(cnnLoss)(refs(w), x, y);
        return [value, ...downhill(w, gradients, CNN.rate)];
      });
      const run = (): Array[] => step(refs(weights), images.ref, labels.ref);
      return { run: () => prepared(run).run(), result: () => prepared(() => channelsLast(run())).result() };
    },
    "trace and compile, 1,000 equations": compile(problem.EQUATIONS[0]),
    "trace and compile, 3,000 equations": compile(problem.EQUATIONS[1]),
    "trace and compile, 10,000 equations": compile(problem.EQUATIONS[2]),
  };
}
