import { invariant } from "../../../core/errors.js";
import * as ix from "../../../kernel-ir/index-expr.js";
import type { Index } from "../../../kernel-ir/index-expr.js";
import type { BufferArg, Statement } from "../../../kernel-ir/kernel.js";
import type { BufferRef, BufferType, Program, ProgramFunction, Slices, Step } from "../../../kernel-ir/program.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { elementBytes } from "../nest/memory.js";
import { Cells, cellsAt, type CellType, cellType, copyCells, type Place } from "./cells.js";
import { Declined, decline, Elements } from "./elements.js";
import { followLaunch } from "./launch.js";

/**
 * A loop whose rounds are one stretch of code over scalars: what it carries is a slot for each element, and all that launches of
 * its body would do is in the expressions of the next values.
 */
export interface Rounds {
  readonly name: string;
  /** Numbered as the expressions name them. */
  readonly buffers: readonly BufferArg[];
  readonly refs: readonly BufferRef[];
  /** Rounds of a scan, numbered by axis 0; of a loop that ends by a condition, null. */
  readonly length: number | null;
  readonly carries: readonly Carry[];
  /** A bool: there is another round. */
  readonly condition: Expr | null;
  /** By carry. */
  readonly next: readonly Expr[];
  readonly stores: readonly Statement[];
}

/** An element that is carried: before and after the loop it lies in memory. */
export interface Carry {
  readonly type: CellType;
  readonly buffer: number;
  /** Bytes from the buffer's address. */
  readonly at: number;
}

type Scan = Extract<Step, { readonly kind: "scan" }>;
type Loop = Extract<Step, { readonly kind: "loop" }>;

/** Elements that a loop may carry, and that its rounds may write to arrays. */
const MOST_ELEMENTS = 32;

/** A loop as rounds over scalars; undefined where it is more than that. */
export function followRounds(program: Program, step: Scan | Loop): Rounds | undefined {
  try {
    const follower = new Follower(program);
    return step.kind === "scan" ? follower.scan(step) : follower.loop(step);
  } catch (e) {
    if (e instanceof Declined) return undefined;
    throw e;
  }
}

const AXIS = 0;

class Follower {
  private readonly make = new Elements();
  private readonly buffers: BufferArg[] = [];
  private readonly refs: BufferRef[] = [];
  private readonly carries: Carry[] = [];

  constructor(private readonly program: Program) {}

  scan(s: Scan): Rounds {
    const { length } = s;
    const body = this.program.functions[s.body]!;
    if (length === 0) decline("it has no rounds");
    const types = body.inputs;
    const behind = s.consts.length + s.carry.length;
    const round = ix.axisIndex(AXIS, length);
    const number = s.reverse ? ix.sub(ix.lit(length - 1), round) : round;
    const consts = s.consts.map((r, k) => this.memory(r, types[k]!, "read"));
    const carry = s.carry.map((r, k) => this.carried(r, types[s.consts.length + k]!));
    const xs = s.xs.map((x, k) => this.slice(x, types[behind + k]!, number, "read"));
    const outputs = body.outputs.map(() => cellsAt(new Cells()));
    this.call(s.body, [...consts, ...carry, ...xs], outputs);
    const stores = s.ys.flatMap((y, k) => {
      const at = s.carry.length + k;
      const to = this.slice(y, body.outputs[at]!, number, "write");
      return this.elementsOf(outputs[at]!, body.outputs[at]!).map((value, e): Statement => ({
        kind: "store",
        buffer: to.buffer,
        index: ix.addConst(to.base, e),
        value,
      }));
    });
    const next = s.carry.flatMap((_, k) => this.elementsOf(outputs[k]!, body.outputs[k]!));
    return this.rounds(body.name, { length, condition: null, next, stores });
  }

