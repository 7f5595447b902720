import type * as Tf from "@tensorflow/tfjs";
import { CNN, cnnImages, cnnLabels, cnnWeights } from "../cnn.js";
import * as problem from "../loops.js";
import type { Prepared } from "../problem.js";
import type { Library } from "../rows.js";

type Run = (f: () => Tf.Tensor | Tf.Tensor[]) => Prepared;
type Weight = readonly [shape: number[], values: Float32Array];
type State = [angle: Tf.Tensor, speed: Tf.Tensor];

/** The rows of control flow for TensorFlow.js: loops are JavaScript's own, of operations that compute at once. */
export function loopRows(tf: typeof Tf, prepared: Run): Library["rows"] {
  const tensors = (list: readonly Weight[]): Tf.Tensor[] => list.map(([shape, values]) => tf.tensor(values, shape));
  /** State after so many steps; what lies between is freed. */
  const repeat = <S extends Tf.Tensor[]>(start: S, count: number, step: (state: S) => S): S => {
    let state = start;
    for (let k = 0; k < count; k++) {
      const next = tf.tidy(() => step(state));
      if (k > 0) tf.dispose(state);
      state = next;
    }
    return state;
  };
  const partly = (
    f: (count: number) => Tf.Tensor[],
    part: (typeof problem.PARTS)[keyof typeof problem.PARTS],
  ): Prepared => ({
    ...prepared(() => f(problem.STEPS * part.share)),
    part,
  });
  const downhill = (weights: Tf.Tensor[], gradients: Tf.Tensor[], rate: number): Tf.Tensor[] =>
    weights.map((w, i) => w.sub(gradients[i]!.mul(rate)));

  return {
    "scan, 10⁵ steps of a 2×2 recurrence": () => {
      const [a, b, x0] = tensors([
        [[2, 2], problem.MATRIX],
        [[2, 1], problem.OFFSET],
        [[2, 1], new Float32Array([1, 0])],
      ]) as [Tf.Tensor, Tf.Tensor, Tf.Tensor];
      return partly((count) => repeat([x0], count, ([x]) => [tf.matMul(a, x!).add(b)]), problem.PARTS.recurrence);
    },
    "RK4 of a pendulum, 10⁵ steps": () => {
      const { dt, gravity } = problem.PENDULUM;
      const slope = ([angle, speed]: State): State => [speed, tf.sin(angle).mul(-gravity)];
      const along = ([a, b]: State, [da, db]: State, h: number): State => [a.add(da.mul(h)), b.add(db.mul(h))];
      const rk4 = (y: State): State => {
        const k1 = slope(y);
        const k2 = slope(along(y, k1, dt / 2));
        const k3 = slope(along(y, k2, dt / 2));
        const k4 = slope(along(y, k3, dt));
        const mean = ([0, 1] as const).map((i) => k1[i].add(k2[i].mul(2)).add(k3[i].mul(2)).add(k4[i]));
        return along(y, mean as State, dt / 6);
      };
      const start: State = [tf.scalar(problem.PENDULUM.angle), tf.scalar(problem.PENDULUM.speed)];
      return partly((count) => repeat(start, count, rk4), problem.PARTS.pendulum);
    },
    "Mandelbrot 512×512, vmapped while loop": () => {
      const { size, most } = problem.MANDELBROT;
      const [cx, cy] = [tf.tensor2d(problem.axis(-2, 1), [1, size]), tf.tensor2d(problem.axis(-1.5, 1.5), [size, 1])];
      const zeros = tf.zeros([size, size]);
      return prepared(() => {
        const [n] = repeat([zeros, zeros, zeros], most, ([count, x, y]) => {
          const [xx, yy] = [x!.mul(x!), y!.mul(y!)];
          const inside = xx.add(yy).lessEqual(4);
          const [u, v] = [xx.sub(yy).add(cx), x!.mul(y!).mul(2).add(cy)];
          return [count!.add(inside.cast("float32")), tf.where(inside, u, x!), tf.where(inside, v, y!)];
        });
        return n!;
      });
    },
    "LSTM 64, 100 steps, with gradient": () => {
      const { hidden, inputs, steps } = problem.LSTM;
      const weights = tensors(problem.lstmWeights());
      const xs = tf.unstack(tf.tensor3d(problem.lstmInputs(), [steps, inputs, 1]));
      const targets = tf.tensor2d(problem.lstmTargets(), [steps, hidden]);
      const f = tf.valueAndGrads((wx: Tf.Tensor, wh: Tf.Tensor, b: Tf.Tensor) => {
        const bias = b.reshape([4 * hidden, 1]);
        let [h, c]: Tf.Tensor[] = [tf.zeros([hidden, 1]), tf.zeros([hidden, 1])];
        const hs: Tf.Tensor[] = [];
        for (const x of xs) {
          const z = tf.matMul(wx, x).add(tf.matMul(wh, h!)).add(bias);
          const [i, f, g, o] = tf.split(z, 4) as [Tf.Tensor, Tf.Tensor, Tf.Tensor, Tf.Tensor];
          c = tf
            .sigmoid(f)
            .mul(c!)
            .add(tf.sigmoid(i).mul(tf.tanh(g)));
          h = tf.sigmoid(o).mul(tf.tanh(c));
          hs.push(h.reshape([hidden]));
        }
        return tf.mean(tf.square(tf.stack(hs).sub(targets))) as Tf.Scalar;
      });
      return prepared(() => {
        const { value, grads } = f(weights);
        return [value, ...grads];
      });
    },
    "char-RNN training step": () => {
      const { batch, steps, symbols, hidden, rate } = problem.RNN;
      const weights = tensors(problem.rnnWeights());
      const texts = tf.unstack(tf.tensor2d(problem.rnnText(26), [steps, batch], "int32"));
      const targets = tf.oneHot(tf.tensor2d(problem.rnnText(27), [steps, batch], "int32"), symbols);
      const f = tf.valueAndGrads((emb: Tf.Tensor, wh: Tf.Tensor, b: Tf.Tensor, wo: Tf.Tensor, bo: Tf.Tensor) => {
        let h: Tf.Tensor = tf.zeros([batch, hidden]);
        const logits: Tf.Tensor[] = [];
        for (const x of texts) {
          h = tf.tanh(tf.gather(emb, x).add(tf.matMul(h, wh)).add(b));
          logits.push(tf.matMul(h, wo).add(bo));
        }
        return tf.mean(tf.sum(targets.mul(tf.logSoftmax(tf.stack(logits))), -1)).neg() as Tf.Scalar;
      });
      return prepared(() => {
        const { value, grads } = f(weights);
        return [value, ...downhill(weights, grads, rate)];
      });
    },
    "convolutional network's training step, 28×28, batch 32": () => {
      const weights = tensors(cnnWeights());
      const images = tf.tensor4d(cnnImages(), [CNN.batch, CNN.size, CNN.size, 1]);
      const labels = tf.tensor2d(cnnLabels(), [CNN.batch, CNN.classes]);
      const layer = (x: Tf.Tensor, w: Tf.Tensor, b: Tf.Tensor): Tf.Tensor4D =>
        tf.maxPool(tf.relu(tf.conv2d(x as Tf.Tensor4D, w as Tf.Tensor4D, 1, "same").add(b)) as Tf.Tensor4D, 2, 2, 0);
      const f = tf.valueAndGrads((...w: Tf.Tensor[]) => {
        const last = layer(layer(images, w[0]!, w[1]!), w[2]!, w[3]!).reshape([CNN.batch, -1]);
        const logits = tf.matMul(last, w[4]!).add(w[5]!);
        return tf.mean(tf.sum(labels.mul(tf.logSoftmax(logits)), -1)).neg() as Tf.Scalar;
      });
      return prepared(() => {
        const { value, grads } = f(weights);
        return [value, ...downhill(weights, grads, CNN.rate)];
      });
    },
  };
}
