import type { NDArray } from "../core/array.js";
import { broadcastShapes, type Shape } from "../core/aval.js";
import { signature as parameters } from "../core/calling.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import { asArray } from "../core/literal.js";
import type { Ins } from "../core/types.js";
import * as p from "../primitives/all.js";
import { requireFunction } from "../transforms/arguments.js";
import { vmap } from "../transforms/vmap.js";

/** Functions of scalars, vectors or matrices made to work on stacks of them. */

export interface VectorizeOptions {
  /** Positions of arguments that are handed over as they are, of any type. */
  readonly excluded?: readonly number[] | ReadonlySet<number> | undefined;
  /** The axes the function itself works on, by name: `"(m,n),(n)->(m)"`. By default it takes and gives scalars. */
  readonly signature?: string | null | undefined;
}

type CoreDims = readonly string[];
interface GufuncSignature {
  readonly inputs: readonly CoreDims[];
  readonly outputs: readonly CoreDims[];
}

const coreList = String.raw`\((?:\w+(?:,\w+)*)?\)`;
const signaturePattern = new RegExp(`^${coreList}(?:,${coreList})*->${coreList}(?:,${coreList})*$`);

/** Parses NumPy's signatures of generalised ufuncs. @throws ArgumentError `gufunc-signature`. */
function parseSignature(text: string): GufuncSignature {
  const bare = text.replaceAll(/\s/g, "");
  if (!signaturePattern.test(bare)) {
    throw new ArgumentError({
      code: "gufunc-signature",
      message: `vectorize: ${JSON.stringify(text)} is not a signature`,
      hint: 'for example "(m,n),(n)->(m)"',
    });
  }
  const [inputs, outputs] = bare
    .split("->")
    .map((side) => [...side.matchAll(/\(([^)]*)\)/g)].map((m) => (m[1] === "" ? [] : m[1]!.split(","))));
  return { inputs: inputs!, outputs: outputs! };
}

/** Notes the lengths of an array's core axes. @throws ShapeError `gufunc-shape`. */
function noteLengths(lengths: Map<string, number>, shape: Shape, core: CoreDims, what: string): void {
  const own = shape.slice(shape.length - core.length);
  core.forEach((name, i) => {
    const known = lengths.get(name);
    if (known !== undefined && known !== own[i]) {
      throw new ShapeError({
        code: "gufunc-shape",
        message: `vectorize: axis ${name} of ${what} has length ${own[i]}, but ${known} before`,
        details: [[what, `[${shape.join(",")}]`]],
      });
    }
    lengths.set(name, own[i]!);
  });
}

function checkOutputs(
  out: unknown,
  outputs: readonly CoreDims[] | undefined,
  lengths: ReadonlyMap<string, number>,
): void {
  const list = (Array.isArray(out) ? out : [out]) as readonly unknown[];
  const expected = outputs ?? list.map(() => []);
  if (list.length !== expected.length) {
    throw new ArgumentError({
      code: "gufunc-outputs",
      message: `vectorize: the function gave ${list.length} results where its signature has ${expected.length}`,
    });
  }
  const all = new Map(lengths);
  list.forEach((y, i) => {
    const { shape } = asArray(y, "vectorize", "a result");
    if (shape.length !== expected[i]!.length) {
      throw new ShapeError({
        code: "gufunc-shape",
        message: `vectorize: result ${i} has ${shape.length} axes where the signature has ${expected[i]!.length}`,
        details: [["result", `[${shape.join(",")}]`]],
        hint: "say with {signature} on which axes the function works",
      });
    }
    noteLengths(all, shape, expected[i]!, `result ${i}`);
  });
}

const params = /* @__PURE__ */ parameters<VectorizeOptions & { pyfunc: (...args: never[]) => unknown }>(
  "vectorize",
  1,
  ["pyfunc"],
  { byName: ["excluded", "signature"] },
);
/**
 * A function that broadcasts its arguments and maps over all their axes but those that `signature` names.
 *
 * @throws ArgumentError `not-a-function`, `gufunc-inputs`; ShapeError `shape-broadcast`.
 * @example
 * const rows = np.vectorize((a, b) => np.dot(a, b), { signature: "(n),(n)->()" });
 * rows(np.array([[1, 2], [3, 4]]), np.array([1, 1])); // [3, 7]
 */
