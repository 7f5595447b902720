import { printStep } from "../../../kernel-ir/printer.js";
import type { Program, Step } from "../../../kernel-ir/program.js";
import type { Limits } from "../dispatch.js";
import type { Slice, Spot } from "../recording.js";
import { bindingAlignment } from "../constants.js";
import { type Cell, cellOf } from "./memory.js";
import { Emitter, NotSmall, type Size, sizeOf, slice, wordsOf } from "./emit.js";

/**
 * A loop that is one kernel: one workgroup goes through the rounds by itself, and its invocations wait for each other between
 * the kernels of a round. What lives within a round lies in workgroup memory where there is room.
 */
export interface FusedLoop {
  readonly kind: "fused";
  readonly name: string;
  readonly args: readonly FusedArg[];
  /** Rounds of recorded scans whose numbers its code knows. */
  readonly turns: number;
  /** Rounds that one dispatch does at most: drivers give up on what takes long. */
  readonly roundsPerDispatch: number;
  readonly text: FusedText;
  readonly ir: () => string;
}
export interface FusedArg {
  readonly bytes: number;
  readonly access: "read" | "write" | "readwrite";
  /** A dispatch writes all of it. */
  readonly whole: boolean;
}

/** The code, but for the bindings. */
export interface FusedText {
  /** Names of the arguments' arrays. */
  readonly names: readonly string[];
  readonly module: string;
  readonly main: string;
  readonly invocations: number;
  readonly localWords: number;
  readonly usesFlag: boolean;
  readonly storageRaces: boolean;
  readonly steps: number;
}

/** Where the operands of a step lie. */
export interface FusedOperands {
  readonly consts: readonly Spot[];
  readonly state: readonly Spot[];
  /** Of a scan. */
  readonly xs: readonly Spot[];
  readonly ys: readonly Spot[];
  /** Of a loop: where it says whether it was not done. */
  readonly word: Spot | undefined;
}

/** A kernel that loops, where its arguments lie, and which operands it takes from one buffer that they are copied to. */
export interface Fused {
  readonly work: FusedLoop;
  /** The last is the buffer of copies, if there are any: to be made. */
  readonly spots: readonly Spot[];
  readonly packs: readonly Pack[];
  readonly packBytes: number;
}

/** An operand in the buffer of copies. */
export interface Pack {
  readonly spot: Spot;
  readonly offset: number;
  readonly bytes: number;
  readonly access: FusedArg["access"];
}

/** Bytes that are copied rather than recording a loop round by round. */
const mostPacked = 2 ** 24;

/** Steps of an invocation that one dispatch takes at most: of the order of a second on slow devices. */
const stepsPerDispatch = 2e7;
const mostRounds = 2 ** 24;

/** Makes one kernel of a loop, and says where its arguments lie; undefined where the loop is too large for that. */
export function fuseLoop(
  program: Program,
  step: Extract<Step, { kind: "loop" | "scan" }>,
  operands: FusedOperands,
  { limits, depth }: { readonly limits: Limits; readonly depth: number },
): Fused | undefined {
  const functions = step.kind === "scan" ? [step.body] : [step.condition, step.body];
  for (const packed of [false, true]) {
    try {
      const size = sizeOf(program, functions, limits);
      return new Fusion(program, step, operands, limits, depth, size, functions, packed).make();
    } catch (e) {
      if (!(e instanceof NotSmall)) throw e;
      // With fewer buffers it may be.
      if (!(e instanceof TooManyBuffers)) return undefined;
    }
  }
  return undefined;
}

class TooManyBuffers extends NotSmall {}

const barrier = "barrier();";
/** The buffer of copies. */
const together = "together";

class Fusion {
  private readonly spots: Spot[] = [];
  private readonly args: FusedArg[] = [];
  private readonly names: string[] = [];
  private readonly packs: Pack[] = [];
  private packBytes = 0;
  private readonly byKey = new Map<string, number>();
  private readonly emitter: Emitter;
  private readonly perDispatch: number;
  private readonly isCut: boolean;

  constructor(
    private readonly program: Program,
    private readonly step: Extract<Step, { kind: "loop" | "scan" }>,
    private readonly operands: FusedOperands,
    private readonly limits: Limits,
    private readonly depth: number,
    private readonly size: Size,
    functions: readonly number[],
    /** Operands are copied to one buffer, for a device binds only so many. */
    private readonly packed: boolean,
  ) {
    this.emitter = new Emitter(program, limits, size.invocations, barrier);
    this.emitter.localWords = wordsOf(program, functions);
    const most = Math.max(1, Math.min(mostRounds, Math.floor(stepsPerDispatch / size.steps)));
    this.perDispatch = step.kind === "scan" ? Math.min(most, step.length) : most;
    this.isCut = step.kind === "scan" && step.length > most;
  }

