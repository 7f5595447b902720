import type { NDArray } from "../core/array.js";
import { hostZeros } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { isFloat } from "../core/dtype.js";
import { getEngine } from "../core/engine.js";
import { ArgumentError, TransformError } from "../core/errors.js";
import { lit } from "../core/literal.js";
import { unflatten } from "../core/tree.js";
import type { Ins } from "../core/types.js";
import { add, instantiate, mul } from "../primitives/all.js";
import { differentiable, flattenArrays, nameOf, requireFunction } from "./arguments.js";
import { jvpFlat } from "./jvp.js";
import { linearizeFlat } from "./linearize.js";
import { pullBack } from "./vjp.js";

export interface CheckGradsOptions {
  /** Highest order of derivatives that is checked; default 2. */
  readonly order?: number;
  /** Forward mode, reverse mode; default both. */
  readonly modes?: readonly ("fwd" | "rev")[];
  readonly atol?: number;
  readonly rtol?: number;
  /** Step of the finite differences. */
  readonly eps?: number;
}

type Flat = (xs: readonly NDArray[]) => readonly NDArray[];

const params = signature<
  { readonly f: (...args: never[]) => unknown; readonly args: readonly unknown[] } & CheckGradsOptions
>("checkGrads", 2, ["f", "args", "order", "modes", "atol", "rtol", "eps"]);

/**
 * Compares the derivatives of a function with central finite differences in random directions, in forward and reverse mode,
 * up to `order`. Use float64 arguments for tight tolerances.
 * @throws TransformError `check-grads` saying which mode, order and result differ, and by how much.
 * @example
 * checkGrads((x) => np.sin(x), [np.array([0.5, 1], { dtype: "float64" })]);
 */
export function checkGrads<A extends readonly unknown[] = readonly NDArray[]>(
  f: (...args: A) => unknown,
  args: Readonly<Ins<NoInfer<A>>>,
  options?: CheckGradsOptions,
): void;
export function checkGrads(...given: unknown[]): void {
  const { f, args, order = 2, modes = ["fwd", "rev"], ...tolerance } = params(given);
  requireFunction(f, "checkGrads");
  const { leaves, def } = flattenArrays(args, "checkGrads: argument ");
  const xs = leaves.map(differentiable);
  const double = xs.every((x) => x.dtype === "float64");
  const { eps = double ? 1e-4 : 1e-2, atol = double ? 1e-5 : 2e-2, rtol = double ? 1e-5 : 2e-2 } = tolerance;
  if (xs.some((x) => !isFloat(x.dtype))) {
    throw new ArgumentError({
      code: "check-grads-dtype",
      message: "checkGrads needs float arguments",
      hint: "close over the others",
    });
  }
  const flat: Flat = (ys) =>
    flattenArrays(f(...(unflatten(def, ys) as never[])), `the result of ${nameOf(f)}`).leaves.filter((y) =>
      isFloat(y.dtype),
    );
  const random = generator();
  const check = (g: Flat, at: readonly NDArray[], left: number, name: string): void => {
    if (left === 0) return;
    const direction = at.map((x) => randomLike(x, random));
    const shifted = (sign: number) => g(at.map((x, i) => add(x, mul(direction[i]!, lit(sign * eps, x.dtype)))));
    const plus = shifted(1);
    const minus = shifted(-1);
    const numeric = plus.map((y, i) => difference(y, minus[i]!, 2 * eps));
    if (modes.includes("fwd")) {
      const pushed = jvpFlat(g, at, direction)[1].map(instantiate);
      pushed.forEach((t, i) => compare(read(t), numeric[i]!, atol, rtol, `${name}: jvp of result ${i}`));
      check((ys) => jvpFlat(g, ys, direction)[1].map(instantiate), at, left - 1, `jvp of ${name}`);
    }
    if (modes.includes("rev")) {
      const pull: Flat = (ys) => {
        const lin = linearizeFlat(g, ys);
        return pullBack(lin, cotangents).map(instantiate);
      };
      const cotangents = plus.map((y) => randomLike(y, random));
      const grads = pull(at);
      const viaReverse = inner(grads, direction);
      const viaNumeric = numeric.reduce((sum, t, i) => sum + dot(t, read(cotangents[i]!)), 0);
      compare([viaReverse], [viaNumeric], atol * Math.max(1, plus.length), rtol, `${name}: vjp`);
      check(pull, at, left - 1, `vjp of ${name}`);
    }
  };
  check(flat, xs, order, nameOf(f));
}

const read = (x: NDArray): number[] => Array.from(x.dataSync());
const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, x, i) => sum + x * b[i]!, 0);
const inner = (a: readonly NDArray[], b: readonly NDArray[]): number =>
  a.reduce((sum, x, i) => sum + dot(read(x), read(b[i]!)), 0);

function difference(plus: NDArray, minus: NDArray, step: number): number[] {
  const b = read(minus);
  return read(plus).map((x, i) => (x - b[i]!) / step);
}

/** A small linear congruential generator: directions only have to be generic, and the same in every run. */
function generator(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296 - 0.5;
  };
}

function randomLike(x: NDArray, random: () => number): NDArray {
  const host = hostZeros({ ...x.aval, weakType: false });
  for (let i = 0; i < host.data.length; i++) host.data[i] = 2 * random();
  return getEngine().fromHost(host);
}

function compare(got: readonly number[], expected: readonly number[], atol: number, rtol: number, what: string): void {
  got.forEach((x, i) => {
    const e = expected[i]!;
    if (Math.abs(x - e) <= atol + rtol * Math.abs(e) || Object.is(x, e)) return;
    throw new TransformError({
      code: "check-grads",
      message: `${what} disagrees with finite differences`,
      details: [
        ["element", String(i)],
        ["derivative", String(x)],
        ["differences", String(e)],
      ],
      hint: "at a kink the two differ rightly; else check the function's derivative rules, or use float64",
    });
  });
}
