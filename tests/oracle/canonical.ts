import type { ArrayResult, Result } from "./result.js";

/** How results that are only determined up to signs or order are brought to one form before they are compared. */
export type Canonical = "eigh" | "eighVW" | "svd" | "qr" | "r" | "sortComplex";

interface Matrices {
  readonly rows: number;
  readonly columns: number;
  readonly count: number;
  readonly at: (m: number, i: number, j: number) => number;
  readonly scale: (m: number, i: number, j: number, sign: number) => void;
}

function matricesOf(x: Result | undefined): Matrices {
  if (x?.kind !== "array") throw new Error("a factor is no array");
  const data = x.data as number[];
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  const index = (m: number, i: number, j: number): number => (m * rows + i) * columns + j;
  return {
    rows,
    columns,
    count: rows * columns === 0 ? 0 : data.length / (rows * columns),
    at: (m, i, j) => data[index(m, i, j)]!,
    scale: (m, i, j, sign) => {
      data[index(m, i, j)]! *= sign;
    },
  };
}

/** Makes the largest entry of each of the first columns positive; returns the signs used. */
function positiveColumns(v: Matrices, m: number, columns: number): number[] {
  return Array.from({ length: columns }, (_, j) => {
    let largest = 0;
    for (let i = 0; i < v.rows; i++) if (Math.abs(v.at(m, i, j)) > Math.abs(largest)) largest = v.at(m, i, j);
    const sign = largest < 0 ? -1 : 1;
    for (let i = 0; i < v.rows; i++) v.scale(m, i, j, sign);
    return sign;
  });
}

/** Makes the diagonal positive by scaling rows; returns the signs used. */
function positiveDiagonal(r: Matrices, m: number): number[] {
  return Array.from({ length: Math.min(r.rows, r.columns) }, (_, i) => {
    const sign = r.at(m, i, i) < 0 ? -1 : 1;
    for (let j = 0; j < r.columns; j++) r.scale(m, i, j, sign);
    return sign;
  });
}

const each = (n: number, f: (m: number) => void): void => Array.from({ length: n }, (_, m) => m).forEach(f);

/** Brings a result to the form named by the case, in place. */
export function canonicalize(kind: Canonical, result: Result): void {
  const parts =
    result.kind === "list" ? result.entries : result.kind === "record" ? Object.values(result.entries) : [result];
  switch (kind) {
    case "eigh":
    case "eighVW": {
      const v = matricesOf(parts[kind === "eigh" ? 1 : 0]);
      return each(v.count, (m) => void positiveColumns(v, m, v.columns));
    }
    case "svd": {
      const u = matricesOf(parts[0]);
      const vh = matricesOf(parts[2]);
      const rank = (parts[1] as ArrayResult).shape.at(-1)!;
      return each(u.count, (m) =>
        positiveColumns(u, m, rank).forEach((sign, i) => each(vh.columns, (j) => vh.scale(m, i, j, sign))),
      );
    }
    case "qr": {
      const q = matricesOf(parts[0]);
      const r = matricesOf(parts[1]);
      return each(r.count, (m) =>
        positiveDiagonal(r, m).forEach((sign, j) => each(q.rows, (i) => q.scale(m, i, j, sign))),
      );
    }
    case "r": {
      const r = matricesOf(parts[0]);
      return each(r.count, (m) => void positiveDiagonal(r, m));
    }
    case "sortComplex": {
      const { data } = parts[0] as ArrayResult;
      const rounded = (x: number): number => Math.round(x * 1e5) / 1e5;
      const pairs = (data as [number, number][]).map(([re, im]) => [rounded(re), rounded(im)] as const);
      data.splice(0, data.length, ...pairs.sort((p, q) => p[0] - q[0] || p[1] - q[1]));
    }
  }
}
