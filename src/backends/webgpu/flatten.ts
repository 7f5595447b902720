import { InternalError, invariant } from "../../core/errors.js";
import { axisIndex } from "../../kernel-ir/index-expr.js";
import { arenaNeed, calledBy } from "../../kernel-ir/callees.js";
import type { NestKernel } from "../../kernel-ir/kernel.js";
import { printStep } from "../../kernel-ir/printer.js";
import type { BufferRef, Program, ProgramFunction, Step } from "../../kernel-ir/program.js";
import { load } from "../../kernel-ir/scalar.js";
import { bindingAlignment } from "./constants.js";
import { overwrites } from "./coverage.js";
import type { Limits } from "./dispatch.js";
import { type Fused, type FusedOperands, fuseLoop } from "./fused/loop.js";
import {
  argumentAccess,
  argumentBytes,
  type CopyWork,
  type FlatArg,
  type FlatLaunch,
  type GateRule,
  type Node,
  type Recording,
  type Spot,
  type Work,
} from "./recording.js";

/** Rounds within rounds that launches can know the numbers of, and rounds of one loop. */
export const maxDepth = 3;
export const maxRounds = 2 ** 20;

/** Rounds of a loop that are recorded before it is known whether there are so many, at first. */
const roundsAtFirst = 4;

export interface FlattenOptions {
  readonly limits: Limits;
  /** Loops whose bodies are small become one kernel. */
  readonly fuse: boolean;
}

/** Records the launches of a program, calls followed into the functions that they call. */
export function flatten(program: Program, options: FlattenOptions): Recording {
  const flattener = new Flattener(program, options);
  const entry = program.functions[0]!;
  flattener.run(entry, {
    inputs: entry.inputs.map(({ bytes }, index) => spot({ kind: "input", index }, bytes)),
    outputs: entry.outputs.map(({ bytes }, index) => spot({ kind: "output", index }, bytes)),
    base: 0,
  });
  return flattener.recording();
}

const spot = (ref: BufferRef, bytes: number): Spot => ({ ref, slices: [], bytes });

/** The arguments of a function that is called, as the entry sees them. */
interface Frame {
  readonly inputs: readonly Spot[];
  readonly outputs: readonly Spot[];
  readonly base: number;
}

type At = (ref: BufferRef) => Spot;

class Flattener {
  private readonly launches: FlatLaunch[] = [];
  private readonly copies = new Map<number, CopyWork>();
  private readonly sliceCopies = new Map<number, NestKernel>();
  private nodes: Node[] = [];
  /** Where memory of our own begins: behind all that the program takes. */
  private arenaEnd: number;
  private gates = 0;
  private gate: number | null = null;
  private depth = 0;
  /** Places in the arena that several launches write together, by how many steps say so. */
  private readonly joined = new Map<number, number>();
  private lacks: string | undefined;

  constructor(
    private readonly program: Program,
    private readonly options: FlattenOptions,
  ) {
    this.arenaEnd = aligned(arenaNeed(program, 0));
  }

  recording(): Recording {
    const { launches, nodes, gates, lacks } = this;
    return { launches, nodes, gates, lacks };
  }

  run(f: ProgramFunction, frame: Frame): void {
    const at: At = (ref) => {
      switch (ref.kind) {
        case "input":
          return frame.inputs[ref.index]!;
        case "output":
          return frame.outputs[ref.index]!;
        case "arena":
          return spot({ kind: "arena", offset: frame.base + ref.offset }, f.arenaBytes - ref.offset);
      }
    };
    for (const step of f.steps) this.step(f, step, at, frame.base + f.arenaBytes);
  }

  private step(f: ProgramFunction, step: Step, at: At, base: number): void {
    switch (step.kind) {
      case "launch": {
        const work = this.program.kernels[step.kernel]!;
        invariant(step.args.length === work.buffers.length, `kernel ${work.name}: ${step.args.length} arguments`);
        return this.launch(work, step.args.map(at));
      }
      case "call":
        return this.call(step.fn, step.inputs.map(at), step.outputs.map(at), base);
      case "copy":
        return this.copy(at(step.from), at(step.to), step.bytes);
      case "if":
        return this.branches(step, at, base);
      case "loop":
        return this.loop(step, at, base);
      case "scan":
        return this.scan(step, at, base);
      case "callback":
        throw new InternalError(`a step of kind ${step.kind} is no launch`, [
          ["function", f.name],
          ["step", printStep(step, this.program)],
        ]);
    }
  }

