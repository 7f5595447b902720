import { InternalError } from "../../core/errors.js";
import { dtypeInfo, type DType, type TypedArray } from "../../core/dtype.js";
import {
  type Backend,
  type DeviceBuffer,
  type Executable,
  isScalarInput,
  type ScalarInput,
} from "../../kernel-ir/backend.js";
import type { DotKernel, Kernel, MatrixLayout, SortKernel } from "../../kernel-ir/kernel.js";
import type { BufferRef, Program, Step } from "../../kernel-ir/program.js";
import { Points, Store, View } from "./memory.js";
import { runNest } from "./nest.js";

/**
 * A backend that interprets programs, for tests of the compiler: every access is checked against the bounds that kernels declare,
 * points that have no order among them may not touch what the other writes, and memory that nobody wrote reads as NaN.
 */
export class InterpreterBackend implements Backend {
  readonly name: string;
  private allocated = 0;
  private programs = 0;

  constructor(name = "interpreter") {
    this.name = name;
  }
  supports(_dtype: DType): boolean {
    return true;
  }
  allocate(bytes: number): Store {
    const store = new Store(bytes);
    this.allocated += store.bytes;
    return store;
  }
  free(buffer: DeviceBuffer): void {
    const store = storeOf(buffer);
    if (store.freed) throw new InternalError("memory is freed twice");
    store.freed = true;
    this.allocated -= store.bytes;
  }
  write(buffer: DeviceBuffer, data: TypedArray): void {
    bytesOf(storeOf(buffer).data, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  readSync(buffer: DeviceBuffer, into: TypedArray): void {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(bytesOf(storeOf(buffer).data, into.byteLength));
  }
  async read(buffer: DeviceBuffer, into: TypedArray): Promise<void> {
    this.readSync(buffer, into);
  }
  compile(program: Program): Executable {
    this.programs++;
    return {
      run: (inputs, outputs) => call(program, 0, inputs.map(operand), outputs.map(operand)),
      text: () => JSON.stringify(program, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v), 1),
    };
  }
  stats(): { heapBytes: number; allocatedBytes: number; modules: number } {
    return { heapBytes: this.allocated, allocatedBytes: this.allocated, modules: this.programs };
  }
}

interface Place {
  readonly store: Store;
  readonly offset: number;
}

function storeOf(b: DeviceBuffer): Store {
  if (!(b instanceof Store)) throw new InternalError("a buffer of another backend");
  return b;
}

function operand(x: DeviceBuffer | ScalarInput): Place {
  if (!isScalarInput(x)) return { store: storeOf(x), offset: 0 };
  const info = dtypeInfo[x.dtype];
  const store = new Store(info.bytes);
  const word = new info.storage(1);
  word[0] = x.scalar;
  bytesOf(store.data, word.byteLength).set(new Uint8Array(word.buffer));
  return { store, offset: 0 };
}

function bytesOf(data: ArrayBuffer, length: number, offset = 0): Uint8Array {
  if (offset + length > data.byteLength)
    throw new InternalError(`${length} bytes at ${offset} of a buffer of ${data.byteLength}`);
  return new Uint8Array(data, offset, length);
}

/** Calls a function of a program; its arena is new memory each time. */
function call(program: Program, fn: number, inputs: readonly Place[], outputs: readonly Place[]): void {
  const f = program.functions[fn];
  if (!f) throw new InternalError(`program ${program.name} has no function ${fn}`);
  const arena = new Store(f.arenaBytes);
  const at = (ref: BufferRef): Place => {
    const place =
      ref.kind === "arena"
        ? { store: arena, offset: ref.offset }
        : (ref.kind === "input" ? inputs : outputs)[ref.index];
    if (!place) throw new InternalError(`${f.name} has no ${ref.kind} ${"index" in ref ? ref.index : ""}`);
    return place;
  };
  for (const step of f.steps) runStep(program, step, at);
}

function runStep(program: Program, step: Step, at: (ref: BufferRef) => Place): void {
  switch (step.kind) {
    case "launch":
      launch(program.kernels[step.kernel]!, step.args.map(at));
      return;
    case "call":
      call(program, step.fn, step.inputs.map(at), step.outputs.map(at));
      return;
    case "if":
      call(program, truth(at(step.predicate)) ? step.then : step.else, step.inputs.map(at), step.outputs.map(at));
      return;
    case "copy": {
      const [from, to] = [at(step.from), at(step.to)];
      bytesOf(to.store.data, step.bytes, to.offset).set(bytesOf(from.store.data, step.bytes, from.offset));
      return;
    }
    case "loop": {
      const state = step.state.map(at);
      const consts = step.consts.map(at);
      const types = program.functions[step.body]!.outputs;
      for (;;) {
        const predicate: Place = { store: new Store(4), offset: 0 };
        call(program, step.condition, [...consts, ...state], [predicate]);
        if (!truth(predicate)) return;
        const next = types.map((t): Place => ({ store: new Store(t.bytes), offset: 0 }));
        call(program, step.body, [...consts, ...state], next);
        next.forEach((n, i) => {
          const { store, offset } = state[i]!;
          bytesOf(store.data, types[i]!.bytes, offset).set(bytesOf(n.store.data, types[i]!.bytes));
        });
      }
    }
    case "callback":
      throw new InternalError("callbacks are not interpreted");
  }
}

const truth = ({ store, offset }: Place): boolean => new Int32Array(store.data, offset, 1)[0] !== 0;

function launch(kernel: Kernel, args: readonly Place[]): void {
  if (args.length !== kernel.buffers.length)
    throw new InternalError(`${kernel.name} takes ${kernel.buffers.length} buffers, not ${args.length}`);
  const points = new Points(kernel.kind === "nest" && kernel.sequential);
  const views = args.map(
    ({ store, offset }, i) => new View(store, offset, kernel.buffers[i]!, `${kernel.name}, buffer ${i}`, points),
  );
  switch (kernel.kind) {
    case "nest":
      runNest(kernel, views, points);
      return;
    case "dot":
      runDot(kernel, views, points);
      return;
    case "sort":
      runSort(kernel, views, points);
  }
}

/** Calls `body` with the offset of every matrix of a batch in each layout. */
function forBatch(kernel: DotKernel, body: (lhs: number, rhs: number, out: number) => void): void {
  const walk = (axis: number, lhs: number, rhs: number, out: number): void => {
    if (axis === kernel.batch.length) {
      body(lhs, rhs, out);
      return;
    }
    for (let b = 0; b < kernel.batch[axis]!; b++) {
      const step = (l: MatrixLayout): number => b * l.batch[axis]!;
      walk(axis + 1, lhs + step(kernel.lhs), rhs + step(kernel.rhs), out + step(kernel.out));
    }
  };
  walk(0, kernel.lhs.offset, kernel.rhs.offset, kernel.out.offset);
}

/** Sums in double, rounded once. */
function runDot(kernel: DotKernel, [a, b, c]: readonly View[], points: Points): void {
  const { lhs, rhs, out } = kernel;
  forBatch(kernel, (la, lb, lc) => {
    for (let i = 0; i < kernel.m; i++) {
      for (let j = 0; j < kernel.n; j++) {
        points.nextRow();
        let sum = 0;
        for (let k = 0; k < kernel.k; k++) {
          sum += a!.read(la + i * lhs.row + k * lhs.col) * b!.read(lb + k * rhs.row + j * rhs.col);
        }
        c!.write(lc + i * out.row + j * out.col, sum);
      }
    }
  });
}

function runSort(kernel: SortKernel, views: readonly View[], points: Points): void {
  const { outer, n, inner, operands, numKeys } = kernel;
  const compare = (x: number, y: number): number => {
    if (Number.isNaN(x) || Number.isNaN(y)) return Number(Number.isNaN(x)) - Number(Number.isNaN(y));
    return x < y ? -1 : x > y ? 1 : 0;
  };
  for (let o = 0; o < outer; o++) {
    for (let k = 0; k < inner; k++) {
      points.nextRow();
      const at = (i: number): number => (o * n + i) * inner + k;
      const columns = Array.from({ length: operands }, (_, c) =>
        Array.from({ length: n }, (_, i) => views[c]!.read(at(i))),
      );
      const order = Array.from({ length: n }, (_, i) => i).sort((i, j) => {
        for (let c = 0; c < numKeys; c++) {
          const sign = compare(columns[c]![i]!, columns[c]![j]!);
          if (sign !== 0) return sign;
        }
        return i - j;
      });
      columns.forEach((column, c) => order.forEach((from, i) => views[operands + c]!.write(at(i), column[from]!)));
    }
  }
}
