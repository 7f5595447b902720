import { arenaNeed } from "../../../kernel-ir/callees.js";
import type { BufferRef, Program, ProgramFunction, Step } from "../../../kernel-ir/program.js";
import type { Limits, View } from "../dispatch.js";
import { argumentAccess } from "../recording.js";
import { Code } from "../wgsl/code.js";
import { asNest, kernelFunction, pathOf, rowsOf } from "./kernels.js";
import { type Cell, Hazards } from "./memory.js";

/** A kernel that is a loop is no longer small with more launches than this in its text. */
const mostLaunches = 64;
/** Steps that a launch of its own is worth. */
const stepsOfLaunch = 4096;
/** What waiting for each other costs, in steps. */
const stepsOfBarrier = 30;
/** Rows that one invocation computes alone rather than that several wait for each other. */
const rowsAlone = 8;
const mostInvocations = 256;

/** It is no small loop after all. */
export class NotSmall extends Error {}

/** The loops that may be one kernel, and what their rounds take. */
export interface Size {
  readonly invocations: number;
  /** Steps of one round. */
  readonly steps: number;
}

/** How much work functions are when one workgroup does it. @throws NotSmall. */
export function sizeOf(program: Program, functions: readonly number[], limits: Limits): Size {
  const launches = functions.flatMap((fn) => launchesOf(program, fn, 1));
  const rows = launches.reduce((n, l) => Math.max(n, rowsOf(l.nest)), 1);
  const most = Math.min(mostInvocations, limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
  const invocations = rows <= rowsAlone ? 1 : Math.min(most, 2 ** Math.ceil(Math.log2(rows)));
  if (launches.length > mostLaunches) throw new NotSmall();
  let [steps, times] = [0, 0];
  for (const l of launches) {
    times += l.times;
    steps += l.times * pathOf(l.nest, invocations);
  }
  if (steps > times * stepsOfLaunch) throw new NotSmall();
  return { invocations, steps: Math.max(1, steps + (invocations > 1 ? times * stepsOfBarrier : 0)) };
}

/** The launches of a function, and how often each runs (branches: as if all ran). */
function launchesOf(
  program: Program,
  fn: number,
  times: number,
): { readonly nest: NonNullable<ReturnType<typeof asNest>>; readonly times: number }[] {
  return program.functions[fn]!.steps.flatMap((step) => {
    switch (step.kind) {
      case "launch": {
        const nest = asNest(program.kernels[step.kernel]!);
        if (!nest) throw new NotSmall();
        return [{ nest, times }];
      }
      case "call":
        return launchesOf(program, step.fn, times);
      case "if":
        return step.branches.flatMap((b) => launchesOf(program, b, times));
      case "scan":
        return launchesOf(program, step.body, times * step.length);
      case "copy":
        return [];
      // The end of a loop within is not known: the device could be busy for ever.
      case "loop":
      case "callback":
        throw new NotSmall();
    }
  });
}

/** The arguments of a function that is called. */
interface Frame {
  readonly inputs: readonly Cell[];
  readonly outputs: readonly Cell[];
  /** Words of local memory before the function's own. */
  readonly base: number;
}

/** Writes steps as the code of one workgroup, whose invocations wait for each other between kernels. */
export class Emitter {
  readonly code = new Code();
  readonly functions: string[] = [];
  readonly helpers = new Set<string>();
  readonly variables: string[] = [];
  /** The array of what lives within a dispatch. */
  readonly local = "within";
  usesFlag = false;
  localWords = 0;
  /** Arrays that are read, and written, by others than the outermost loop itself. */
  readonly read = new Set<string>();
  readonly written = new Set<string>();
  private readonly hazards = new Hazards();
  private loops = 0;
  private names = 0;

  constructor(
    private readonly program: Program,
    private readonly limits: Limits,
    readonly invocations: number,
    /** What all invocations call to wait for each other. */
    private readonly barrier: string,
  ) {}

  fresh(prefix: string): string {
    return `${prefix}${this.names++}`;
  }

  /** Local memory of its own, behind what all functions take. */
  reserve(words: number): Cell {
    const from = this.localWords;
    this.localWords += Math.ceil(words / 4) * 4;
    return { memory: this.local, base: String(from), region: this.local, from, to: from + words };
  }

  call(fn: number, frame: Frame): void {
    const f = this.program.functions[fn]!;
    const at = (ref: BufferRef): Cell => {
      if (ref.kind !== "arena") return (ref.kind === "input" ? frame.inputs : frame.outputs)[ref.index]!;
      const from = frame.base + ref.offset / 4;
      return { memory: this.local, base: String(from), region: this.local, from, to: frame.base + f.arenaBytes / 4 };
    };
    for (const step of f.steps) this.step(f, step, at, frame.base + f.arenaBytes / 4);
    f.outputIsInput.forEach((i, k) => {
      if (i !== null) this.copy(frame.inputs[i]!, frame.outputs[k]!, f.outputs[k]!.bytes / 4);
    });
  }

  private step(f: ProgramFunction, step: Step, at: (ref: BufferRef) => Cell, base: number): void {
    switch (step.kind) {
      case "launch":
        return this.launch(step.kernel, step.args.map(at));
      case "call":
        return this.call(step.fn, { inputs: step.inputs.map(at), outputs: step.outputs.map(at), base });
      case "copy":
        return this.copy(at(step.from), at(step.to), step.bytes / 4);
      case "if":
        return this.branches(step, at, base);
      case "scan": {
        const types = this.program.functions[step.body]!.outputs.slice(0, step.carry.length);
        const carry = step.carry.map(at);
        const consts = step.consts.map(at);
        const [xs, ys] = [step.xs, step.ys].map((list) => list.map((s) => ({ cell: at(s.ref), words: s.stride / 4 })));
        this.rounds(types, carry, `0`, `${step.length}`, (i, from, to) => {
          const k = step.reverse ? `${step.length - 1} - ${i}` : i;
          const turn = this.variable("round");
          this.code.line(`${turn} = ${k};`);
          this.call(step.body, {
            inputs: [...consts, ...from, ...xs!.map((x) => slice(x, turn))],
            outputs: [...to, ...ys!.map((y) => slice(y, turn))],
            base,
          });
        });
        return;
      }
      case "loop":
      case "callback":
        throw new NotSmall(f.name);
    }
  }

  /** A variable that functions see. */
  variable(prefix: string): string {
    const name = this.fresh(prefix);
    this.variables.push(`var<private> ${name}: i32;`);
    return name;
  }

  /**
   * A loop from `first` to `end` over rounds that take a state to the next. Both lie in local memory, by turns; before and after
   * the state is at `state`. `head` may leave the loop.
   */
  rounds(
    types: readonly { readonly bytes: number }[],
    state: readonly Cell[],
    first: string,
    end: string,
    body: (i: string, from: readonly Cell[], to: readonly Cell[]) => void,
    head: (i: string, from: readonly Cell[]) => void = () => undefined,
  ): string {
    const parity = this.variable("parity");
    const cells = types.map(({ bytes }, k) => {
      const words = bytes / 4;
      const both = this.reserve(2 * Math.ceil(words / 4) * 4);
      const half = Math.ceil(words / 4) * 4;
      const cell = (which: string, base: string): Cell => ({
        ...both,
        base,
        region: `${which} ${both.base}`,
        from: 0,
        to: words,
      });
      return {
        words,
        outer: state[k]!,
        first: { ...both, to: both.from + words, region: `now ${both.base}` },
        now: cell("now", `${both.base} + ${parity} * ${half}`),
        next: cell("next", `${both.base} + (1 - ${parity}) * ${half}`),
      };
    });
    const now = cells.map((c) => c.now);
    const next = cells.map((c) => c.next);
    const i = this.fresh("i");
    this.wait();
    this.code.line(`${parity} = 0;`);
    for (const c of cells) this.copy(c.outer, { ...c.first, from: 0, to: c.words }, c.words);
    this.wait();
    this.code.line(`var ${i} = ${first};`);
    this.loops++;
    this.code.block("loop", () => {
      this.code.line(`if (${i} >= ${end}) { break; }`);
      head(i, now);
      body(i, now, next);
      this.wait();
      this.code.line(`${parity} = 1 - ${parity};`);
      this.code.line(`${i}++;`);
    });
    this.loops--;
    this.hazards.clear();
    for (const c of cells) this.copy(c.now, c.outer, c.words);
    this.wait();
    return i;
  }

  private branches(step: Extract<Step, { kind: "if" }>, at: (ref: BufferRef) => Cell, base: number): void {
    const inputs = step.inputs.map(at);
    const outputs = step.outputs.map(at);
    const chosen = this.agreed(at(step.index));
    const which = this.fresh("branch");
    this.code.line(`let ${which} = clamp(${chosen}, 0, ${step.branches.length - 1});`);
    step.branches.forEach((fn, b) =>
      this.code.block(`if (${which} == ${b})`, () => {
        this.call(fn, { inputs, outputs, base });
        this.wait();
      }),
    );
    this.hazards.clear();
  }

  /** A word that all invocations are told alike: text of an i32. */
  agreed(word: Cell): string {
    this.wait();
    const text = `bitcast<i32>(${element(word, "0")})`;
    const name = this.fresh("word");
    if (this.invocations === 1) this.code.line(`let ${name} = ${text};`);
    else {
      this.usesFlag = true;
      this.code.line(`if (place == 0u) { flag = ${text}; }`);
      this.code.line(`let ${name} = workgroupUniformLoad(&flag);`);
    }
    return name;
  }

  /** All invocations have done what stands before. */
  wait(): void {
    if (this.invocations > 1) this.code.line(this.barrier);
    this.hazards.clear();
  }

  private before(reads: readonly Cell[], writes: readonly Cell[]): void {
    if (this.loops > 0) {
      for (const c of reads) this.read.add(c.memory);
      for (const c of writes) this.written.add(c.memory);
    }
    if (this.hazards.waits(reads, writes) && this.invocations > 1) this.code.line(this.barrier);
  }

  private copy(from: Cell, to: Cell, words: number): void {
    if (words === 0 || (from.memory === to.memory && from.base === to.base)) return;
    this.before([from], [to]);
    const e = this.fresh("e");
    this.code.block(`for (var ${e} = i32(place); ${e} < ${words}; ${e} += ${this.invocations})`, () =>
      this.code.line(`${element(to, e)} = ${element(from, e)};`),
    );
  }

  private launch(number: number, cells: readonly Cell[]): void {
    const kernel = this.program.kernels[number]!;
    const nest = asNest(kernel);
    if (!nest) throw new NotSmall();
    if (nest.parallel.includes(0)) return;
    const of = (other: "read" | "write"): Cell[] =>
      cells.flatMap((c, i) =>
        argumentAccess(kernel, i) === other ? [] : { ...c, to: Math.min(c.to, c.from + kernel.buffers[i]!.length) },
      );
    this.before(of("write"), of("read"));
    const same = cells.map((c) => cells.findIndex((d) => d.memory === c.memory && d.base === c.base));
    const views = cells.map(({ memory, base }): View => ({ base, memory: { name: memory, element: "u32" } }));
    const name = this.fresh("kernel");
    const f = kernelFunction(name, nest, { limits: this.limits, sameAs: same, views }, this.invocations);
    if (!f) throw new NotSmall();
    this.functions.push(`// ${kernel.name}\n${f.text}`);
    for (const h of f.helpers) this.helpers.add(h);
    if (f.alone)
      this.code.line(this.invocations === 1 ? `${name}(wid, place);` : `if (place == 0u) { ${name}(wid, place); }`);
    else if (f.groups === 1) this.code.line(`${name}(wid, place);`);
    else {
      const g = this.fresh("g");
      this.code.block(`for (var ${g} = 0u; ${g} < ${f.groups}u; ${g}++)`, () =>
        this.code.line(`${name}(vec3u(${g}, 0u, wid.z), place);`),
      );
    }
  }
}

const element = ({ memory, base }: Cell, index: string): string =>
  `${memory}[${base === "0" ? index : index === "0" ? base : `${base} + ${index}`}]`;

/** Slice `turn` of an array. */
export const slice = ({ cell, words }: { readonly cell: Cell; readonly words: number }, turn: string): Cell =>
  words === 0 ? cell : { ...cell, base: `${cell.base === "0" ? "" : `${cell.base} + `}${turn} * ${words}` };

/** Words of local memory that functions take. */
export const wordsOf = (program: Program, functions: readonly number[]): number =>
  functions.reduce((n, fn) => Math.max(n, arenaNeed(program, fn) / 4), 0);