  private call(fn: number, inputs: readonly Spot[], outputs: readonly Spot[], base: number): void {
    const callee = this.program.functions[fn]!;
    this.run(callee, { inputs, outputs, base });
    callee.outputIsInput.forEach((i, k) => {
      if (i !== null) this.copy(inputs[i]!, outputs[k]!, callee.outputs[k]!.bytes);
    });
  }

  private branches(step: Extract<Step, { kind: "if" }>, at: At, base: number): void {
    const { gate: parent } = this;
    const first = this.gates;
    const count = step.branches.length;
    this.gates += count;
    this.setGates({ kind: "branch", parent, first, count }, at(step.index));
    const inputs = step.inputs.map(at);
    const outputs = step.outputs.map(at);
    const types = this.program.functions[step.branches[0]!]!.outputs;
    outputs.forEach((to, k) => this.birth(to, types[k]!.bytes));
    this.joining(outputs, () =>
      step.branches.forEach((fn, b) => {
        this.gate = first + b;
        this.call(fn, inputs, outputs, base);
      }),
    );
    this.gate = parent;
  }

  private loop(step: Extract<Step, { kind: "loop" }>, at: At, base: number): void {
    const { gate: parent } = this;
    const consts = step.consts.map(at);
    const here = step.state.map(at);
    const alive = this.gates++;
    this.setGates({ kind: "begin", parent, gate: alive });
    const word = this.memory(4);
    const fused = this.fuse(step, { consts, state: here, xs: [], ys: [], word });
    const spots = fused ? this.packed(fused) : [];
    const types = this.program.functions[step.body]!.outputs;
    const hasLoops = this.hasLoops(step.body) || this.hasLoops(step.condition);
    const there = fused ? [] : types.map(({ bytes }) => this.memory(bytes));
    there.forEach((s, k) => this.birth(s, types[k]!.bytes));
    const round = (from: readonly Spot[], to: readonly Spot[]): Node[] =>
      this.nested(() => {
        this.gate = alive;
        this.call(step.condition, [...consts, ...from], [word], base);
        this.setGates({ kind: "while", gate: alive }, word);
        this.call(step.body, [...consts, ...from], to, base);
        if (hasLoops) this.copyAll(to, from, types);
        this.gate = parent;
      });
    let even: readonly Node[] = [];
    let odd: readonly Node[] = [];
    this.joining([...here, ...there], () => {
      if (fused) {
        even = odd = this.nested(() => {
          this.gate = alive;
          this.emit(fused.work, spots);
          this.setGates({ kind: "while", gate: alive }, word);
          this.gate = parent;
        });
      } else {
        even = round(here, there);
        odd = hasLoops ? even : round(there, here);
      }
    });
    this.nodes.push({ kind: "while", alive, atFirst: fused ? 1 : roundsAtFirst, even, odd });
    if (fused) this.unpack(fused, spots);
    if (fused || hasLoops || types.length === 0) return;
    const isOdd = this.gates++;
    this.setGates({ kind: "odd", parent, gate: isOdd, of: alive });
    this.gate = isOdd;
    this.joining(here, () => this.copyAll(there, here, types));
    this.gate = parent;
  }

