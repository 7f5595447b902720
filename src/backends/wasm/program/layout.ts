import { invariant } from "../../../core/errors.js";
import type { Kernel } from "../../../kernel-ir/kernel.js";
import type {
  BufferRef,
  HostFunction,
  Program,
  ProgramFunction,
  Slices,
  Step,
} from "../../../kernel-ir/program.js";
import { dotParameters, dotScratchBytes, dotStructure, dotUnits } from "../dot/dot.js";
import { type LoweredNest, lowerNest } from "../nest/lower.js";
import { type Dim, dimText } from "../nest/nodes.js";
import { sortLines, sortParameters, sortScratchBytes, sortStructure } from "../sort/sort.js";

/**
 * A program laid out for the Wasm backend: kernels of equal structure found, frames placed in the arena, and, for generic
 * programs, every number moved to the block of parameters that a call passes.
 *
 *   frame of a function (at its arena base):
 *     [its temporaries: arenaBytes][what loops need][the argument block of a callee][the callee's frame, or scratch]
 */
export interface ProgramLayout {
  /** Programs of equal keys are equal code. */
  readonly key: string;
  /** i32 parameters that the code reads; empty unless generic. */
  readonly params: readonly number[];
  readonly routines: readonly Routine[];
  readonly functions: readonly FunctionLayout[];
  readonly callbacks: readonly HostFunction[];
  /** Bytes of arena that a run takes. */
  readonly arenaBytes: number;
  /** Which parameters are chunks of launches: multiples of a step, by the work of a row. */
  readonly chunks: readonly ChunkParam[];
  /** Points of the longest single call of a nest: code that runs long before it can be replaced by optimised code. */
  readonly longestCall: number;
}

export interface ChunkParam {
  readonly slot: number;
  readonly step: number;
  readonly rowWork: number;
}

/** A kernel function to emit. */
export interface Routine {
  readonly key: string;
  readonly kernel: Kernel;
  readonly nest: LoweredNest | null;
}

export interface FunctionLayout {
  readonly source: ProgramFunction;
  readonly steps: readonly LaidStep[];
}

/** A buffer: the pointer in word `word` of the argument block, or an offset from the arena base. */
export type Place =
  { readonly kind: "argument"; readonly word: number } | { readonly kind: "arena"; readonly offset: Dim };

export interface Move {
  readonly from: Place;
  readonly to: Place;
  readonly bytes: Dim;
}

/** A call of a function: its arguments are written to a block in the frame. */
export interface Call {
  readonly fn: number;
  readonly arguments: readonly Place[];
  /** Outputs that are inputs: copied after the call. */
  readonly copies: readonly Move[];
}

export interface Frame {
  /** The callee's argument block, from the caller's arena base; its arena follows. */
  readonly block: Dim;
  readonly arena: Dim;
}

export type LaidStep =
  | {
      readonly kind: "launch";
      readonly routine: number;
      readonly args: readonly Place[];
      readonly rows: Dim;
      readonly chunk: Dim;
      readonly scratch: Dim;
      readonly params: number;
    }
  | { readonly kind: "call"; readonly call: Call; readonly frame: Frame }
  | { readonly kind: "if"; readonly index: Place; readonly branches: readonly Call[]; readonly frame: Frame }
  | { readonly kind: "copy"; readonly move: Move }
  | {
      readonly kind: "loop";
      readonly condition: number;
      readonly body: number;
      readonly consts: readonly Place[];
      readonly state: readonly Place[];
      /** Second storage of each state, and its bytes. */
      readonly spare: readonly Place[];
      readonly bytes: readonly Dim[];
      /** Where the condition leaves its result. */
      readonly verdict: Place;
      readonly frame: Frame;
    }
  | {
      readonly kind: "scan";
      readonly body: number;
      readonly length: number;
      readonly reverse: boolean;
      readonly consts: readonly Place[];
      readonly carry: readonly Place[];
      /** Second storage of each carry, and its bytes. */
      readonly spare: readonly Place[];
      readonly bytes: readonly Dim[];
      readonly xs: readonly LaidSlices[];
      readonly ys: readonly LaidSlices[];
      readonly frame: Frame;
    }
  | {
      readonly kind: "callback";
      readonly callback: number;
      /** Inputs, then outputs: their addresses are written to a block. */
      readonly arguments: readonly Place[];
      readonly block: Dim;
    };

/** Slices of a buffer, one a round of a scan. */
export interface LaidSlices {
  readonly place: Place;
  readonly stride: number;
}

const CHUNK_WORK = 65536;
/** Rows of one call of a nest. */
export const chunkOf = (step: number, rowWork: number): number =>
  Math.max(step, Math.floor(CHUNK_WORK / Math.max(1, rowWork) / step) * step);
const align = (n: number): number => Math.ceil(n / 64) * 64;

/** Word 0 of an argument block is the arena base; inputs and outputs follow. */
export const inputWord = (k: number): number => 1 + k;
export const outputWord = (f: ProgramFunction, k: number): number => 1 + f.inputs.length + k;
export const blockWords = (f: ProgramFunction): number => 1 + f.inputs.length + f.outputs.length;

export function layOut(program: Program, generic: boolean): ProgramLayout {
  return new Layouter(program, generic).run();
}