  loop(s: Loop): Rounds {
    const condition = this.program.functions[s.condition]!;
    const body = this.program.functions[s.body]!;
    const stateTypes = body.inputs.slice(body.inputs.length - s.state.length);
    const state = s.state.map((r, k) => this.carried(r, stateTypes[k]!));
    // a function may leave the constants out
    const inputs = (f: ProgramFunction): Place[] =>
      f.inputs.length === state.length
        ? state
        : [...s.consts.map((r, k) => this.memory(r, f.inputs[k]!, "read")), ...state];
    const verdict = cellsAt(new Cells());
    this.call(s.condition, inputs(condition), [verdict]);
    const outputs = body.outputs.map(() => cellsAt(new Cells()));
    this.call(s.body, inputs(body), outputs);
    const next = outputs.flatMap((o, k) => this.elementsOf(o, body.outputs[k]!));
    const [holds] = this.elementsOf(verdict, condition.outputs[0]!);
    return this.rounds(body.name, { length: null, condition: holds!, next, stores: [] });
  }

  private rounds(name: string, parts: Pick<Rounds, "length" | "condition" | "next" | "stores">): Rounds {
    const { buffers, refs, carries } = this;
    invariant(parts.next.length === carries.length, `the body of ${name} gives another state than it takes`);
    if (carries.length > MOST_ELEMENTS || parts.stores.length > MOST_ELEMENTS) decline("it carries much");
    return { name, buffers, refs, carries, ...parts };
  }

  // ---- buffers

  private buffer(ref: BufferRef, type: CellType, access: BufferArg["access"], length: number): number {
    this.refs.push(ref);
    return this.buffers.push({ type, access, length }) - 1;
  }

  private memory(ref: BufferRef, t: BufferType, access: BufferArg["access"], rounds = 1): Place & { kind: "memory" } {
    const type = cellType(t);
    const buffer = this.buffer(ref, type, access, (t.bytes / elementBytes(type)) * rounds);
    return { kind: "memory", buffer, type, base: ix.lit(0) };
  }

  private slice(
    { ref, stride }: Slices,
    t: BufferType,
    number: Index,
    access: BufferArg["access"],
  ): Place & { kind: "memory" } {
    const whole = this.memory(ref, t, access, number.hi + 1);
    return { ...whole, base: ix.scale(number, stride / elementBytes(whole.type)) };
  }

  /** Slots for the elements of a buffer. */
  private carried(ref: BufferRef, t: BufferType): Place {
    const type = cellType(t);
    const size = elementBytes(type);
    const count = t.bytes / size;
    if (count > MOST_ELEMENTS) decline("it carries much");
    const buffer = this.buffer(ref, type, "readwrite", count);
    const cells = new Cells();
    for (let e = 0; e < count; e++) {
      const slot = this.carries.push({ type, buffer, at: e * size }) - 1;
      cells.write(e * size, this.make.slot(type, slot));
    }
    return cellsAt(cells);
  }

  private elementsOf(p: Place, t: BufferType): Expr[] {
    const type = cellType(t);
    const size = elementBytes(type);
    const count = t.bytes / size;
    invariant(p.kind === "cells", "a body writes to cells");
    if (count > MOST_ELEMENTS) decline("it writes much");
    return Array.from({ length: count }, (_, e) => p.cells.read(p.at + e * size, type, this.make));
  }

  // ---- functions

  private call(fn: number, inputs: readonly Place[], outputs: readonly Place[]): void {
    const f = this.program.functions[fn]!;
    const arena = new Cells();
    const at = (ref: BufferRef): Place => {
      if (ref.kind === "arena") return cellsAt(arena, ref.offset);
      return (ref.kind === "input" ? inputs : outputs)[ref.index]!;
    };
    for (const step of f.steps) this.step(step, at);
    f.outputIsInput.forEach((i, k) => {
      if (i !== null) copyCells(inputs[i]!, outputs[k]!, f.outputs[k]!.bytes, this.make);
    });
  }

  private step(step: Step, at: (ref: BufferRef) => Place): void {
    this.make.step();
    switch (step.kind) {
      case "launch":
        followLaunch(this.program.kernels[step.kernel]!, step.args.map(at), this.make);
        return;
      case "copy":
        copyCells(at(step.from), at(step.to), step.bytes, this.make);
        return;
      case "call":
        this.call(step.fn, step.inputs.map(at), step.outputs.map(at));
        return;
      case "if":
      case "loop":
      case "scan":
        decline("it holds loops or branches");
        break;
      case "callback":
        decline("it calls back");
    }
  }
}