  private scan(step: Extract<Step, { kind: "scan" }>, at: At, base: number): void {
    const { length, reverse } = step;
    const consts = step.consts.map(at);
    const here = step.carry.map(at);
    const slices = ({ ref, stride }: (typeof step.xs)[number], depth: number): Spot => {
      const { slices: outer, ...whole } = at(ref);
      const bytes = outer.length > 0 ? whole.bytes : stride * length;
      return { ref: whole.ref, bytes, slices: stride === 0 ? outer : [...outer, { depth, stride }] };
    };
    step.ys.forEach(({ ref, stride }) => this.birth(at(ref), stride * length));
    if (length === 0) return;
    const [wholeXs, wholeYs] = [step.xs, step.ys].map((list) => list.map((s) => at(s.ref)));
    const fused = this.fuse(step, { consts, state: here, xs: wholeXs!, ys: wholeYs!, word: undefined });
    const spots = fused ? this.packed(fused) : [];
    const rounds = fused ? Math.ceil(length / fused.work.roundsPerDispatch) : length;
    const { depth } = this;
    if (fused && rounds === 1) {
      this.joining([...here, ...wholeYs!], () => this.emit(fused.work, spots));
      this.unpack(fused, spots);
      return;
    }
    if (depth + 1 > maxDepth) this.lacks ??= `more than ${maxDepth} scans within each other`;
    if (rounds > maxRounds) this.lacks ??= `scans of more than ${maxRounds} steps`;
    const xs = step.xs.map((x) => slices(x, depth));
    const ys = step.ys.map((y) => slices(y, depth));
    const types = this.program.functions[step.body]!.outputs.slice(0, here.length);
    const hasLoops = this.hasLoops(step.body);
    const there = fused ? [] : types.map(({ bytes }) => this.memory(bytes));
    there.forEach((s, k) => this.birth(s, types[k]!.bytes));
    const round = (from: readonly Spot[], to: readonly Spot[]): Node[] =>
      this.nested(() => {
        this.depth = depth + 1;
        this.call(step.body, [...consts, ...from, ...xs], [...to, ...ys], base);
        if (hasLoops) this.copyAll(to, from, types);
        this.depth = depth;
      });
    let even: readonly Node[] = [];
    let odd: readonly Node[] = [];
    this.joining([...here, ...there, ...ys], () => {
      if (fused) {
        even = odd = this.nested(() => {
          this.depth = depth + 1;
          this.emit(fused.work, spots);
          this.depth = depth;
        });
      } else {
        even = round(here, there);
        odd = hasLoops || here.length === 0 ? even : round(there, here);
      }
    });
    // What a kernel of many rounds is told is which of its runs it is: it finds the rounds' own numbers itself.
    this.nodes.push({ kind: "rounds", depth, length: rounds, reverse: reverse && !fused, even, odd });
    if (fused) this.unpack(fused, spots);
    if (fused || hasLoops || length % 2 === 0) return;
    this.joining(here, () => this.copyAll(there, here, types));
  }

  private fuse(step: Extract<Step, { kind: "loop" | "scan" }>, operands: FusedOperands) {
    const { options, program, depth } = this;
    return options.fuse ? fuseLoop(program, step, operands, { limits: options.limits, depth }) : undefined;
  }

  /** Where a loop that is one kernel finds its operands: those that share a buffer are copied there. */
  private packed({ spots, packs, packBytes }: Fused): readonly Spot[] {
    if (packs.length === 0) return spots;
    const together = this.memory(packBytes);
    this.birth(together, packBytes);
    for (const p of packs) if (p.access !== "write") this.copy(p.spot, part(together, p), p.bytes);
    return [...spots, together];
  }

  private unpack({ packs }: Fused, spots: readonly Spot[]): void {
    for (const p of packs) if (p.access !== "read") this.copy(part(spots.at(-1)!, p), p.spot, p.bytes);
  }

  /** Nodes that `body` records. */
  private nested(body: () => void): Node[] {
    const outer = this.nodes;
    const inner: Node[] = [];
    this.nodes = inner;
    try {
      body();
    } finally {
      this.nodes = outer;
    }
    return inner;
  }

  /** While `body` is recorded, what is written at these places joins what is there. */
  private joining(spots: readonly Spot[], body: () => void): void {
    const offsets = spots.flatMap(({ ref }) => (ref.kind === "arena" ? [ref.offset] : []));
    for (const o of offsets) this.joined.set(o, (this.joined.get(o) ?? 0) + 1);
    body();
    for (const o of offsets) {
      const left = this.joined.get(o)! - 1;
      if (left > 0) this.joined.set(o, left);
      else this.joined.delete(o);
    }
  }

  private hasLoops(fn: number): boolean {
    return this.program.functions[fn]!.steps.some(
      (s) => s.kind === "loop" || s.kind === "scan" || calledBy(s).some((f) => this.hasLoops(f)),
    );
  }

  private memory(bytes: number): Spot {
    const offset = this.arenaEnd;
    this.arenaEnd += Math.max(bindingAlignment, aligned(bytes));
    return spot({ kind: "arena", offset }, bytes);
  }

  private setGates(rule: GateRule, word?: Spot): void {
    const args = word === undefined ? [] : [word.slices.length > 0 ? this.brought(word, 4) : word];
    // It looks at its parent itself: what is behind a closed gate is closed.
    const { gate } = this;
    this.gate = null;
    this.emit({ kind: "gate", name: `gate: ${rule.kind}`, rule }, args);
    this.gate = gate;
  }