  make(): Fused {
    const { step, emitter } = this;
    if (step.kind === "scan") this.scan(step);
    else this.loop(step);
    const { functions, helpers, variables, invocations, localWords, usesFlag, read, written } = emitter;
    const main = emitter.code.toString();
    const body = [...functions, main].join("");
    const used = this.names.map((name) => new RegExp(`\\b${name}\\[`).test(body));
    const keep = <T>(list: readonly T[]): T[] => list.filter((_, k) => used[k]);
    const { packs, packBytes } = this;
    const spots = keep(this.spots);
    const args = keep(this.args);
    const names = keep(this.names);
    if (packs.length > 0) {
      args.push({ bytes: packBytes, access: "readwrite", whole: false });
      names.push(together);
    }
    const text: FusedText = {
      names,
      module: [...variables.map((v) => `${v}\n`), ...helpers, ...functions].join(""),
      main,
      invocations,
      localWords,
      usesFlag,
      storageRaces: [...read].some((name) => name !== emitter.local && written.has(name)),
      steps: this.size.steps * this.perDispatch,
    };
    if (args.length + (isShared(text, this.limits) ? 0 : 1) > this.limits.maxStorageBuffersPerShaderStage)
      throw new TooManyBuffers();
    if (packBytes > mostPacked) throw new NotSmall();
    const turns = spots.reduce(
      (n, s) => s.slices.reduce((m, { depth }) => Math.max(m, depth + 1), n),
      this.isCut ? this.depth + 1 : 0,
    );
    const work: FusedLoop = {
      kind: "fused",
      name: `${step.kind} ${this.program.functions[step.body]!.name}`,
      args,
      turns,
      roundsPerDispatch: this.perDispatch,
      text,
      ir: () => printStep(step, this.program),
    };
    return { work, spots, packs, packBytes };
  }

  private arg(spot: Spot, bytes: number, access: FusedArg["access"], whole = false): Cell {
    const { ref, slices } = spot;
    const place = ref.kind === "arena" ? ref.offset : ref.index;
    const key = `${ref.kind} ${place} ${slices.map((s: Slice) => `${s.depth}:${s.stride}`).join(" ")}`;
    let k = this.byKey.get(key);
    if (this.packed && !whole && slices.length === 0) {
      const known = k === undefined ? undefined : this.packs[k]!;
      if (known && (known.access !== "read" || access !== "read" || known.bytes !== bytes)) throw new NotSmall();
      if (k === undefined) {
        this.byKey.set(key, (k = this.packs.push({ spot, offset: this.packBytes, bytes, access }) - 1));
        this.packBytes += Math.max(1, Math.ceil(bytes / bindingAlignment)) * bindingAlignment;
      }
      const base = String(this.packs[k]!.offset / 4);
      return { memory: together, base, region: `${together} ${k}`, from: 0, to: Infinity };
    }
    if (k === undefined) {
      this.byKey.set(key, (k = this.spots.push(spot) - 1));
      this.args.push({ bytes, access, whole });
      this.names.push(`memory${k}`);
    } else if (this.args[k]!.access !== "read" || access !== "read") throw new NotSmall();
    else if (this.args[k]!.bytes < bytes) this.args[k] = { bytes, access, whole };
    return cellOf(`memory${k}`, slices);
  }

  private scan(step: Extract<Step, { kind: "scan" }>): void {
    const { emitter, operands, program, depth, perDispatch } = this;
    const { length, reverse } = step;
    const body = program.functions[step.body]!;
    const outputs = body.outputs;
    const consts = operands.consts.map((s, k) => this.arg(s, body.inputs[k]!.bytes, "read"));
    const state = operands.state.map((s, k) => this.arg(s, outputs[k]!.bytes, "readwrite"));
    const [xs, ys] = (
      [
        ["xs", "read"],
        ["ys", "write"],
      ] as const
    ).map(([name, access]) =>
      step[name].map(({ stride }, k) => ({
        cell: this.arg(operands[name][k]!, stride * length, access),
        words: stride / 4,
      })),
    );
    const { code } = emitter;
    if (this.isCut) {
      code.line(`let first = uniformTurn${depth} * ${perDispatch};`);
      code.line(`let end = min(first + ${perDispatch}, ${length});`);
    }
    const types = outputs.slice(0, state.length);
    const [first, end] = this.isCut ? ["first", "end"] : ["0", String(length)];
    emitter.rounds(types, state, first!, end!, (i, from, to) => {
      const round = emitter.variable("round");
      code.line(`${round} = ${reverse ? `${length - 1} - ${i}` : i};`);
      emitter.call(step.body, {
        inputs: [...consts, ...from, ...xs!.map((x) => slice(x, round))],
        outputs: [...to, ...ys!.map((y) => slice(y, round))],
        base: 0,
      });
    });
  }

  private loop(step: Extract<Step, { kind: "loop" }>): void {
    const { emitter, operands, program, perDispatch } = this;
    const body = program.functions[step.body]!;
    const consts = operands.consts.map((s, k) => this.arg(s, body.inputs[k]!.bytes, "read"));
    const state = operands.state.map((s, k) => this.arg(s, body.outputs[k]!.bytes, "readwrite"));
    const word = this.arg(operands.word!, 4, "write", true);
    const { code } = emitter;
    const holds = emitter.reserve(4);
    const i = emitter.rounds(
      body.outputs,
      state,
      "0",
      String(perDispatch),
      (_, from, to) => emitter.call(step.body, { inputs: [...consts, ...from], outputs: to, base: 0 }),
      (_, from) => {
        emitter.call(step.condition, { inputs: [...consts, ...from], outputs: [holds], base: 0 });
        code.line(`if (${emitter.agreed(holds)} == 0) { break; }`);
      },
    );
    code.line(`if (place == 0u) { ${word.memory}[${word.base}] = select(0u, 1u, ${i} >= ${perDispatch}); }`);
  }
}

/** Whether what lives within a dispatch lies in workgroup memory. */
export const isShared = ({ localWords }: FusedText, limits: Limits): boolean =>
  4 * localWords + 16 <= limits.maxComputeWorkgroupStorageSize;

export const barrierText = barrier;
