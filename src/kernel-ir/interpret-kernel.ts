import type { TypedArray } from "../core/dtype.js";
import { InternalError } from "../core/errors.js";
import { CheckedBuffer, CheckedMemory, type MemoryRange, PointOrder } from "./checked-memory.js";
import { type ExprContext, ExprTape } from "./expr-tape.js";
import { runDot } from "./interpret-dot.js";
import type { Kernel, NestKernel, SortKernel, Statement } from "./kernel.js";
import { forPoints } from "./points.js";
import type { CombineOp, ScalarType } from "./scalar.js";
import { type FmaRounding, scalarFunction, type ScalarFunction, type ScalarValue, toScalar } from "./scalar-eval.js";

export interface InterpretOptions {
  readonly fma?: FmaRounding;
}

/** Runs a kernel over typed arrays, element by element as its definition says. Arrays on one ArrayBuffer overlap where they do. */
export function interpretKernel(kernel: Kernel, buffers: readonly TypedArray[], options: InterpretOptions = {}): void {
  const memories = new Map<ArrayBufferLike, CheckedMemory>();
  const ranges = buffers.map((array): MemoryRange => {
    let memory = memories.get(array.buffer);
    if (memory === undefined)
      memories.set(array.buffer, (memory = new CheckedMemory(array.buffer as ArrayBuffer, true)));
    return { memory, offset: array.byteOffset, bytes: array.byteLength };
  });
  runKernel(kernel, ranges, options);
}

/** Runs a kernel over ranges of checked memory. */
export function runKernel(kernel: Kernel, ranges: readonly MemoryRange[], options: InterpretOptions = {}): void {
  if (ranges.length !== kernel.buffers.length) {
    throw new InternalError(`kernel ${kernel.name} takes ${kernel.buffers.length} buffers, not ${ranges.length}`);
  }
  const order = new PointOrder(kernel.kind === "nest" && kernel.sequential);
  const buffers = ranges.map(
    (range, i) => new CheckedBuffer(range, kernel.buffers[i]!, `kernel ${kernel.name}, buffer ${i}`, order),
  );
  switch (kernel.kind) {
    case "nest":
      return new NestRun(kernel, buffers, order, options.fma ?? "twice").run();
    case "dot":
      return runDot(kernel, buffers, order, options.fma ?? "twice");
    case "sort":
      return runSort(kernel, buffers, order);
  }
}

class NestRun implements ExprContext {
  private readonly point: number[];
  private readonly slots: ScalarValue[];
  private readonly keeps: (ScalarValue | undefined)[][];
  private element = 0;

  constructor(
    private readonly kernel: NestKernel,
    private readonly buffers: readonly CheckedBuffer[],
    private readonly order: PointOrder,
    private readonly rounding: FmaRounding,
  ) {
    this.point = [...kernel.parallel, ...kernel.reduced].map(() => 0);
    this.slots = kernel.slots.map(({ type, initial }) => toScalar(type, initial));
    const size = kernel.reduced.reduce((a, b) => a * b, 1);
    this.keeps = kernel.keeps.map(() => new Array<ScalarValue | undefined>(size).fill(undefined));
  }

  axis(axis: number): number {
    return this.point[axis]!;
  }
  load(buffer: number, index: number): ScalarValue {
    return this.buffers[buffer]!.read(index);
  }
  slot(slot: number): ScalarValue {
    return this.slots[slot]!;
  }
  keep(keep: number): ScalarValue {
    const value = this.keeps[keep]![this.element];
    if (value === undefined)
      throw new InternalError(`kernel ${this.kernel.name}: row buffer ${keep} is read before it is written`);
    return value;
  }

  run(): void {
    try {
      this.rows();
    } catch (error) {
      if (!(error instanceof InternalError)) throw error;
      throw new InternalError(error.message.replace(/^internal: | \[internal\][^]*$/g, ""), [
        ["kernel", this.kernel.name],
        ["point", `[${this.point.join(", ")}]`],
      ]);
    }
  }