  private birth(at: Spot, bytes: number): void {
    if (at.ref.kind !== "arena" || at.slices.length > 0 || bytes === 0 || this.joined.has(at.ref.offset)) return;
    this.emit({ kind: "birth", name: "birth", bytes }, [at]);
  }

  private copyAll(from: readonly Spot[], to: readonly Spot[], types: readonly { readonly bytes: number }[]): void {
    types.forEach(({ bytes }, k) => this.copy(from[k]!, to[k]!, bytes));
  }

  private copy(from: Spot, to: Spot, bytes: number): void {
    if (bytes === 0 || sameSpot(from, to)) return;
    if (from.slices.length > 0 || to.slices.length > 0) return this.emit(this.sliceCopy(bytes), [from, to]);
    let work = this.copies.get(bytes);
    if (!work) this.copies.set(bytes, (work = { kind: "copy", name: "copy", bytes }));
    this.emit(work, [from, to]);
  }

  private sliceCopy(bytes: number): NestKernel {
    let kernel = this.sliceCopies.get(bytes);
    if (!kernel) this.sliceCopies.set(bytes, (kernel = sliceCopyKernel(bytes / 4)));
    return kernel;
  }

  /** A launch whose arguments may be slices: those that its code cannot reach where they lie are copied. */
  private launch(work: Work, args: readonly Spot[]): void {
    const after: (() => void)[] = [];
    const reached = args.map((s, i): Spot => {
      if (s.slices.length === 0 || reaches(work, s)) return s;
      const bytes = argumentBytes(work, i);
      const access = argumentAccess(work, i);
      const copy = access === "write" && overwrites(work, i) ? this.memory(bytes) : this.brought(s, bytes);
      if (access !== "read") after.push(() => this.copy(copy, s, bytes));
      return copy;
    });
    this.emit(work, reached);
    for (const f of after) f();
  }

  private brought(s: Spot, bytes: number): Spot {
    const copy = this.memory(bytes);
    this.copy(s, copy, bytes);
    return copy;
  }

  private emit(work: Work, spots: readonly Spot[]): void {
    const args = spots.map(({ ref, slices, bytes }, i): FlatArg => ({
      ref,
      slices,
      bytes: slices.length > 0 ? bytes : argumentBytes(work, i),
      joins: work.kind !== "birth" && ref.kind === "arena" && this.joined.has(ref.offset),
    }));
    const at = this.launches.push({ work, args, gate: this.gate, depth: this.depth }) - 1;
    const last = this.nodes.at(-1);
    if (last?.kind === "launches" && last.to === at) this.nodes[this.nodes.length - 1] = { ...last, to: at + 1 };
    else this.nodes.push({ kind: "launches", from: at, to: at + 1 });
  }
}

/** Where an operand lies in a buffer of copies. */
const part = ({ ref }: Spot, { offset, bytes }: { readonly offset: number; readonly bytes: number }): Spot =>
  spot(ref.kind === "arena" ? { kind: "arena", offset: ref.offset + offset } : ref, bytes);

/** Code of nests and products finds slices that begin at multiples of four words; a kernel of our own any. */
const reaches = (work: Work, { slices }: Spot): boolean =>
  (work.kind === "dot" || (work.kind === "nest" && !work.sequential)) && slices.every((s) => s.stride % 16 === 0);

const aligned = (bytes: number): number => Math.ceil(bytes / bindingAlignment) * bindingAlignment;

function sliceCopyKernel(words: number): NestKernel {
  const index = axisIndex(0, words);
  return {
    kind: "nest",
    name: "slice",
    buffers: [
      { type: "u32", access: "read", length: words },
      { type: "u32", access: "write", length: words },
    ],
    parallel: [words],
    reduced: [],
    sequential: false,
    slots: [],
    keeps: [],
    phases: [{ body: [{ kind: "store", buffer: 1, index, value: load("u32", 0, index) }], after: [] }],
  };
}

const sameRef = (a: BufferRef, b: BufferRef): boolean =>
  a.kind === "arena" ? b.kind === "arena" && a.offset === b.offset : b.kind === a.kind && b.index === a.index;

const sameSpot = (a: Spot, b: Spot): boolean =>
  sameRef(a.ref, b.ref) &&
  a.slices.length === b.slices.length &&
  a.slices.every((s, k) => s.depth === b.slices[k]!.depth && s.stride === b.slices[k]!.stride);
