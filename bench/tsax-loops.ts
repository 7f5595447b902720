import type * as Tsax from "tsax";
import type { NDArray } from "tsax";
import { CNN, cnnImages, cnnLabels, cnnWeights } from "./cnn.js";
import * as problem from "./loops.js";
import { data, type Prepared } from "./problem.js";
import type { Library } from "./rows.js";

type Run = (f: () => NDArray | readonly NDArray[]) => Prepared;
type Weight = readonly [shape: number[], values: Float32Array];

/** The rows of control flow for tsax, and for tsax operation by operation. */
export function loopRows(
  { jit, lax, nn, numpy: np, valueAndGrad, vmap }: typeof Tsax,
  prepared: Run,
): {
  readonly jitted: Library["rows"];
  readonly eager: Library["rows"];
} {
  const arrays = (list: readonly Weight[]): NDArray[] => list.map(([shape, values]) => np.array(values, { shape }));
  const matrix = np.array(problem.MATRIX, { shape: [2, 2] });
  const offset = np.array(problem.OFFSET);
  const start = np.array([1, 0]);
  const turn = (a: NDArray, x: NDArray, b: NDArray): NDArray => np.matmul(a, x).add(b);
  const recurrence = (length: number) => (): Prepared => {
    const f = jit(
      (a: NDArray, x: NDArray, b: NDArray) => lax.scan((y) => [turn(a, y, b), null], x, null, { length })[0],
    );
    return prepared(() => f(matrix, start, offset));
  };

  type State = readonly [angle: NDArray, speed: NDArray];
  const rk4 = (y: State): State => {
    const { dt, gravity } = problem.PENDULUM;
    const slope = ([angle, speed]: State): State => [speed, np.sin(angle).mul(-gravity)];
    const along = ([a, b]: State, [da, db]: State, h: number): State => [a.add(da.mul(h)), b.add(db.mul(h))];
    const k1 = slope(y);
    const k2 = slope(along(y, k1, dt / 2));
    const k3 = slope(along(y, k2, dt / 2));
    const k4 = slope(along(y, k3, dt));
    const mean = ([0, 1] as const).map((i) => k1[i].add(k2[i].mul(2)).add(k3[i].mul(2)).add(k4[i]));
    return along(y, mean as unknown as State, dt / 6);
  };
  const initial = (): State => [np.array(problem.PENDULUM.angle), np.array(problem.PENDULUM.speed)];

  const escapes = (cx: NDArray, cy: NDArray): NDArray =>
    lax.whileLoop(
      ([n, x, y]) => np.logicalAnd(n!.less(problem.MANDELBROT.most), x!.mul(x!).add(y!.mul(y!)).lessEqual(4)),
      ([n, x, y]) => [n!.add(1), x!.mul(x!).sub(y!.mul(y!)).add(cx), x!.mul(y!).mul(2).add(cy)],
      [np.array(0, { dtype: "int32" }), np.array(0), np.array(0)],
    )[0]!;

  const lstmLoss = (weights: readonly NDArray[], xs: NDArray, targets: NDArray): NDArray => {
    const [wx, wh, b] = weights as [NDArray, NDArray, NDArray];
    const zeros = np.zeros([problem.LSTM.hidden]);
    const [, hs] = lax.scan(
      ([h, c], x) => {
        const [i, f, g, o] = np.split(np.matmul(wx, x).add(np.matmul(wh, h!)).add(b), 4) as [NDArray, NDArray, NDArray, NDArray]; // prettier-ignore
        const cell = nn
          .sigmoid(f)
          .mul(c!)
          .add(nn.sigmoid(i).mul(np.tanh(g)));
        const hidden = nn.sigmoid(o).mul(np.tanh(cell));
        return [[hidden, cell], hidden];
      },
      [zeros, zeros],
      xs,
    );
    return np.mean(np.square(hs.sub(targets)));
  };

  const downhill = (weights: readonly NDArray[], gradients: readonly NDArray[], rate: NDArray): NDArray[] =>
    weights.map((w, i) => w.sub(gradients[i]!.mul(rate)));

  const rnnLoss = (weights: readonly NDArray[], text: NDArray, targets: NDArray): NDArray => {
    const [emb, wh, b, wo, bo] = weights as [NDArray, NDArray, NDArray, NDArray, NDArray];
    const [, logits] = lax.scan(
      (h, x) => {
        const next = np.tanh(np.take(emb, x, 0).add(np.matmul(h, wh)).add(b));
        return [next, np.matmul(next, wo).add(bo)];
      },
      np.zeros([problem.RNN.batch, problem.RNN.hidden]),
      text,
    );
    const found = np.takeAlongAxis(nn.logSoftmax(logits, -1), np.expandDims(targets, -1), -1);
    return np.mean(found).neg();
  };

  const cnnLoss = (weights: readonly NDArray[], images: NDArray, labels: NDArray): NDArray => {
    const [w1, b1, w2, b2, w3, b3] = weights as [NDArray, NDArray, NDArray, NDArray, NDArray, NDArray];
    const layer = (x: NDArray, w: NDArray, b: NDArray): NDArray => {
      const z = lax.convGeneralDilated(x, w, [1, 1], "SAME", { dimensionNumbers: ["NHWC", "HWIO", "NHWC"] });
      return nn.maxPool(nn.relu(z.add(b)), [2, 2], { strides: [2, 2] });
    };
    const logits = np.matmul(layer(layer(images, w1, b1), w2, b2).reshape([CNN.batch, -1]), w3).add(b3);
    return np.mean(np.sum(labels.mul(nn.logSoftmax(logits, -1)), -1)).neg();
  };

  const compile = (equations: number) => (): Prepared => {
    const x = np.array(data(problem.PROGRAM_LENGTH));
    let variant = 0;
    return prepared(() => {
      const c = problem.programConstant(variant++);
      const f = jit((v: NDArray) => {
        let y = v;
        for (let k = 0; k < equations; k += 4) {
          y = np.sin(np.tanh(y.add(v).mul(c)));
          if (k % problem.MEAN_EVERY === 0) y = y.add(np.mean(y));
        }
        return y;
      });
      return f(x);
    });
  };
  const compileLoops = (equations: number) => (): Prepared => {
    const x = np.array(problem.BLOCK_START);
    return prepared(() => {
      const block = (v: NDArray, k: number): NDArray => {
        const shift = 0.01 * (k % 5);
        const step = (y: NDArray): NDArray =>
          lax.cond(
            y.greater(0.5),
            (u: NDArray) => np.sin(u.add(shift)),
            (u: NDArray) => np.tanh(u.mul(1.1).add(shift)),
            y,
          );
        const round = (y: NDArray): NDArray => {
          const [z] = lax.scan((u) => [step(u), null], y, null, { length: problem.BLOCK.inner });
          return z.mul(0.9).add(np.cos(z).mul(0.2));
        };
        return lax.scan((y) => [round(y), null], v, null, { length: problem.BLOCK.rounds })[0];
      };
      const f = (v: NDArray): NDArray => {
        let y = v;
        for (let k = 0; k < problem.blocks(equations); k++) y = block(y, k);
        return y;
      };
      return jit(valueAndGrad(f))(x);
    });
  };

  return {
    jitted: {
      "scan, 10⁵ steps of a 2×2 recurrence": recurrence(problem.STEPS),
      "RK4 of a pendulum, 10⁵ steps": () => {
        const f = jit((y: State) =>
          lax.foriLoop(0, problem.STEPS, (_, s) => rk4(s as unknown as State), y as readonly NDArray[]),
        );
        const y = initial();
        return prepared(() => f(y));
      },
      "Mandelbrot 512×512, vmapped while loop": () => {
        const f = jit(vmap(vmap(escapes, [0, null]), [null, 0]));
        const [x, y] = [np.array(problem.axis(-2, 1)), np.array(problem.axis(-1.5, 1.5))];
        return prepared(() => f(x, y));
      },
      "LSTM 64, 100 steps, with gradient": () => {
        const f = jit(valueAndGrad(lstmLoss));
        const weights = arrays(problem.lstmWeights());
        const [xs, targets] = arrays([
          [[problem.LSTM.steps, problem.LSTM.inputs], problem.lstmInputs()],
          [[problem.LSTM.steps, problem.LSTM.hidden], problem.lstmTargets()],
        ]) as [NDArray, NDArray];
        return prepared(() => f(weights, xs, targets).flat());
      },
      "char-RNN training step": () => {
        const step = jit((weights: readonly NDArray[], text: NDArray, targets: NDArray, rate: NDArray) => {
          const [value, gradients] = valueAndGrad(rnnLoss)(weights, text, targets);
          return [value, ...downhill(weights, gradients, rate)];
        });
        const weights = arrays(problem.rnnWeights());
        const [text, targets] = [26, 27].map((seed) => np.array(problem.rnnText(seed), { shape: [problem.RNN.steps, problem.RNN.batch] })) as [NDArray, NDArray]; // prettier-ignore
        return prepared(() => step(weights, text, targets, problem.RNN.rate));
      },
      "convolutional network's training step, 28×28, batch 32": () => {
        const step = jit((weights: readonly NDArray[], images: NDArray, labels: NDArray, rate: NDArray) => {
          const [value, gradients] = valueAndGrad(cnnLoss)(weights, images, labels);
          return [value, ...downhill(weights, gradients, rate)];
        });
        const weights = arrays(cnnWeights());
        const [images, labels] = arrays([
          [[CNN.batch, CNN.size, CNN.size, 1], cnnImages()],
          [[CNN.batch, CNN.classes], cnnLabels()],
        ]) as [NDArray, NDArray];
        return prepared(() => step(weights, images, labels, CNN.rate));
      },
      "first call of a scan, length 10": recurrence(10),
      "first call of a scan, length 1,000": recurrence(1000),
      "first call of a scan, length 100,000": recurrence(100_000),
      "trace and compile, 1,000 equations": compile(1000),
      "trace and compile, 3,000 equations": compile(3000),
      "trace and compile, 10,000 equations": compile(10_000),
      "trace and compile scans and conds, 1,000 equations": compileLoops(1000),
      "trace and compile scans and conds, 3,000 equations": compileLoops(3000),
      "trace and compile scans and conds, 10,000 equations": compileLoops(10_000),
    },
    eager: {
      "scan, 10⁵ steps of a 2×2 recurrence": () => {
        const steps = (count: number): NDArray => {
          let x = start;
          for (let k = 0; k < count; k++) x = turn(matrix, x, offset);
          return x;
        };
        return {
          ...prepared(() => steps(problem.STEPS * problem.PARTS.recurrence.share)),
          part: problem.PARTS.recurrence,
        };
      },
      "RK4 of a pendulum, 10⁵ steps": () => {
        const steps = (count: number): State => {
          let y = initial();
          for (let k = 0; k < count; k++) y = rk4(y);
          return y;
        };
        return { ...prepared(() => steps(problem.STEPS * problem.PARTS.pendulum.share)), part: problem.PARTS.pendulum };
      },
    },
  };
}