  private rows(): void {
    const { kernel, order } = this;
    const phases = kernel.phases.map(({ body, after }) => ({
      slots: [...new Set(body.flatMap((s) => (s.kind === "accumulate" ? [s.slot] : [])))],
      body: this.statements(body),
      after: this.statements(after),
    }));
    forPoints(kernel.parallel, this.point, 0, () => {
      order.nextRow();
      for (const keep of this.keeps) keep.fill(undefined);
      for (const phase of phases) {
        for (const s of phase.slots) this.slots[s] = toScalar(kernel.slots[s]!.type, kernel.slots[s]!.initial);
        order.nextPhase();
        forPoints(kernel.reduced, this.point, kernel.parallel.length, (element) => {
          this.element = element;
          order.nextPoint();
          phase.body();
        });
        order.nextPhase();
        phase.after();
      }
    });
  }

  /**
   * One function for a list of statements. Values that statements share are computed once, and stores come after all values:
   * only a sequential nest sees in one statement what the one before it wrote.
   */
  private statements(list: readonly Statement[]): () => void {
    const { sequential } = this.kernel;
    if (sequential) {
      const runs = list.map((s) => {
        const tape = new ExprTape(this, this.rounding);
        const effect = this.statement(s, tape);
        return () => {
          tape.run();
          effect()?.();
        };
      });
      return () => runs.forEach((run) => run());
    }
    const tape = new ExprTape(this, this.rounding);
    const steps = list.map((s) => {
      const from = tape.length;
      const effect = this.statement(s, tape);
      const to = tape.length;
      return () => {
        tape.run(from, to);
        return effect();
      };
    });
    return () => {
      const stores = steps.map((step) => step());
      for (const store of stores) store?.();
    };
  }

  /** The effect of a statement once its values are computed: at once, or as a function that stores. */
  private statement(s: Statement, tape: ExprTape): () => (() => void) | undefined {
    const { kernel } = this;
    const value = tape.add(s.value);
    switch (s.kind) {
      case "store": {
        const buffer = this.buffers[s.buffer]!;
        const index = tape.index(s.index);
        return () => {
          const v = value();
          const i = index();
          return () => buffer.write(i, v);
        };
      }
      case "update": {
        if (!kernel.sequential)
          throw new InternalError(`kernel ${kernel.name}: an update in a nest that is not sequential`);
        const buffer = this.buffers[s.buffer]!;
        const index = tape.index(s.index);
        const when = s.when === null ? undefined : tape.add(s.when);
        const combine = s.combine === null ? undefined : combiner(s.combine, kernel.buffers[s.buffer]!.type);
        return () => {
          if (when !== undefined && when() === 0) return undefined;
          const v = value();
          // The index promises its range only where `when` holds.
          const i = index();
          return () => buffer.write(i, combine === undefined ? v : combine(buffer.read(i), v));
        };
      }
      case "keep":
        return () => {
          this.keeps[s.keep]![this.element] = value();
          return undefined;
        };
      case "accumulate": {
        const { type, combine } = kernel.slots[s.slot]!;
        const f = combiner(combine, type);
        return () => {
          this.slots[s.slot] = f(this.slots[s.slot]!, value());
          return undefined;
        };
      }
    }
  }
}

function combiner(op: CombineOp, type: ScalarType): ScalarFunction {
  const f = scalarFunction(op, type, type);
  if (f === undefined) throw new InternalError(`there is no ${op} of ${type}`);
  return f;
}

/** Floats: NaNs equal and last, −0 equal to 0. */
function compareKeys(x: number, y: number): number {
  if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
  return x < y ? -1 : x > y ? 1 : 0;
}

function runSort(kernel: SortKernel, buffers: readonly CheckedBuffer[], order: PointOrder): void {
  const { outer, n, inner, operands, numKeys, descending, count } = kernel;
  for (let row = 0; row < outer * inner; row++) {
    // A sort has no order between what it reads and writes: its outputs are never its inputs.
    order.nextRow();
    const at = (i: number, length = n): number => (Math.floor(row / inner) * length + i) * inner + (row % inner);
    const positions = Array.from({ length: n }, (_, i) => i);
    const columns = Array.from({ length: operands }, (_, c) => positions.map((i) => buffers[c]!.read(at(i))));
    positions.sort((i, j) => {
      for (let c = 0; c < numKeys; c++) {
        const sign = compareKeys(columns[c]![i]!, columns[c]![j]!);
        if (sign !== 0) return descending ? -sign : sign;
      }
      return i - j;
    });
    order.nextRow();
    const first = positions.slice(0, count);
    columns.forEach((column, c) =>
      first.forEach((from, i) => buffers[operands + c]!.write(at(i, count), column[from]!)),
    );
  }
}
