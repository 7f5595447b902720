/** Visits the points of a domain in row-major order; `point` holds the coordinates from `offset` on. */
export function forPoints(
  extents: readonly number[],
  point: number[],
  offset: number,
  visit: (flat: number) => void,
): void {
  const total = extents.reduce((a, b) => a * b, 1);
  for (let flat = 0; flat < total; flat++) {
    let rest = flat;
    for (let k = extents.length - 1; k >= 0; k--) {
      point[offset + k] = rest % extents[k]!;
      rest = Math.floor(rest / extents[k]!);
    }
    visit(flat);
  }
}
