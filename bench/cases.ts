/** A typed array's worth of test data in [-1, 1), the same for every library. */
export function data(length: number, seed = 1): Float32Array {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** The problems and what they stand for. Sizes are part of the name, so that figures say what they are about. */
export const CASES = {
  "eager add, 8": "the cost of one call",
  "x·sin(x) + exp(−x²), 1M": "fusing elementwise operations",
  "sum of squares, 4M": "reducing",
  "softmax of rows, 1024×1000": "reducing and elementwise operations together",
  "matmul, 512³": "arithmetic",
  "matmul, 1024³": "arithmetic beyond the caches",
  "softmax-regression step, 128×784×10": "value, gradient and update in one",
} as const;

export type CaseName = keyof typeof CASES;

/** One problem, ready to be run any number of times. */
export interface Prepared {
  /** Does the work, all of it: what is asynchronous is awaited. */
  run(): void | Promise<void>;
  /** A few numbers of the result, to compare the libraries by. */
  check(): Promise<readonly number[]>;
}

/** A library under test. A case that it lacks is left out. */
export interface Library {
  readonly name: string;
  readonly cases: Readonly<Partial<Record<CaseName, () => Prepared | Promise<Prepared>>>>;
}

export const BATCH = 128;
export const PIXELS = 784;
export const CLASSES = 10;

/** One-hot labels `[BATCH, CLASSES]` of the regression case. */
export function oneHotLabels(): Float32Array {
  const labels = new Float32Array(BATCH * CLASSES);
  for (let i = 0; i < BATCH; i++) labels[i * CLASSES + ((i * 7) % CLASSES)] = 1;
  return labels;
}
