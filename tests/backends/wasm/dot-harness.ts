import {
  dotParameters,
  dotScratchBytes,
  dotUnits,
  emitDot,
  type DotOptions,
} from "../../../src/backends/wasm/dot/dot.js";
import { ModuleBuilder } from "../../../src/backends/wasm/module-builder.js";
import type { DotKernel, MatrixLayout } from "../../../src/kernel-ir/kernel.js";

/** The memory order of a matrix with batch axes: axes named outermost first, with unused elements behind each. */
export interface Arrangement {
  /** "b" (all batch axes), "r", "c" in memory order, outermost first. */
  readonly order: string;
  /** Elements skipped after each innermost run. */
  readonly padding?: number;
  readonly offset?: number;
  /** Elements between neighbours of the innermost axis. */
  readonly inner?: number;
  /** Batch axes along which the matrix is the same. */
  readonly broadcast?: readonly boolean[];
}

export interface Laid {
  readonly layout: MatrixLayout;
  readonly length: number;
}

/** Strides of a batch of rows × cols matrices arranged so. */
export function lay(batch: readonly number[], rows: number, cols: number, how: Arrangement): Laid {
  const offset = how.offset ?? 0;
  let stride = how.inner ?? 1;
  let length = 1;
  const steps = { row: 0, col: 0, batch: batch.map(() => 0) };
  const place = (size: number): number => {
    const step = stride;
    length += Math.max(0, size - 1) * step;
    stride = Math.max(1, size) * step + (how.padding ?? 0);
    return step;
  };
  for (const axis of [...how.order].reverse()) {
    if (axis === "r") steps.row = place(rows);
    else if (axis === "c") steps.col = place(cols);
    else for (let i = batch.length - 1; i >= 0; i--) if (!how.broadcast?.[i]) steps.batch[i] = place(batch[i]!);
  }
  return { layout: { offset, ...steps }, length: offset + length };
}

export interface DotCase {
  readonly type?: "f32" | "f64";
  readonly batch?: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly lhs?: Arrangement;
  readonly rhs?: Arrangement;
  readonly out?: Arrangement;
}

export function makeDot(c: DotCase): DotKernel {
  const { type = "f32", batch = [], m, n, k } = c;
  const lhs = lay(batch, m, k, c.lhs ?? { order: "brc" });
  const rhs = lay(batch, k, n, c.rhs ?? { order: "brc" });
  const out = lay(batch, m, n, c.out ?? { order: "brc" });
  return {
    kind: "dot",
    name: "dot",
    type,
    buffers: [
      { type, access: "read", length: lhs.length },
      { type, access: "read", length: rhs.length },
      { type, access: "write", length: out.length },
    ],
    batch,
    m,
    n,
    k,
    lhs: lhs.layout,
    rhs: rhs.layout,
    out: out.layout,
  };
}

type DotFunction = (
  lo: number,
  hi: number,
  lhs: number,
  rhs: number,
  out: number,
  scratch: number,
  block: number,
) => void;

export interface CompiledDot {
  readonly memory: WebAssembly.Memory;
  readonly run: DotFunction;
}

export function compileDot(kernel: DotKernel, options: DotOptions): CompiledDot {
  const m = new ModuleBuilder();
  m.exportFunction("dot", emitDot(m, kernel, options));
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65536 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(m.toBytes()), { env: { memory } });
  return { memory, run: exports["dot"] as DotFunction };
}

export type Floats = Float32Array | Float64Array;
const arrays = { f32: Float32Array, f64: Float64Array };

/** Bytes behind every allocation that a kernel may read. */
const SLACK = 16;

/**
 * Runs a dot on the operands' buffers; `out` holds `fill` where nothing is written. `ranges`: the units of each call. The
 * `last` operand lies at the end of the memory, so that reading beyond the slack behind it traps.
 */
