/** What a row of the benchmark is made of: data, what must come out, and something to be run. */

/** A typed array's worth of test data in [-1, 1), the same for every library. */
export function data(length: number, seed = 1): Float32Array<ArrayBuffer> {
  let state = seed >>> 0;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

/** `data`, scaled. */
export const scaled = (length: number, by: number, seed: number): Float32Array<ArrayBuffer> =>
  data(length, seed).map((x) => x * by);

/** Some elements of a result, in the order in which a library gives them. */
export interface Expected {
  /** Places in the flat result; left out: all of them, from the first. */
  readonly at?: readonly number[];
  readonly values: ArrayLike<number>;
  /** What may be wrong: absolutely, and relatively to the value. */
  readonly atol: number;
  readonly rtol: number;
}

export interface Row {
  /**
   * warm: run over and over in one process, the libraries in turn; first: the first run in a fresh process;
   * memory: the peak of a fresh process.
   */
  readonly kind: "warm" | "first" | "memory";
  readonly unit: "ms" | "µs" | "bytes";
  /** Every run is another problem (new shapes, a new function): a sample is one run. */
  readonly once?: boolean;
  readonly expected: () => Expected;
}

export const everywhere = (values: ArrayLike<number>, atol = 1e-5, rtol = 1e-4): Expected => ({ values, atol, rtol });

export function sampled(
  count: number,
  length: number,
  value: (i: number) => number,
  atol = 1e-5,
  rtol = 1e-4,
): Expected {
  const at = Array.from({ length: count }, (_, k) => Math.floor((k * (length - 1)) / (count - 1)));
  return { at, values: at.map(value), atol, rtol };
}

/** One problem, ready to be run any number of times. */
export interface Prepared {
  /** Does the work, all of it: what is asynchronous is awaited. */
  run(): void | Promise<void>;
  /** What part of the problem a run does, where all of it would take seconds, and what comes out of that; all if left out. */
  readonly part?: { readonly share: number; readonly expected: () => Expected };
  /** The elements of the result that a run makes, flat. */
  result(): ArrayLike<number> | Promise<ArrayLike<number>>;
}

/** Says what is wrong with a result; undefined: nothing is. */
export function complaint({ at, values, atol, rtol }: Expected, got: ArrayLike<number>): string | undefined {
  if (at === undefined && got.length !== values.length) return `has ${got.length} elements instead of ${values.length}`;
  for (let k = 0; k < values.length; k++) {
    const place = at?.[k] ?? k;
    const [want, have] = [values[k]!, got[place]];
    if (have === undefined || !(Math.abs(have - want) <= atol + rtol * Math.abs(want)))
      return `has ${have} at ${place} instead of ${want}`;
  }
  return undefined;
}
