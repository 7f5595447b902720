import { debug } from "../../../core/debug.js";
import { invariant } from "../../../core/errors.js";
import { elementType } from "../../../kernel-ir/element-type.js";
import * as ix from "../../../kernel-ir/index-expr.js";
import type { Index } from "../../../kernel-ir/index-expr.js";
import type { BufferArg, Statement } from "../../../kernel-ir/kernel.js";
import type { BufferRef, BufferType, Program, ProgramFunction, Slices, Step } from "../../../kernel-ir/program.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { elementBytes } from "../nest/memory.js";
import { Cells, cellsAt, copyCells, type Place, readAt, writeAt } from "./cells.js";
import { Declined, decline, Elements } from "./elements.js";
import { followLaunch } from "./launch.js";
import type { Carry, InnerLoop, Rounds, ScalarLoop, SlotOf } from "./rounds.js";

type StepOf<K extends Step["kind"]> = Extract<Step, { readonly kind: K }>;
type Scan = StepOf<"scan">;
type Loop = StepOf<"loop">;
type Memory = Extract<Place, { readonly kind: "memory" }>;

/** Elements that a loop may carry, and that its rounds may write to arrays. */
const MOST_ELEMENTS = 32;
/** Expressions that rounds of a scan within a loop may make where they are written one after another. */
const MOST_UNROLLED = 256;
/** Rounds of a scan within a loop; longer ones are loops of their own, which are done in several calls. */
const MOST_INNER = 4096;

/** A loop as rounds over scalars; undefined where it is more than that. */
export function followRounds(program: Program, step: Scan | Loop): Rounds | undefined {
  try {
    const follower = new Follower(program);
    return step.kind === "scan" ? follower.scan(step) : follower.loop(step);
  } catch (e) {
    if (!(e instanceof Declined)) throw e;
    debug(4, () => `${program.name}: a ${step.kind} calls functions, for ${e.message}`);
    return undefined;
  }
}

/** A loop being followed. */
interface Current {
  readonly number: number;
  readonly inner: InnerLoop[];
}

class Follower {
  private readonly make = new Elements();
  private readonly buffers: BufferArg[] = [];
  private readonly refs: BufferRef[] = [];
  private readonly slots: SlotOf[] = [];
  private readonly carries: Carry[] = [];
  private readonly chosen = new Set<Expr>();
  private loops = 0;
  /** The loop whose body is followed, where it may hold others. */
  private current: Current | null = null;

  constructor(private readonly program: Program) {}

  scan(s: Scan): Rounds {
    const { length } = s;
    const body = this.program.functions[s.body]!;
    if (length === 0) decline("it has no rounds");
    const types = body.inputs;
    const behind = s.consts.length + s.carry.length;
    const current = this.enter();
    const number = roundOf(s, current.number);
    const consts = s.consts.map((r, k) => this.memory(r, types[k]!, "read"));
    const carry = s.carry.map((r, k) => this.carried(r, types[s.consts.length + k]!));
    const xs = s.xs.map((x, k) => this.slice(x, types[behind + k]!, number, "read"));
    const outputs = body.outputs.map(() => cellsAt(new Cells()));
    this.body(current, s.body, [...consts, ...carry, ...xs], outputs);
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
    return this.rounds(body.name, { ...current, length, condition: null, next, stores });
  }

  loop(s: Loop): Rounds {
    const body = this.program.functions[s.body]!;
    const types = body.inputs.slice(body.inputs.length - s.state.length);
    const current = this.enter();
    const state = s.state.map((r, k) => this.carried(r, types[k]!));
    const consts = this.constsOf(s).map((t, k) => this.memory(s.consts[k]!, t, "read"));
    const { condition, next } = this.whileParts(s, current, consts, state);
    return this.rounds(body.name, { ...current, length: null, condition, next, stores: [] });
  }

  private rounds(name: string, loop: Omit<ScalarLoop, "slots">): Rounds {
    const { buffers, refs, slots, carries, chosen } = this;
    invariant(loop.next.length === carries.length, `the body of ${name} gives another state than it takes`);
    if (carries.length > MOST_ELEMENTS || loop.stores.length > MOST_ELEMENTS) decline("it carries much");
    return { name, buffers, refs, slots, carries, chosen, loop: { ...loop, slots: [...carries.keys()] } };
  }

  // ---- loops

  private enter(): Current {
    return { number: this.loops++, inner: [] };
  }

  /** Follows the body of a loop, which may hold others. */
  private body(current: Current | null, fn: number, inputs: readonly Place[], outputs: readonly Place[]): void {
    const around = this.current;
    this.current = current;
    this.call(fn, inputs, outputs);
    this.current = around;
  }

