import type { NDArray } from "../core/array.js";
import { sizeOf } from "../core/aval.js";
import { variadic } from "../core/calling.js";
import { asDType, type DType } from "../core/dtype.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { type ArrayLike, describeValue } from "../core/literal.js";
import * as p from "../primitives/all.js";
import { arrange, contract, type Label, type Labelled, sumLabels } from "./contraction.js";
import { diagonalOf } from "./matrices.js";
import { convertAll, resultElementType } from "./promotion.js";

/** Einstein summation: any equation, contracted pair by pair in a greedy order. */

export interface EinsumOptions {
  /** The dtype in which products are made and added up. */
  readonly preferredElementType?: DType | null | undefined;
  /** Accepted for JAX's sake: the order of contraction is always chosen greedily. */
  readonly optimize?: unknown;
  readonly precision?: unknown;
}
const einsumParams = /* @__PURE__ */ variadic<EinsumOptions>("einsum", [
  "preferredElementType",
  "optimize",
  "precision",
]);

/**
 * Sums products of arrays as an equation of axis labels says: `"ij,jk->ik"` is the matrix product, `"ii"` the trace,
 * `"...ij->...ji"` a transpose. Without `->` the result has the labels that stand once, in alphabetical order. Axes of one
 * label have one length, or 1. Several operands are contracted pair by pair, always the pair whose product is smallest for
 * its operands.
 *
 * @throws ArgumentError `einsum-equation`; ShapeError `contract-length`.
 * @example
 * np.einsum("ij,j->i", np.array([[1, 2], [3, 4]]), np.array([1, 1])); // [3, 7]
 * np.einsum("ii", np.eye(3)); // 3
 * np.einsum("b...i,bi->b...", np.ones([5, 2, 3]), np.ones([5, 3])); // float32[5, 2]
 */
export function einsum(subscripts: string, ...operands: readonly (ArrayLike | EinsumOptions)[]): NDArray;
export function einsum(): NDArray {
  const [values, { preferredElementType }] = einsumParams(arguments);
  const { terms, operands } = readEquation(values);
  const t = resultElementType("einsum", operands);
  const result =
    preferredElementType === undefined || preferredElementType === null ? t.dtype : asDType(preferredElementType);
  const compute = result === "bool" ? "int32" : result;
  const arrays = convertAll(operands, { dtype: compute, weak: t.weak && compute === t.dtype });
  const { inputs, output } = expandEllipses(
    terms,
    arrays.map((x) => x.ndim),
  );
  checkLengths(arrays, inputs);
  const labelled = arrays.map((x, i) => takeDiagonals(x, inputs[i]!));
  const out = contractAll(labelled, output);
  return result === "bool" ? p.ne(out, 0) : out;
}

interface Equation {
  readonly inputs: readonly string[];
  readonly output: string | undefined;
}

/** Reads `"ij,jk->ik"` with operands, or operands with lists of axis numbers between them. */
function readEquation(values: readonly unknown[]): { terms: Equation; operands: ArrayLike[] } {
  const first = values[0];
  if (typeof first !== "string") return readInterleaved(values);
  const text = first.replaceAll(/\s/g, "");
  const parts = text.split("->");
  const inputs = parts[0]!.split(",");
  const operands = values.slice(1) as ArrayLike[];
  if (
    parts.length > 2 ||
    !/^[A-Za-z.,]*(->[A-Za-z.]*)?$/.test(text) ||
    [...inputs, parts[1] ?? ""].some((t) => !/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(t))
  ) {
    throw equationError(first, "labels are letters, … is three dots, and at most one -> leads to the result");
  }
  if (inputs.length !== operands.length)
    throw equationError(first, `it has ${inputs.length} terms for ${operands.length} operands`);
  return { terms: { inputs, output: parts[1] }, operands };
}

function readInterleaved(values: readonly unknown[]): { terms: Equation; operands: ArrayLike[] } {
  const letter = (n: unknown): string => {
    if (typeof n === "number" && Number.isInteger(n) && n >= 0 && n < 52)
      return String.fromCharCode(n < 26 ? 65 + n : 71 + n);
    if (n === "...") return "...";
    throw new ArgumentError({
      code: "einsum-equation",
      message: `einsum: ${describeValue(n)} is not an axis number below 52`,
    });
  };
  const term = (list: unknown): string => {
    if (Array.isArray(list)) return list.map(letter).join("");
    throw new ArgumentError({
      code: "einsum-equation",
      message: "einsum takes an equation first, or operands each followed by a list of axis numbers",
    });
  };
  const pairs = Math.floor(values.length / 2);
  const operands = Array.from({ length: pairs }, (_, i) => values[2 * i] as ArrayLike);
  const inputs = operands.map((_, i) => term(values[2 * i + 1]));
  return { terms: { inputs, output: values.length % 2 === 1 ? term(values.at(-1)) : undefined }, operands };
}

function equationError(equation: string, why: string): ArgumentError {
  return new ArgumentError({
    code: "einsum-equation",
    message: `einsum: ${JSON.stringify(equation)} does not fit: ${why}`,
  });
}

