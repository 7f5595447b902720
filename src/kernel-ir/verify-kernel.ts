import { InternalError } from "../core/errors.js";
import type { Index } from "./index-expr.js";
import type { BufferArg, Kernel, NestKernel, Phase, SortKernel, Statement } from "./kernel.js";
import { printIndex, printStatement } from "./printer.js";
import type { Expr } from "./scalar.js";
import { scalarFunction } from "./scalar-eval.js";
import { isCount, require } from "./verify-checks.js";
import { verifyDot } from "./verify-dot.js";
import { type ExprScope, verifyExpr, verifyIndex } from "./verify-expr.js";

/** Checks a kernel's structure: types, access modes, ranges of indices, order of slots and row buffers. @throws InternalError */
export function verifyKernel(kernel: Kernel): void {
  try {
    kernel.buffers.forEach(verifyBuffer);
    if (kernel.kind === "nest") new NestCheck(kernel).verify();
    else if (kernel.kind === "dot") verifyDot(kernel);
    else verifySort(kernel);
  } catch (error) {
    if (!(error instanceof InternalError)) throw error;
    throw new InternalError(
      `kernel ${kernel.name}: ${error.message.replace(/^internal: | \[internal\][^]*$/g, "")}`,
      error.details,
    );
  }
}

function verifyBuffer({ type, length }: BufferArg, i: number): void {
  require(isCount(length), () => `buffer ${i} has ${length} elements`);
  require((type as string) !== "i64", () => `buffer ${i} is of type i64, which is never stored`);
}

class NestCheck {
  /** Slots by what has become of them, and row buffers by the phase that fills them. */
  private readonly slotPhase = new Map<number, number>();
  private readonly slotStatement = new Set<number>();
  private readonly keepPhase = new Map<number, number>();
  private readonly isEmpty: boolean;

  constructor(private readonly kernel: NestKernel) {
    this.isEmpty = [...kernel.parallel, ...kernel.reduced].includes(0);
  }

  verify(): void {
    const { kernel } = this;
    require([...kernel.parallel, ...kernel.reduced].every(isCount), () =>
      `extents [${kernel.parallel}] and [${kernel.reduced}]`);
    require(kernel.phases.length > 0, () => "no phases");
    kernel.slots.forEach((s, i) => {
      require(s.type !== "i64", () => `slot ${i} is of type i64, which is never stored`);
      require(scalarFunction(s.combine, s.type, s.type) !== undefined, () =>
        `slot ${i} combines ${s.type} by ${s.combine}`);
    });
    kernel.keeps.forEach((type, i) =>
      require(type !== "i64", () => `row buffer ${i} is of type i64, which is never stored`),
    );
    kernel.phases.forEach((phase, p) => this.phase(phase, p));
  }

  private phase(phase: Phase, p: number): void {
    const { parallel, reduced } = this.kernel;
    // A shared node is checked where it first occurs: what it reads stays readable for the rest of the list.
    const seen = new Set<Expr>();
    for (const s of phase.body) this.statement(s, this.scope([...parallel, ...reduced], p, true), seen, p);
    const seenAfter = new Set<Expr>();
    for (const s of phase.after) {
      require(s.kind === "store" || s.kind === "update", () =>
        `a statement after a phase that is no store: ${printStatement(s)}`);
      this.statement(s, this.scope(parallel, p + 1, false), seenAfter, p);
    }
  }

  private scope(axes: readonly number[], phase: number, inBody: boolean): ExprScope {
    const { kernel } = this;
    return {
      axes,
      load: (buffer, type, index) => {
        const arg = kernel.buffers[buffer];
        if (arg === undefined) throw new InternalError(`a load from buffer ${buffer} of ${kernel.buffers.length}`);
        require(arg.access !== "write", () => `a load from buffer ${buffer}, which is only written`);
        require(arg.type === type, () => `a load of type ${type} from buffer ${buffer} of type ${arg.type}`);
        this.inBounds(arg, buffer, index, "load");
      },
      slot: (slot, type) => {
        const s = kernel.slots[slot];
        if (s === undefined) throw new InternalError(`slot ${slot} of ${kernel.slots.length} is read`);
        require(s.type === type, () => `slot ${slot} of type ${s.type} is read as ${type}`);
        const made = this.slotPhase.get(slot);
        const isFinished = made !== undefined && made < phase;
        const isRunning = s.running && inBody && made === phase && this.slotStatement.has(slot);
        require(isFinished || isRunning, () => `slot ${slot} is read before it is finished`);
      },
      keep: (keep, type) => {
        require(kernel.keeps[keep] === type, () =>
          `row buffer ${keep} of type ${kernel.keeps[keep] ?? "none"} is read as ${type}`);
        require(inBody, () => `row buffer ${keep} is read outside of a body`);
        const made = this.keepPhase.get(keep);
        require(made !== undefined && made < phase, () => `row buffer ${keep} is read before a phase filled it`);
      },
    };
  }