export function runDot(
  kernel: DotKernel,
  compiled: CompiledDot,
  operands: readonly [Floats, Floats],
  fill: number,
  ranges: readonly (readonly [number, number])[] = [[0, dotUnits(kernel)]],
  last: 0 | 1 = 1,
): Floats {
  const { memory, run } = compiled;
  const align = (n: number): number => Math.ceil(n / 16) * 16;
  const outLength = kernel.buffers[2]!.length;
  const block = dotParameters(kernel);
  const first = 16;
  const out = align(first + operands[1 - last]!.byteLength + SLACK);
  const scratch = align(out + outLength * 8 + SLACK);
  const guard = align(scratch + dotScratchBytes(kernel));
  const parameters = guard + 16;
  const used = parameters + block.length * 4;
  const pages = Math.ceil((used + operands[last]!.byteLength + SLACK) / 65536) - memory.buffer.byteLength / 65536;
  if (pages > 0) memory.grow(pages);
  const end = memory.buffer.byteLength - SLACK - operands[last]!.byteLength;
  const [lhs, rhs] = last === 1 ? [first, end] : [end, first];
  // Garbage everywhere, so that whatever reads what it should not shows.
  new Float32Array(memory.buffer).fill(NaN);
  const view = (at: number, length: number): Floats => new arrays[kernel.type](memory.buffer, at, length);
  view(lhs, operands[0].length).set(operands[0]);
  view(rhs, operands[1].length).set(operands[1]);
  view(out, outLength).fill(fill);
  new Int32Array(memory.buffer, parameters, block.length).set(block);
  const guards = (): number[] => [0, guard].flatMap((at) => [...new Uint32Array(memory.buffer, at, 4)]);
  for (const at of [0, guard]) new Uint32Array(memory.buffer, at, 4).fill(GUARD);
  for (const [lo, hi] of ranges) run(lo, hi, lhs, rhs, out, scratch, parameters);
  if (!guards().every((word) => word === GUARD)) throw new Error("written where nothing of the dot's lies");
  return view(out, outLength).slice();
}

const GUARD = 0x5a5a5a5a;

/** Every batch index of the kernel. */
function* batches(shape: readonly number[]): Generator<readonly number[]> {
  const [size, ...rest] = shape;
  if (size === undefined) yield [];
  else for (let i = 0; i < size; i++) for (const tail of batches(rest)) yield [i, ...tail];
}

/**
 * The product in float64 and, for each element, the sum of the terms' magnitudes; elements that the kernel does not write
 * hold `fill`.
 */
export function referenceDot(
  kernel: DotKernel,
  [lhs, rhs]: readonly [Floats, Floats],
  fill: number,
): { readonly value: Float64Array; readonly scale: Float64Array } {
  const length = kernel.buffers[2]!.length;
  const value = new Float64Array(length).fill(fill);
  const scale = new Float64Array(length);
  const at = (l: MatrixLayout, b: readonly number[], i: number, j: number): number =>
    l.offset + b.reduce((sum, x, axis) => sum + x * l.batch[axis]!, 0) + i * l.row + j * l.col;
  for (const b of batches(kernel.batch))
    for (let i = 0; i < kernel.m; i++)
      for (let j = 0; j < kernel.n; j++) {
        let sum = 0;
        let magnitude = 0;
        for (let p = 0; p < kernel.k; p++) {
          const term = lhs[at(kernel.lhs, b, i, p)]! * rhs[at(kernel.rhs, b, p, j)]!;
          sum += term;
          magnitude += Math.abs(term);
        }
        const o = at(kernel.out, b, i, j);
        value[o] = sum;
        scale[o] = magnitude;
      }
  return { value, scale };
}

/** Numbers in [-1, 1), the same every time. */
export function noise(type: "f32" | "f64", length: number, seed: number): Floats {
  const out = new arrays[type](length);
  let state = (seed * 2654435761 + 1) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[i] = state / 2 ** 31 - 1;
  }
  return out;
}
