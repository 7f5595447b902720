import type { NDArray } from "../../core/array.js";
import { evalJaxpr } from "../../core/interpreter.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { memoize } from "../../core/memo.js";
import { bind } from "../../core/trace.js";
import { concatenate, expandDims, reshape, slice, squeeze } from "../../primitives/all.js";
import { scanPrimitive, type ScanParams } from "./scan.js";
import { stageClosed, stacked } from "./shared.js";

/** Several rounds of a body as one, over elements that have an axis for them. */
const rounds = memoize((jaxpr: Jaxpr, consts: number, carry: number, count: number, reverse: boolean): Jaxpr => {
  const avals = jaxpr.inVars.map((v) => v.aval);
  return stageClosed(
    (args) => {
      let state = args.slice(consts, consts + carry);
      const ys: NDArray[][] = [];
      for (let i = 0; i < count; i++) {
        const k = reverse ? count - 1 - i : i;
        const xs = args.slice(consts + carry).map((x) => squeeze(part(x, k, k + 1), [0]));
        const outs = evalJaxpr(jaxpr, [...args.slice(0, consts), ...state, ...xs]);
        state = outs.slice(0, carry);
        ys[k] = outs.slice(carry);
      }
      const stack = (list: readonly NDArray[]): NDArray =>
        concatenate(
          list.map((y) => expandDims(y, [0])),
          0,
        );
      return [...state, ...jaxpr.outs.slice(carry).map((_, j) => stack(ys.map((list) => list[j]!)))];
    },
    avals.map((a, i) => (i < consts + carry ? a : stacked(a, count))),
    "unroll of scan",
  );
});

/** Elements of the leading axis. */
const part = (x: NDArray, from: number, to: number): NDArray =>
  slice(
    x,
    x.shape.map((_, k) => (k === 0 ? from : 0)),
    x.shape.map((n, k) => (k === 0 ? to : n)),
  );

/** A scan that does `count` rounds at a time; what is left over at the end is done one by one. */
export function unrolledScan(operands: readonly NDArray[], params: ScanParams, count: number): readonly NDArray[] {
  const { jaxpr, length, reverse, consts, carry } = params;
  const blocks = Math.floor(length / count);
  const whole = blocks * count;
  const xs = operands.slice(consts + carry);
  const fixed = operands.slice(0, consts);
  const inBlocks = (state: readonly NDArray[]): readonly NDArray[] => {
    const blocked = xs.map((x) => reshape(part(x, 0, whole), [blocks, count, ...x.shape.slice(1)]));
    const outs = bind(scanPrimitive, [...fixed, ...state, ...blocked], {
      ...params,
      jaxpr: rounds(jaxpr, consts, carry, count, reverse),
      length: blocks,
    });
    return outs.map((x, i) => (i < carry ? x : reshape(x, [whole, ...x.shape.slice(2)])));
  };
  const theRest = (state: readonly NDArray[]): readonly NDArray[] =>
    bind(scanPrimitive, [...fixed, ...state, ...xs.map((x) => part(x, whole, length))], {
      ...params,
      length: length - whole,
    });
  const first = operands.slice(consts, consts + carry);
  if (whole === length) return inBlocks(first);
  const a = (reverse ? theRest : inBlocks)(first);
  const b = (reverse ? inBlocks : theRest)(a.slice(0, carry));
  const [low, high] = reverse ? [b, a] : [a, b];
  return b.map((x, i) => (i < carry ? x : concatenate([low[i]!, high[i]!], 0)));
}
