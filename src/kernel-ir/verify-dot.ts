import { InternalError } from "../core/errors.js";
import type { Index } from "./index-expr.js";
import type { BufferArg, Digit, DotKernel, MatrixLayout } from "./kernel.js";
import { printIndex, printStatement } from "./printer.js";
import type { Expr } from "./scalar.js";
import { isCount, require } from "./verify-checks.js";
import { type ExprScope, verifyExpr, verifyIndex } from "./verify-expr.js";

/** Checks a product: where its operands and result lie, and what its epilogue reads and stores. */
export function verifyDot(kernel: DotKernel): void {
  const { batch, m, n, k, type, buffers } = kernel;
  require([...batch, m, n, k].every(isCount), () => `sizes [${batch}], ${m}, ${n}, ${k}`);
  require(buffers.length >= 3, () => `${buffers.length} buffers where a dot takes 3`);
  verifyMatrix(kernel, "lhs", 0, kernel.lhs, m, k);
  verifyMatrix(kernel, "rhs", 1, kernel.rhs, k, n);
  if (kernel.epilogue !== undefined) return verifyEpilogue(kernel, kernel.epilogue);
  require(buffers.length === 3, () => `${buffers.length} buffers where a dot without epilogue takes 3`);
  require(type === buffers[2]!.type, () => `out of type ${buffers[2]!.type} in a dot of ${type}`);
  verifyMatrix(kernel, "out", 2, kernel.out, m, n);
  verifyDistinct(kernel);
}

function verifyMatrix(
  { buffers, type, batch }: DotKernel,
  name: string,
  buffer: number,
  layout: MatrixLayout,
  rows: number,
  cols: number,
): void {
  const arg = buffers[buffer]!;
  require(arg.type === type, () => `${name} of type ${arg.type} in a dot of ${type}`);
  require(arg.access === (buffer === 2 ? "write" : "read") || arg.access === "readwrite", () =>
    `${name} with access ${arg.access}`);
  require(layout.batch.length === batch.length, () =>
    `${name} with ${layout.batch.length} batch strides for ${batch.length} axes`);
  const { digits } = layout;
  if (digits !== undefined) {
    require(buffer !== 2, () => `a result whose place is told by digits`);
    const fits = (d: readonly Digit[], n: number): boolean => d.reduce((size, { size: s }) => size * s, 1) === n;
    require(fits(digits.rows, rows) && fits(digits.cols, cols), () => `${name}'s digits do not count its elements`);
    require(layout.row === 0 && layout.col === 0, () => `${name} with strides beside digits`);
  }
  if ([...batch, rows, cols].includes(0)) return;
  const [lo, hi] = layoutRange(layout, batch, rows, cols);
  require(lo >= 0 && hi < arg.length, () => `${name} lies in [${lo}, ${hi}] of a buffer of ${arg.length} elements`);
}

/** Lowest and highest element of a matrix in its buffer. */
function layoutRange(l: MatrixLayout, batch: readonly number[], rows: number, cols: number): readonly [number, number] {
  const spans = [...batch.map((n, k) => (n - 1) * l.batch[k]!), (rows - 1) * l.row, (cols - 1) * l.col];
  for (const { size, stride } of [...(l.digits?.rows ?? []), ...(l.digits?.cols ?? [])])
    spans.push((size - 1) * stride);
  return [spans.reduce((a, s) => a + Math.min(s, 0), l.offset), spans.reduce((a, s) => a + Math.max(s, 0), l.offset)];
}

/** Places of the result are distinct if every stride passes all that the smaller ones reach. */
function verifyDistinct({ batch, m, n, out }: DotKernel): void {
  const axes = [...batch.map((e, a) => [e, out.batch[a]!] as const), [m, out.row] as const, [n, out.col] as const];
  let reach = 0;
  for (const [extent, stride] of axes.filter(([e]) => e > 1).sort((a, b) => Math.abs(a[1]) - Math.abs(b[1]))) {
    require(Math.abs(stride) > reach, () => `out's strides place two elements at one`);
    reach += (extent - 1) * Math.abs(stride);
  }
}

function verifyEpilogue(kernel: DotKernel, epilogue: NonNullable<DotKernel["epilogue"]>): void {
  const { batch, m, n, type, buffers } = kernel;
  const axes = [...batch, m, n];
  const isEmpty = axes.includes(0);
  const inBounds = (arg: BufferArg, buffer: number, index: Index, what: string): void => {
    if (isEmpty || (index.lo >= 0 && index.hi < arg.length)) return;
    throw new InternalError(`a ${what} outside of buffer ${buffer}`, [
      ["index", printIndex(index)],
      ["range", `[${index.lo}, ${index.hi}]`],
      ["elements", String(arg.length)],
    ]);
  };
  const scope: ExprScope = {
    axes,
    load: (buffer, loaded, index) => {
      const arg = buffers[buffer];
      require(arg !== undefined && buffer > 2, () => `an epilogue that loads from buffer ${buffer}`);
      require(arg.access !== "write", () => `a load from buffer ${buffer}, which is only written`);
      require(arg.type === loaded, () => `a load of type ${loaded} from buffer ${buffer} of type ${arg.type}`);
      inBounds(arg, buffer, index, "load");
    },
    slot: (slot, read) =>
      require(slot === 0 && read === type, () => `an epilogue that reads slot ${slot} as ${read} in a dot of ${type}`),
    keep: (keep) => require(false, () => `an epilogue that reads row buffer ${keep}`),
  };
  require(epilogue.length > 0, () => "an epilogue without statements");
  const seen = new Set<Expr>();
  for (const s of epilogue) {
    if (s.kind !== "store")
      throw new InternalError(`an epilogue with a statement that is no store: ${printStatement(s)}`);
    const arg = buffers[s.buffer];
    require(arg !== undefined && s.buffer >= 2 && arg.access !== "read", () =>
      `an epilogue that stores to buffer ${s.buffer}`);
    require(arg.type === s.value.type, () =>
      `a store of type ${s.value.type} to buffer ${s.buffer} of type ${arg.type}`);
    verifyExpr(s.value, scope, seen);
    verifyIndex(s.index, scope, seen);
    inBounds(arg, s.buffer, s.index, "store");
  }
}