  /** Of a loop with a condition: this, and the next state. */
  private whileParts(
    s: Loop,
    current: Current,
    consts: readonly Place[],
    state: readonly Place[],
  ): { readonly condition: Expr; readonly next: readonly Expr[] } {
    const condition = this.program.functions[s.condition]!;
    const body = this.program.functions[s.body]!;
    // a function may leave the constants out
    const inputs = (f: ProgramFunction): readonly Place[] =>
      f.inputs.length === state.length ? state : [...consts, ...state];
    const verdict = cellsAt(new Cells());
    this.body(null, s.condition, inputs(condition), [verdict]);
    const outputs = body.outputs.map(() => cellsAt(new Cells()));
    this.body(current, s.body, inputs(body), outputs);
    return {
      condition: this.elementsOf(verdict, condition.outputs[0]!)[0]!,
      next: outputs.flatMap((o, k) => this.elementsOf(o, body.outputs[k]!)),
    };
  }

  /** Types of the constants of a loop, if the body or the condition knows of them. */
  private constsOf(s: Loop): readonly BufferType[] {
    const inputs = [s.body, s.condition].map((fn) => this.program.functions[fn]!.inputs);
    const knowing = inputs.find((list) => list.length > s.state.length) ?? [];
    return knowing.slice(0, s.consts.length);
  }

  private innerScan(s: Scan, at: (ref: BufferRef) => Place): void {
    const body = this.program.functions[s.body]!;
    const consts = s.consts.map(at);
    const carry = s.carry.map(at);
    const xs = s.xs.map((x) => ({ ...x, place: at(x.ref) }));
    const inCells = s.ys.length > 0 || xs.some((x) => x.place.kind === "cells");
    if (inCells || s.length <= 1) {
      this.unrolled(s, at);
      return;
    }
    if (s.length > MOST_INNER) decline("a scan in it is long");
    this.innerLoop(carry, body.inputs.slice(consts.length), s.length, (current, state) => {
      const number = roundOf(s, current.number);
      const outputs = body.outputs.map(() => cellsAt(new Cells()));
      const slices = xs.map(({ place, stride }) => sliceAt(place, stride, number));
      this.body(current, s.body, [...consts, ...state, ...slices], outputs);
      return { condition: null, next: outputs.flatMap((o, k) => this.elementsOf(o, body.outputs[k]!)) };
    });
  }

  /** The rounds of a scan one after another: what it reads and makes need not lie in memory. */
  private unrolled(s: Scan, at: (ref: BufferRef) => Place): void {
    const { make } = this;
    const { outputs: types } = this.program.functions[s.body]!;
    const consts = s.consts.map(at);
    const carry = s.carry.map(at);
    const ys = s.ys.map((y) => ({ ...y, place: at(y.ref) }));
    const before = make.size;
    for (let i = 0; i < s.length; i++) {
      const number = ix.lit(s.reverse ? s.length - 1 - i : i);
      const outputs = types.map(() => cellsAt(new Cells()));
      const slices = s.xs.map((x) => sliceAt(at(x.ref), x.stride, number));
      this.call(s.body, [...consts, ...carry, ...slices], outputs);
      const to = [...carry, ...ys.map((y) => sliceAt(y.place, y.stride, number))];
      outputs.forEach((o, k) => copyCells(o, to[k]!, types[k]!.bytes, make));
      if (((make.size - before) / (i + 1)) * s.length > MOST_UNROLLED) decline("a scan in it makes or reads an array");
    }
  }

  private innerWhile(s: Loop, at: (ref: BufferRef) => Place): void {
    const { inputs } = this.program.functions[s.body]!;
    const types = inputs.slice(inputs.length - s.state.length);
    this.innerLoop(s.state.map(at), types, null, (current, state) =>
      this.whileParts(s, current, s.consts.map(at), state),
    );
  }

  /** A loop in a round of another: its state begins as what lies at `places`, where the last one is found behind it. */
  private innerLoop(
    places: readonly Place[],
    types: readonly BufferType[],
    length: number | null,
    parts: (
      current: Current,
      state: readonly Place[],
    ) => { readonly condition: Expr | null; readonly next: readonly Expr[] },
  ): void {
    const around = this.current;
    if (!around) decline("it holds a loop where there can be none");
    const initial = places.flatMap((p, k) => this.readAll(p, types[k]!));
    const current = this.enter();
    const slots: number[] = [];
    const state = places.map((_, k) => this.slotsFor(types[k]!, current.number, slots));
    const { condition, next } = parts(current, state);
    const finals: number[] = [];
    places.forEach((p, k) => copyCells(this.slotsFor(types[k]!, around.number, finals), p, types[k]!.bytes, this.make));
    around.inner.push({ ...current, length, condition, slots, next, stores: [], initial, finals });
  }