  private inBounds(arg: BufferArg, buffer: number, index: Index, what: string): void {
    if (this.isEmpty || (index.lo >= 0 && index.hi < arg.length)) return;
    throw new InternalError(`a ${what} outside of buffer ${buffer}`, [
      ["index", printIndex(index)],
      ["range", `[${index.lo}, ${index.hi}]`],
      ["elements", String(arg.length)],
    ]);
  }

  private statement(s: Statement, scope: ExprScope, seen: Set<Expr>, phase: number): void {
    const { kernel } = this;
    try {
      verifyExpr(s.value, scope, seen);
      switch (s.kind) {
        case "store":
        case "update":
          return this.store(s, scope, seen);
        case "keep":
          require(kernel.keeps[s.keep] === s.value.type, () =>
            `row buffer ${s.keep} of type ${kernel.keeps[s.keep] ?? "none"} takes ${s.value.type}`);
          require(!this.keepPhase.has(s.keep), () => `row buffer ${s.keep} is filled twice`);
          this.keepPhase.set(s.keep, phase);
          return;
        case "accumulate": {
          const slot = kernel.slots[s.slot];
          require(slot?.type === s.value.type, () =>
            `slot ${s.slot} of type ${slot?.type ?? "none"} takes ${s.value.type}`);
          require(!this.slotStatement.has(s.slot), () => `slot ${s.slot} is accumulated by two statements`);
          this.slotStatement.add(s.slot);
          this.slotPhase.set(s.slot, phase);
        }
      }
    } catch (error) {
      if (!(error instanceof InternalError)) throw error;
      const inner = error.message.replace(/^internal: | \[internal\][^]*$/g, "");
      throw new InternalError(inner, [["statement", printStatement(s).slice(-400)], ...error.details]);
    }
  }

  private store(s: Extract<Statement, { kind: "store" | "update" }>, scope: ExprScope, seen: Set<Expr>): void {
    const { kernel } = this;
    const arg = kernel.buffers[s.buffer];
    if (arg === undefined) throw new InternalError(`a store to buffer ${s.buffer} of ${kernel.buffers.length}`);
    verifyIndex(s.index, scope, seen);
    this.inBounds(arg, s.buffer, s.index, s.kind);
    require(arg.access !== "read", () => `a store to buffer ${s.buffer}, which is only read`);
    require(arg.type === s.value.type, () =>
      `a store of type ${s.value.type} to buffer ${s.buffer} of type ${arg.type}`);
    if (s.kind === "store") return;
    require(kernel.sequential, () => "an update in a nest that is not sequential");
    if (s.combine !== null) {
      require(arg.access === "readwrite", () => `an update of buffer ${s.buffer}, which is only written`);
      require(scalarFunction(s.combine, arg.type, arg.type) !== undefined, () => `no ${s.combine!} of ${arg.type}`);
    }
    if (s.when !== null) {
      verifyExpr(s.when, scope, seen);
      require(s.when.type === "bool", () => `a condition of type ${s.when!.type}`);
    }
  }
}

function verifySort(kernel: SortKernel): void {
  const { outer, n, inner, operands, numKeys, count, buffers } = kernel;
  require([outer, n, inner].every(isCount), () => `sizes ${outer}, ${n}, ${inner}`);
  require(operands >= 1 && numKeys >= 1 && numKeys <= operands, () => `${numKeys} keys of ${operands} operands`);
  require(isCount(count) && count <= n, () => `the first ${count} of ${n}`);
  require(buffers.length === 2 * operands, () => `${buffers.length} buffers for ${operands} operands`);
  for (let i = 0; i < operands; i++) {
    const [from, to] = [buffers[i]!, buffers[operands + i]!];
    require(from.type === to.type, () => `operand ${i} of type ${from.type} is written as ${to.type}`);
    require(from.access !== "write" && to.access !== "read", () =>
      `operand ${i} with access ${from.access} and ${to.access}`);
    require(from.length >= outer * n * inner && to.length >= outer * count * inner, () =>
      `operand ${i} has ${from.length} and ${to.length} elements`);
  }
}