/** Numbers the axes of ellipses from the right, −1 being the last; letters stay. */
function expandEllipses(
  { inputs, output }: Equation,
  ranks: readonly number[],
): { inputs: Label[][]; output: Label[] } {
  const expand = (term: string, extra: number): Label[] => {
    const [before, after] = term.split("...");
    if (after === undefined) return [...term];
    return [...before!, ...Array.from({ length: extra }, (_, i): Label => i - extra), ...after];
  };
  const expanded = inputs.map((term, i) => {
    const letters = term.replace("...", "").length;
    const extra = ranks[i]! - letters;
    if (extra < 0 || (extra > 0 && !term.includes("...")))
      throw equationError(term, `the operand has ${ranks[i]} dimensions`);
    return expand(term, extra);
  });
  const dots = Math.max(0, ...expanded.map((labels) => labels.filter((l) => typeof l === "number").length));
  if (output !== undefined) {
    const labels = expand(output, dots);
    const seen = new Set<Label>(expanded.flat());
    const stray = labels.find((l) => !seen.has(l));
    if (stray !== undefined) throw equationError(output, `no operand has the axis ${String(stray)} of the result`);
    if (new Set(labels).size !== labels.length) throw equationError(output, "an axis of the result stands twice");
    return { inputs: expanded, output: labels };
  }
  const all = expanded.flat();
  const once = all.filter((l) => typeof l === "string" && all.indexOf(l) === all.lastIndexOf(l)) as string[];
  return {
    inputs: expanded,
    output: [...Array.from({ length: dots }, (_, i) => i - dots), ...once.sort((a, b) => (a < b ? -1 : 1))],
  };
}

/** Axes of one label must have one length, or 1. @throws ShapeError `contract-length`. */
function checkLengths(arrays: readonly NDArray[], inputs: readonly Label[][]): void {
  const lengths = new Map<Label, number>();
  inputs.forEach((labels, i) => {
    labels.forEach((l, axis) => {
      const d = arrays[i]!.shape[axis]!;
      const known = lengths.get(l);
      if (known !== undefined && known !== 1 && d !== 1 && d !== known) {
        throw new ShapeError({
          code: "contract-length",
          message: `einsum: axis ${String(l)} has lengths ${known} and ${d}`,
          details: arrays.map((x, k) => [`operand ${k}`, x.describe()] as const),
        });
      }
      if (known === undefined || known === 1) lengths.set(l, d);
    });
  });
}

/** A label that stands twice in one operand means its diagonal. */
function takeDiagonals(x: NDArray, labels: readonly Label[]): Labelled {
  const twice = labels.find((l, i) => labels.indexOf(l) !== i);
  if (twice === undefined) return { x, labels };
  const [i, j] = [labels.indexOf(twice), labels.lastIndexOf(twice)];
  const rest = labels.map((_, k) => k).filter((k) => k !== i && k !== j);
  const diagonal = diagonalOf(p.transpose(x, [...rest, i, j]), 0);
  return takeDiagonals(diagonal, [...rest.map((k) => labels[k]!), twice]);
}

/** Contracts pairs until one array is left: always the pair whose result adds the fewest elements. */
function contractAll(operands: readonly Labelled[], output: readonly Label[]): NDArray {
  let rest = operands.map((o, i) =>
    sumLabels(o, (l) => output.includes(l) || operands.some((other, k) => k !== i && other.labels.includes(l))),
  );
  while (rest.length > 1) {
    const [i, j] = rest.length === 2 ? [0, 1] : cheapestPair(rest, output);
    const others = rest.filter((_, k) => k !== i && k !== j);
    const joined = contract("einsum", rest[i]!, rest[j]!, resultLabels(rest[i]!, rest[j]!, others, output));
    rest = [...others, joined];
  }
  return arrange(rest[0]!, output);
}

/** Labels that the product of two operands keeps, in the order of the result where it has them. */
function resultLabels(a: Labelled, b: Labelled, others: readonly Labelled[], output: readonly Label[]): Label[] {
  const all = [...new Set([...a.labels, ...b.labels])];
  const kept = all.filter((l) => output.includes(l) || others.some((o) => o.labels.includes(l)));
  return [...output.filter((l) => kept.includes(l)), ...kept.filter((l) => !output.includes(l))];
}

function cheapestPair(rest: readonly Labelled[], output: readonly Label[]): [number, number] {
  let best: [number, number] = [0, 1];
  let cost = Infinity;
  const length = (a: Labelled, b: Labelled, l: Label): number =>
    Math.max(...[a, b].map((o) => (o.labels.includes(l) ? o.x.shape[o.labels.indexOf(l)]! : 0)));
  for (let i = 0; i < rest.length; i++) {
    for (let j = i + 1; j < rest.length; j++) {
      const [a, b] = [rest[i]!, rest[j]!];
      const others = rest.filter((_, k) => k !== i && k !== j);
      const kept = resultLabels(a, b, others, output);
      const added = sizeOf(kept.map((l) => length(a, b, l))) - a.x.size - b.x.size;
      if (added < cost) [cost, best] = [added, [i, j]];
    }
  }
  return best;
}