  private readAll(p: Place, t: BufferType): Expr[] {
    const type = elementType(t);
    return Array.from({ length: this.count(t) }, (_, e) => readAt(p, type, ix.lit(e), this.make));
  }

  /** Elements of what is carried or written. */
  private count(t: BufferType): number {
    const count = t.bytes / elementBytes(elementType(t));
    if (count > MOST_ELEMENTS) decline("it carries much");
    return count;
  }

  /** Cells with a slot each, which rounds of a loop change; adds the slots to a list. */
  private slotsFor(t: BufferType, loop: number, slots: number[]): Place {
    const type = elementType(t);
    const cells = new Cells();
    for (let e = 0; e < this.count(t); e++) {
      const slot = this.slots.push({ type, loop }) - 1;
      slots.push(slot);
      cells.write(e * elementBytes(type), this.make.slot(type, slot));
    }
    return cellsAt(cells);
  }

  // ---- buffers

  private memory(ref: BufferRef, t: BufferType, access: BufferArg["access"], rounds = 1): Memory {
    const type = elementType(t);
    this.refs.push(ref);
    const buffer = this.buffers.push({ type, access, length: (t.bytes / elementBytes(type)) * rounds }) - 1;
    return { kind: "memory", buffer, type, base: ix.lit(0) };
  }

  private slice({ ref, stride }: Slices, t: BufferType, number: Index, access: BufferArg["access"]): Memory {
    const whole = this.memory(ref, t, access, number.hi + 1);
    return { ...whole, base: ix.scale(number, stride / elementBytes(whole.type)) };
  }

  /** Slots for the elements of a buffer. */
  private carried(ref: BufferRef, t: BufferType): Place {
    const { buffer, type } = this.memory(ref, t, "readwrite");
    const slots: number[] = [];
    const place = this.slotsFor(t, 0, slots);
    slots.forEach((_, e) => this.carries.push({ type, buffer, at: e * elementBytes(type) }));
    return place;
  }

  private elementsOf(p: Place, t: BufferType): Expr[] {
    invariant(p.kind === "cells", "a body writes to cells");
    return this.readAll(p, t);
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
        this.branches(step, at);
        return;
      case "scan":
        this.innerScan(step, at);
        return;
      case "loop":
        this.innerWhile(step, at);
        return;
      case "callback":
        decline("it calls back");
    }
  }

  /** Branches as selects between their results: the first branch whose number is not below the index, else the last. */
  private branches(s: StepOf<"if">, at: (ref: BufferRef) => Place): void {
    const { make } = this;
    const inputs = s.inputs.map(at);
    const results = s.branches.map((fn) => {
      const f = this.program.functions[fn]!;
      const outputs = f.outputs.map(() => cellsAt(new Cells()));
      this.body(null, fn, inputs, outputs);
      return outputs.map((o, k) => this.elementsOf(o, f.outputs[k]!));
    });
    const index = this.word(at(s.index));
    const last = s.branches.length - 1;
    // of a bool only branches 0 and 1 are ever taken
    const isAtMost = (b: number): Expr => {
      if (index.type === "bool") return b === 0 ? make.op("not", [index]) : make.constant("bool", 1);
      return make.op("le", [make.as("i32", index), make.constant("i32", b)]);
    };
    s.outputs.forEach((ref, k) => {
      results[last]![k]!.forEach((_, e) => {
        let value = results[last]![k]![e]!;
        for (let b = last - 1; b >= 0; b--) {
          value = make.select(isAtMost(b), results[b]![k]![e]!, value);
          if (value.kind === "op" && value.op === "select") this.chosen.add(value.args[0]!);
        }
        writeAt(at(ref), ix.lit(e), value, make);
      });
    });
  }

  /** What a 32-bit word holds, as it was written. */
  private word(p: Place): Expr {
    return p.kind === "memory" ? readAt(p, p.type, ix.lit(0), this.make) : p.cells.whatIsAt(p.at);
  }
}

/** The number of a round, of a scan that runs along an axis. */
function roundOf({ length, reverse }: Scan, axis: number): Index {
  const round = ix.axisIndex(axis, length);
  return reverse ? ix.sub(ix.lit(length - 1), round) : round;
}

/** Slice `number` of what lies at a place. */
function sliceAt(place: Place, stride: number, number: Index): Place {
  if (place.kind === "memory")
    return { ...place, base: ix.add(place.base, ix.scale(number, stride / elementBytes(place.type))) };
  invariant(ix.isLit(number), "only rounds written one after another see slices of cells");
  return cellsAt(place.cells, place.at + number.base * stride);
}
