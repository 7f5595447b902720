import type { NDArray } from "../../src/index.js";
import { isExact, type Value } from "./values.js";

const epsilon: Readonly<Record<string, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

/** A safety factor on errors that were estimated. */
const slack = 16;

/** How far elements of a value may differ between two ways of computing it. */
export const toleranceOf = ({ x, error }: Value): number => slack * (epsilon[x.dtype] ?? 0) * error;

/** Says how two ways of computing a value differ beyond its estimated error; undefined where they do not. */
export function disagreement(value: Value, other: NDArray): string | undefined {
  const { x, name } = value;
  if (x.dtype !== other.dtype || String(x.shape) !== String(other.shape)) {
    return `${name}: ${x.dtype}[${x.shape.join(",")}] became ${other.dtype}[${other.shape.join(",")}]`;
  }
  const a = x.dataSync();
  const b = other.dataSync();
  const tolerance = isExact(value) ? 0 : toleranceOf(value);
  for (let k = 0; k < a.length; k++) {
    const [p, q] = [a[k]!, b[k]!];
    if (p === q || (Number.isNaN(p) && Number.isNaN(q)) || Math.abs(p - q) <= tolerance) continue;
    return `${name}[${k}]: ${p} became ${q}; ${tolerance} allowed`;
  }
  return undefined;
}

/** The first disagreement among results. */
export function disagreements(values: readonly Value[], others: readonly NDArray[]): string | undefined {
  if (values.length !== others.length) return `${values.length} results became ${others.length}`;
  for (let k = 0; k < values.length; k++) {
    const found = disagreement(values[k]!, others[k]!);
    if (found !== undefined) return found;
  }
  return undefined;
}
