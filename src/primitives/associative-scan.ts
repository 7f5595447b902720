import type { NDArray } from "../core/array.js";
import { full, ops } from "./define.js";

type Combine = (left: readonly NDArray[], right: readonly NDArray[]) => readonly NDArray[];

/**
 * Running combines along an axis in ⌈log₂ n⌉ rounds, for an associative `combine` of equally long lists of arrays (G. Blelloch,
 * "Prefix sums and their applications", 1990). The tree is that of `jax.lax.associative_scan`.
 */
export function associativeScan(
  combine: Combine,
  elems: readonly NDArray[],
  axis: number,
  reverse = false,
): readonly NDArray[] {
  const flipped = (xs: readonly NDArray[]): readonly NDArray[] => (reverse ? xs.map((x) => ops.rev(x, [axis])) : xs);
  return flipped(scan(combine, flipped(elems), axis));
}

function scan(combine: Combine, elems: readonly NDArray[], axis: number): readonly NDArray[] {
  const n = elems[0]!.shape[axis]!;
  if (n < 2) return elems;
  // Combines of pairs, scanned, are the results at odd places; one element more makes those at even places.
  const pairs = combine(part(elems, axis, 0, n - 1, 2), part(elems, axis, 1, n, 2));
  const odd = scan(combine, pairs, axis);
  const before = n % 2 === 0 ? part(odd, axis, 0, n / 2 - 1) : odd;
  const even = n === 2 ? part(elems, axis, 0, 1) : withFirst(elems, combine(before, part(elems, axis, 2, n, 2)), axis);
  return even.map((x, i) => interleave(x, odd[i]!, axis));
}

/** Elements from, from + stride, … below `to` along the axis, of every array. */
function part(xs: readonly NDArray[], axis: number, from: number, to: number, stride = 1): NDArray[] {
  return xs.map((x) =>
    ops.slice(
      x,
      x.shape.map((_, k) => (k === axis ? from : 0)),
      x.shape.map((n, k) => (k === axis ? to : n)),
      x.shape.map((_, k) => (k === axis ? stride : 1)),
    ),
  );
}

const withFirst = (elems: readonly NDArray[], rest: readonly NDArray[], axis: number): NDArray[] =>
  part(elems, axis, 0, 1).map((first, i) => ops.concatenate([first, rest[i]!], axis));

/** even₀, odd₀, even₁, odd₁, … along the axis; there is as much of both, or one more of `even`. */
function interleave(even: NDArray, odd: NDArray, axis: number): NDArray {
  const zero = full(0, { shape: [], dtype: even.dtype, weakType: false });
  const same = even.shape[axis] === odd.shape[axis];
  const spread = (x: NDArray, lo: number, hi: number): NDArray =>
    ops.pad(
      x,
      zero,
      x.shape.map((_, k) => (k === axis ? ([lo, hi, 1] as const) : ([0, 0, 0] as const))),
    );
  const [a, b] = [spread(even, 0, same ? 1 : 0), spread(odd, 1, same ? 0 : 1)];
  return even.dtype === "bool" ? ops.or(a, b) : ops.add(a, b);
}
