import { invariant } from "../../../core/errors.js";
import type { BufferRef, Program, ProgramFunction, Slices, Step } from "../../../kernel-ir/program.js";
import type { Dim } from "../nest/nodes.js";
import { calledBy } from "../../../kernel-ir/callees.js";
import { followRounds } from "../rounds/follow.js";
import { lowerRounds } from "../rounds/lower.js";
import type {
  Call,
  ChunkParam,
  Frame,
  FunctionLayout,
  LaidSlices,
  LaidStep,
  Move,
  Place,
  ProgramLayout,
} from "./laid-out.js";
import { chunkOf, type Launch, launchOf, type Routine, type RowChunks } from "./launches.js";
import { structureOf } from "./structure.js";

const align = (n: number): number => Math.ceil(n / 64) * 64;

/** Word 0 of an argument block is the arena base; inputs and outputs follow. */
const inputWord = (k: number): number => 1 + k;
const outputWord = (f: ProgramFunction, k: number): number => 1 + f.inputs.length + k;
const blockWords = (f: ProgramFunction): number => 1 + f.inputs.length + f.outputs.length;

export function layOut(program: Program, generic: boolean): ProgramLayout {
  return new Layouter(program, generic).run();
}

/** A launch whose routine is one of those of the program. */
type LaidLaunch = Omit<Launch, "routine"> & { readonly routine: number };

/** A loop that is a kernel. */
interface LaidRounds {
  readonly routine: number;
  readonly refs: readonly BufferRef[];
  /** Rounds of one call. */
  readonly chunk: number;
}

class Layouter {
  private readonly params: number[] = [];
  private readonly routines: Routine[] = [];
  private readonly byKey = new Map<string, number>();
  private longestCall = 0;
  private readonly chunks: ChunkParam[] = [];
  private readonly launches = new Map<number, LaidLaunch>();
  private readonly roundsOf = new Map<Step, LaidRounds | null>();
  /** Bytes of arena of each function, with all that it calls. */
  private readonly needs = new Map<number, number>();

  constructor(
    private readonly program: Program,
    private readonly generic: boolean,
  ) {}

  run(): ProgramLayout {
    const functions = this.layFunctions();
    return {
      key: this.generic ? structureOf(this.routines, functions) : "",
      params: this.params,
      routines: this.routines,
      functions,
      callbacks: this.program.callbacks ?? [],
      arenaBytes: this.need(0),
      chunks: this.chunks,
      longestCall: this.longestCall,
    };
  }

  /** Those that the entry calls, and that these call; loops that became kernels call none. */
  private layFunctions(): FunctionLayout[] {
    const { functions } = this.program;
    const called = new Set([0]);
    const laid = new Map<number, readonly LaidStep[]>();
    for (const k of called) {
      const f = functions[k]!;
      for (const s of f.steps) if (!this.rounds(s)) for (const callee of calledBy(s)) called.add(callee);
      laid.set(
        k,
        f.steps.map((s) => this.step(f, s)),
      );
    }
    return functions.map((source, k) => ({ source, called: called.has(k), steps: laid.get(k) ?? [] }));
  }

  /** A loop over scalars as a kernel of its own. */
  private rounds(s: Step): LaidRounds | undefined {
    if (this.generic || (s.kind !== "scan" && s.kind !== "loop")) return undefined;
    let laid = this.roundsOf.get(s);
    if (laid === undefined) {
      const rounds = followRounds(this.program, s);
      laid = null;
      if (rounds) {
        const lowered = lowerRounds(rounds);
        const routine = this.routine({ key: lowered.key, code: { kind: "rounds", rounds: lowered } });
        laid = { routine, refs: rounds.refs, chunk: chunkOf(1, lowered.work) };
      }
      this.roundsOf.set(s, laid);
    }
    return laid ?? undefined;
  }

  private num(n: number): Dim {
    if (!this.generic || n === 0 || n === 1) return n;
    return { slot: this.params.push(n) - 1, value: n };
  }

  private place(f: ProgramFunction, ref: BufferRef): Place {
    switch (ref.kind) {
      case "input":
        return { kind: "argument", word: inputWord(ref.index) };
      case "output":
        return { kind: "argument", word: outputWord(f, ref.index) };
      case "arena":
        return { kind: "arena", offset: this.num(ref.offset) };
    }
  }

