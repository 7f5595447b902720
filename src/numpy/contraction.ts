import type { NDArray } from "../core/array.js";
import type { DType } from "../core/dtype.js";
import { ShapeError } from "../core/errors.js";
import * as p from "../primitives/all.js";

/**
 * Contraction of arrays with labelled axes, which all products of numpy are made of. A label that both operands and the result
 * have is a batch axis, one that both have and the result lacks is summed over, the others are free.
 */

export type Label = string | number;

/** An array and a name for each of its axes, all different. */
export interface Labelled {
  readonly x: NDArray;
  readonly labels: readonly Label[];
}

const lengthOf = ({ x, labels }: Labelled, label: Label): number => x.shape[labels.indexOf(label)]!;

/** Sums over the labels that nobody else needs. */
export function sumLabels({ x, labels }: Labelled, needed: (label: Label) => boolean): Labelled {
  const gone = labels.flatMap((l, i) => (needed(l) ? [] : [i]));
  if (gone.length === 0) return { x, labels };
  return { x: p.reduceSum(x, gone), labels: labels.filter(needed) };
}

/** Takes away axes of length 1 whose label is longer in the other operand: they broadcast. */
function dropSingletons(a: Labelled, b: Labelled): Labelled {
  const dims = a.labels.flatMap((l, i) =>
    a.x.shape[i] === 1 && b.labels.includes(l) && lengthOf(b, l) !== 1 ? [i] : [],
  );
  if (dims.length === 0) return a;
  return { x: p.squeeze(a.x, dims), labels: a.labels.filter((_, i) => !dims.includes(i)) };
}

/** Axes in the order of `labels`, of which each must be there. */
export function arrange({ x, labels }: Labelled, order: readonly Label[]): NDArray {
  const perm = order.map((l) => labels.indexOf(l));
  return perm.every((from, to) => from === to) ? x : p.transpose(x, perm);
}

/** Contracts two arrays of one dtype to the axes of `out`. @throws ShapeError `contract-length`. */
export function contract(op: string, a: Labelled, b: Labelled, out: readonly Label[], dtype?: DType): Labelled {
  [a, b] = [dropSingletons(a, b), dropSingletons(b, a)];
  a = sumLabels(a, (l) => out.includes(l) || b.labels.includes(l));
  b = sumLabels(b, (l) => out.includes(l) || a.labels.includes(l));
  const shared = a.labels.filter((l) => b.labels.includes(l));
  for (const l of shared) {
    if (lengthOf(a, l) !== lengthOf(b, l)) {
      throw new ShapeError({
        code: "contract-length",
        message: `${op}: axes that belong together have lengths ${lengthOf(a, l)} and ${lengthOf(b, l)}`,
        details: [
          ["left", a.x.describe()],
          ["right", b.x.describe()],
        ],
      });
    }
  }
  const batch = shared.filter((l) => out.includes(l));
  const summed = shared.filter((l) => !out.includes(l));
  if (summed.length === 0) return product(a, b, out);
  const at = (o: Labelled, list: readonly Label[]): number[] => list.map((l) => o.labels.indexOf(l));
  const x = p.dotGeneral(
    a.x,
    b.x,
    { lhsContract: at(a, summed), rhsContract: at(b, summed), lhsBatch: at(a, batch), rhsBatch: at(b, batch) },
    dtype,
  );
  const free = (o: Labelled): Label[] => o.labels.filter((l) => !shared.includes(l));
  return { x, labels: [...batch, ...free(a), ...free(b)] };
}

/** The product of two arrays that share no summed axis: an elementwise one of broadcast operands. */
function product(a: Labelled, b: Labelled, out: readonly Label[]): Labelled {
  const labels = out.filter((l) => a.labels.includes(l) || b.labels.includes(l));
  const shape = labels.map((l) => (a.labels.includes(l) ? lengthOf(a, l) : lengthOf(b, l)));
  const spread = (o: Labelled): NDArray => {
    if (o.labels.length === 0) return o.x;
    const order = labels.filter((l) => o.labels.includes(l));
    const x = arrange(o, order);
    return order.length === labels.length
      ? x
      : p.broadcastInDim(
          x,
          shape,
          order.map((l) => labels.indexOf(l)),
        );
  };
  return { x: p.mul(spread(a), spread(b)), labels };
}