class Layouter {
  private readonly params: number[] = [];
  private readonly routines: Routine[] = [];
  private readonly byKey = new Map<string, number>();
  private longestCall = 0;
  private readonly chunks: ChunkParam[] = [];
  private readonly launches = new Map<
    number,
    {
      readonly routine: number;
      readonly params: readonly number[];
      readonly rows: number;
      readonly chunk: number;
      readonly rowChunks: Omit<ChunkParam, "slot"> | undefined;
      readonly scratchBytes: number;
    }
  >();
  /** Bytes of arena of each function, with all that it calls. */
  private readonly needs = new Map<number, number>();

  constructor(
    private readonly program: Program,
    private readonly generic: boolean,
  ) {}

  run(): ProgramLayout {
    const functions = this.program.functions.map((f) => ({ source: f, steps: f.steps.map((s) => this.step(f, s)) }));
    return {
      key: this.generic ? this.describe(functions) : "",
      params: this.params,
      routines: this.routines,
      functions,
      callbacks: this.program.callbacks ?? [],
      arenaBytes: this.need(0),
      chunks: this.chunks,
      longestCall: this.longestCall,
    };
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
  private kernel(index: number): NonNullable<ReturnType<Layouter["launches"]["get"]>> {
    let launch = this.launches.get(index);
    if (launch) return launch;
    const kernel = this.program.kernels[index]!;
    const { generic } = this;
    let key: string;
    let nest: LoweredNest | null = null;
    let params: readonly number[];
    let rows: number;
    let chunk: number;
    let rowChunks: Omit<ChunkParam, "slot"> | undefined;
    let scratchBytes: number;
    if (kernel.kind === "nest") {
      nest = lowerNest(kernel, generic);
      ({ key, params, rows, scratchBytes } = nest);
      const step = nest.rowStep === 1 ? 1 : Math.max(16, nest.rowStep);
      chunk = chunkOf(step, nest.rowWork);
      rowChunks = { step, rowWork: nest.rowWork };
      this.longestCall = Math.max(this.longestCall, Math.min(rows, chunk) * nest.rowWork);
    } else if (kernel.kind === "dot") {
      key = generic ? dotStructure(kernel) : `dot ${index}`;
      params = generic ? dotParameters(kernel) : [];
      rows = dotUnits(kernel);
      scratchBytes = dotScratchBytes(kernel);
      // one call: packing is done once a call
      chunk = Math.max(1, rows);
    } else {
      key = generic ? sortStructure(kernel) : `sort ${index}`;
      params = generic ? sortParameters(kernel) : [];
      rows = sortLines(kernel);
      chunk = Math.max(1, Math.floor(CHUNK_WORK / Math.max(1, kernel.n * 16)));
      scratchBytes = sortScratchBytes(kernel);
    }
    let routine = this.byKey.get(key);
    if (routine === undefined) {
      routine = this.routines.push({ key, kernel, nest }) - 1;
      this.byKey.set(key, routine);
    }
    launch = { routine, params, rows, chunk, rowChunks, scratchBytes };
    this.launches.set(index, launch);
    return launch;
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
      case "loop":
        return this.loop(f, s);
      case "scan":
        return this.scan(f, s);
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

  private chunkParam(chunk: number, rowChunks: Omit<ChunkParam, "slot"> | undefined): Dim {
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

  private describe(functions: readonly FunctionLayout[]): string {
    const place = (p: Place): string => (p.kind === "argument" ? `@${p.word}` : `+${dimText(p.offset)}`);
    const move = (m: Move): string => `${place(m.from)}>${place(m.to)}*${dimText(m.bytes)}`;
    const call = (c: Call): string => `${c.fn}(${c.arguments.map(place).join()})${c.copies.map(move).join()}`;
    const frame = (x: Frame): string => `${dimText(x.block)}/${dimText(x.arena)}`;
    const step = (s: LaidStep): string => {
      switch (s.kind) {
        case "launch":
          return `launch ${s.routine} ${s.args.map(place).join()} ${dimText(s.rows)} ${dimText(s.chunk)} ${dimText(s.scratch)} ${s.params}`;
        case "call":
          return `call ${call(s.call)} ${frame(s.frame)}`;
        case "if":
          return `if ${place(s.index)} ${s.branches.map(call).join(" ")} ${frame(s.frame)}`;
        case "scan":
          return `scan ${s.body} ${s.length} ${s.reverse} ${s.carry.length} ${[...s.consts, ...s.carry, ...s.spare].map(place).join()} ${s.bytes.map(dimText).join()} ${[...s.xs, ...s.ys].map((x) => `${place(x.place)}*${x.stride}`).join()} ${frame(s.frame)}`;
        case "copy":
          return `copy ${move(s.move)}`;
        case "callback":
          return `callback ${s.callback} ${s.arguments.map(place).join()} ${dimText(s.block)}`;
        case "loop":
          return `loop ${s.condition} ${s.body} ${[...s.consts, ...s.state, ...s.spare, s.verdict].map(place).join()} ${s.bytes.map(dimText).join()} ${frame(s.frame)}`;
      }
    };
    return [
      ...this.routines.map((r) => r.key),
      ...functions.map(
        (f) =>
          `${f.source.inputs.length}>${f.source.outputs.length}[${f.source.outputIsInput.join()}] ${f.steps.map(step).join(";")}`,
      ),
    ].join("\n\n");
  }
}

/** Whether the body of a loop may write part k of its state, which is its input at + k, where it reads it. */
const inPlace = (body: ProgramFunction, at: number, k: number): boolean => body.outputReusesInput[k] === at + k;

const sameRef = (a: BufferRef, b: BufferRef): boolean =>
  a.kind === b.kind && (a.kind === "arena" ? a.offset === (b as typeof a).offset : a.index === (b as typeof a).index);