  /** A kernel, lowered once, and what a launch of it passes. */
  private kernel(index: number): LaidLaunch {
    let laid = this.launches.get(index);
    if (laid) return laid;
    const launch = launchOf(this.program.kernels[index]!, index, this.generic);
    this.longestCall = Math.max(this.longestCall, launch.callPoints);
    laid = { ...launch, routine: this.routine(launch.routine) };
    this.launches.set(index, laid);
    return laid;
  }

  private routine(r: Routine): number {
    let routine = this.byKey.get(r.key);
    if (routine === undefined) this.byKey.set(r.key, (routine = this.routines.push(r) - 1));
    return routine;
  }

  private step(f: ProgramFunction, s: Step): LaidStep {
    switch (s.kind) {
      case "launch": {
        const { routine, params, rows, chunk, rowChunks, scratchBytes } = this.kernel(s.kernel);
        const first = this.params.length;
        this.params.push(...params);
        return {
          kind: "launch",
          routine,
          params: first,
          args: s.args.map((a) => this.place(f, a)),
          // one row or none is one structure with many
          rows: this.generic ? { slot: this.params.push(rows) - 1, value: rows } : rows,
          chunk: this.generic ? this.chunkParam(chunk, rowChunks) : chunk,
          scratch: scratchBytes === 0 ? 0 : this.num(f.arenaBytes),
        };
      }
      case "call": {
        const call = this.call(f, s.fn, s.inputs, s.outputs);
        return { kind: "call", call, frame: this.frame(f.arenaBytes, [s.fn]) };
      }
      case "if":
        return {
          kind: "if",
          index: this.place(f, s.index),
          branches: s.branches.map((fn) => this.call(f, fn, s.inputs, s.outputs)),
          frame: this.frame(f.arenaBytes, s.branches),
        };
      case "loop": {
        const rounds = this.rounds(s);
        if (!rounds) return this.loop(f, s);
        const { routine, chunk } = rounds;
        return { kind: "rounds", routine, args: rounds.refs.map((r) => this.place(f, r)), chunk };
      }
      case "scan": {
        const rounds = this.rounds(s);
        if (!rounds) return this.scan(f, s);
        const { routine, chunk } = rounds;
        const args = rounds.refs.map((r) => this.place(f, r));
        return { kind: "launch", routine, args, rows: s.length, chunk, scratch: 0, params: 0 };
      }
      case "copy":
        return {
          kind: "copy",
          move: { from: this.place(f, s.from), to: this.place(f, s.to), bytes: this.num(s.bytes) },
        };
      case "callback":
        invariant(!this.generic, "a generic program calls a function of the host");
        return {
          kind: "callback",
          callback: s.callback,
          arguments: [...s.inputs, ...s.outputs].map((r) => this.place(f, r)),
          block: this.num(f.arenaBytes),
        };
    }
  }

  private chunkParam(chunk: number, rowChunks: RowChunks | undefined): Dim {
    const slot = this.params.push(chunk) - 1;
    if (rowChunks) this.chunks.push({ slot, ...rowChunks });
    return { slot, value: chunk };
  }

  private call(f: ProgramFunction, fn: number, inputs: readonly BufferRef[], outputs: readonly BufferRef[]): Call {
    const callee = this.program.functions[fn]!;
    invariant(
      inputs.length === callee.inputs.length && outputs.length === callee.outputs.length,
      `a call of ${callee.name} passes other operands than it takes`,
    );
    const copies: Move[] = [];
    callee.outputIsInput.forEach((input, k) => {
      if (input === null || sameRef(inputs[input]!, outputs[k]!)) return;
      copies.push({
        from: this.place(f, inputs[input]!),
        to: this.place(f, outputs[k]!),
        bytes: this.num(callee.outputs[k]!.bytes),
      });
    });
    return { fn, arguments: [...inputs, ...outputs].map((r) => this.place(f, r)), copies };
  }

  private frame(at: number, fns: readonly number[]): Frame {
    const words = Math.max(...fns.map((fn) => blockWords(this.program.functions[fn]!)));
    return { block: this.num(at), arena: this.num(align(at + 4 * words)) };
  }

