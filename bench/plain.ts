import { cnnStep } from "./cnn.js";
import { lstm, mandelbrot, pendulum, recurrence, rnnStep } from "./loops.js";
import type { Prepared } from "./problem.js";
import type { Library } from "./rows.js";

/** Loops as JavaScript's own: numbers, typed arrays, no library. */
const prepared = (f: () => ArrayLike<number>) => (): Prepared => ({ run: () => void f(), result: f });

export const library: Library = {
  rows: {
    "scan, 10⁵ steps of a 2×2 recurrence": prepared(recurrence),
    "RK4 of a pendulum, 10⁵ steps": prepared(pendulum),
    "Mandelbrot 512×512, vmapped while loop": prepared(mandelbrot),
    "LSTM 64, 100 steps, with gradient": prepared(lstm),
    "char-RNN training step": prepared(rnnStep),
    "convolutional network's training step, 28×28, batch 32": prepared(cnnStep),
  },
};