export function vectorize<A extends readonly NDArray[], R>(
  pyfunc: (...args: A) => R,
  options?: VectorizeOptions,
): (...args: Ins<A>) => R;
export function vectorize<A extends readonly unknown[], R>(
  pyfunc: (...args: A) => R,
  options?: VectorizeOptions,
): (...args: Ins<A>) => R;
export function vectorize(): (...args: unknown[]) => unknown {
  const { pyfunc, excluded, signature } = params(arguments);
  requireFunction(pyfunc, "vectorize");
  const f = pyfunc as (...args: unknown[]) => unknown;
  const kept = new Set(excluded ?? []);
  const parsed = signature === undefined || signature === null ? undefined : parseSignature(signature);
  return (...given) => {
    // A null is no array, and the same for all.
    const fixed = given.map((x, i) => kept.has(i) || x === null);
    const arrays = given.flatMap((x, i) => (fixed[i] ? [] : [asArray(x, "vectorize", `argument ${i}`)]));
    const call = (...xs: readonly NDArray[]): unknown => {
      let next = 0;
      return f(...given.map((x, i) => (fixed[i] ? x : xs[next++]!)));
    };
    const free = given.map((_, i) => i).filter((i) => !kept.has(i));
    if (parsed !== undefined && parsed.inputs.length !== free.length) {
      throw new ArgumentError({
        code: "gufunc-inputs",
        message: `vectorize: ${free.length} arguments where the signature has ${parsed.inputs.length}`,
      });
    }
    const inputs =
      parsed === undefined ? arrays.map((): CoreDims => []) : parsed.inputs.filter((_, k) => !fixed[free[k]!]);
    return mapOver(call, arrays, inputs, parsed?.outputs);
  };
}

function mapOver(
  call: (...xs: readonly NDArray[]) => unknown,
  arrays: readonly NDArray[],
  inputs: readonly CoreDims[],
  outputs: readonly CoreDims[] | undefined,
): unknown {
  const lengths = new Map<string, number>();
  const outer = arrays.map((x, i) => {
    const core = inputs[i]!;
    if (x.ndim < core.length) {
      throw new ShapeError({
        code: "gufunc-shape",
        message: `vectorize: argument ${i} needs the axes (${core.join(",")})`,
        details: [[`argument ${i}`, x.describe()]],
      });
    }
    noteLengths(lengths, x.shape, core, `argument ${i}`);
    return x.shape.slice(0, x.ndim - core.length);
  });
  const shape = broadcastShapes(outer, "vectorize");
  // Axes of length 1 are taken away and not mapped; where all have length 1 the result gets one.
  const squeezed = arrays.map((x, i) => {
    const dims = outer[i]!.flatMap((n, k) => (n === 1 ? [k] : []));
    return dims.length === 0 ? x : p.squeeze(x, dims);
  });
  let mapped = (...xs: readonly NDArray[]): unknown => {
    const out = call(...xs);
    checkOutputs(out, outputs, lengths);
    return out;
  };
  const expand: number[] = [];
  for (let k = shape.length - 1; k >= 0; k--) {
    const inAxes = outer.map((s) => ((s[k - (shape.length - s.length)] ?? 1) === 1 ? null : 0));
    if (inAxes.every((a) => a === null)) expand.unshift(k);
    else mapped = vmap(mapped as (...xs: NDArray[]) => unknown, { inAxes }) as typeof mapped;
  }
  const out = mapped(...squeezed);
  if (expand.length === 0) return out;
  const widen = (y: unknown): NDArray => p.expandDims(asArray(y), expand);
  return Array.isArray(out) ? out.map(widen) : widen(out);
}