  private loop(f: ProgramFunction, s: Extract<Step, { readonly kind: "loop" }>): LaidStep {
    const body = this.program.functions[s.body]!;
    let at = f.arenaBytes;
    const take = (bytes: number): Place => {
      const place: Place = { kind: "arena", offset: this.num(at) };
      at = align(at + bytes);
      return place;
    };
    invariant(
      body.outputs.length === s.state.length,
      `the body of a loop (${body.name}) gives another state than it takes`,
    );
    const state = s.state.map((r) => this.place(f, r));
    const spare = body.outputs.map((o, k) =>
      inPlace(body, body.inputs.length - s.state.length, k) ? state[k]! : take(o.bytes),
    );
    const verdict = take(4);
    return {
      kind: "loop",
      condition: s.condition,
      body: s.body,
      consts: s.consts.map((r) => this.place(f, r)),
      state,
      spare,
      bytes: body.outputs.map((o) => this.num(o.bytes)),
      verdict,
      frame: this.frame(at, [s.condition, s.body]),
    };
  }

  private scan(f: ProgramFunction, s: Extract<Step, { readonly kind: "scan" }>): LaidStep {
    const carried = this.program.functions[s.body]!.outputs.slice(0, s.carry.length);
    const carry = s.carry.map((r) => this.place(f, r));
    let at = f.arenaBytes;
    const spare = carried.map((o, k): Place => {
      if (inPlace(this.program.functions[s.body]!, s.consts.length, k)) return carry[k]!;
      const place: Place = { kind: "arena", offset: this.num(at) };
      at = align(at + o.bytes);
      return place;
    });
    const slices = (list: readonly Slices[]): LaidSlices[] =>
      list.map(({ ref, stride }) => ({ place: this.place(f, ref), stride }));
    return {
      kind: "scan",
      body: s.body,
      length: s.length,
      reverse: s.reverse,
      consts: s.consts.map((r) => this.place(f, r)),
      carry,
      spare,
      bytes: carried.map((o) => this.num(o.bytes)),
      xs: slices(s.xs),
      ys: slices(s.ys),
      frame: this.frame(at, [s.body]),
    };
  }

  /** Where the second storage of a loop's state ends, which begins behind a function's temporaries. */
  private behindSpare(f: ProgramFunction, bodyNumber: number, at: number, count: number): number {
    const body = this.program.functions[bodyNumber]!;
    return body.outputs
      .slice(0, count)
      .reduce((n, o, k) => (inPlace(body, at, k) ? n : align(n + o.bytes)), f.arenaBytes);
  }

  /** Bytes of arena that a function takes, those of what it calls and scratch included. */
  private need(fn: number): number {
    const known = this.needs.get(fn);
    if (known !== undefined) return known;
    this.needs.set(fn, 0);
    const f = this.program.functions[fn]!;
    let most = 0;
    const callee = (at: number, fns: readonly number[]): void => {
      const words = Math.max(...fns.map((k) => blockWords(this.program.functions[k]!)));
      most = Math.max(most, align(at + 4 * words) + Math.max(...fns.map((k) => this.need(k))));
    };
    for (const s of f.steps) {
      if (this.rounds(s)) continue;
      switch (s.kind) {
        case "launch":
          most = Math.max(most, f.arenaBytes + this.kernel(s.kernel).scratchBytes);
          break;
        case "call":
          callee(f.arenaBytes, [s.fn]);
          break;
        case "if":
          callee(f.arenaBytes, s.branches);
          break;
        case "scan":
          callee(this.behindSpare(f, s.body, s.consts.length, s.carry.length), [s.body]);
          break;
        case "loop": {
          const { inputs } = this.program.functions[s.body]!;
          const spare = this.behindSpare(f, s.body, inputs.length - s.state.length, s.state.length);
          callee(align(spare + 4), [s.condition, s.body]);
          break;
        }
        case "callback":
          most = Math.max(most, f.arenaBytes + 4 * (s.inputs.length + s.outputs.length));
          break;
        default:
      }
    }
    const bytes = align(Math.max(most, f.arenaBytes));
    this.needs.set(fn, bytes);
    return bytes;
  }
}

/** Whether the body of a loop may write part k of its state, which is its input at + k, where it reads it. */
const inPlace = (body: ProgramFunction, at: number, k: number): boolean => body.outputReusesInput[k] === at + k;

const sameRef = (a: BufferRef, b: BufferRef): boolean =>
  a.kind === b.kind && (a.kind === "arena" ? a.offset === (b as typeof a).offset : a.index === (b as typeof a).index);
