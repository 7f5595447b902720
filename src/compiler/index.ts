import { debug } from "../core/debug.js";
import { invariant } from "../core/errors.js";
import { type Jaxpr, Literal } from "../core/jaxpr.js";
import { printJaxpr } from "../core/printer.js";
import type { DeviceTraits } from "../kernel-ir/backend.js";
import { printProgram } from "../kernel-ir/printer.js";
import type {
  CallbackLowering,
  CallLowering,
  LoopLowering,
  RoundsLowering,
  SwitchLowering,
} from "../kernel-ir/lowering.js";
import type { Kernel } from "../kernel-ir/kernel.js";
import type { BufferType, HostFunction, Program, ProgramFunction } from "../kernel-ir/program.js";
import { CallPolicy } from "./calls.js";
import { Cluster } from "./cluster.js";
import { dotKernels } from "./dot.js";
import { clusterName } from "./epilogue.js";
import { fuse, type FusedGroup, type OpaqueGroup } from "./fuse.js";
import { buildGraph, bytesOf, type Operand, Value } from "./graph.js";
import { limitBuffers } from "./limits.js";
import { clusterKernel } from "./nest.js";
import { type KernelLaunch, scanKernel, scatterKernels, sortKernel } from "./opaque.js";
import { type Donation, plan } from "./plan.js";
import { regionKernels } from "./regions.js";
import { simplify } from "./simplify.js";
import type { PlannedStep } from "./steps.js";

export interface CompileOptions {
  readonly name: string;
  /** Inputs whose storage an output may take over. */
  readonly donated?: readonly boolean[];
  /** What kernels and plans have to heed of the device that runs them. */
  readonly traits: DeviceTraits;
}

/** Compiles a jaxpr to a program: simplify, lower and fuse, plan. Time and size are linear in the size of the jaxpr. */
export function compile(jaxpr: Jaxpr, options: CompileOptions): Program {
  const builder = new ProgramBuilder(jaxpr, options.traits);
  const donated = (options.donated ?? []).flatMap((is, k) => (is ? [k] : []));
  builder.function(jaxpr, options.name, { donated: () => donated });
  const program: Program = {
    name: options.name,
    kernels: builder.kernels,
    functions: builder.functions as ProgramFunction[],
    ...(builder.callbacks.length > 0 ? { callbacks: builder.callbacks } : {}),
  };
  debug(3, () => printProgram(program));
  return program;
}

interface FunctionOptions {
  /** All outputs are the function's own: one that is an input is copied, so that callers need not know of it. */
  readonly own?: boolean;
  /** Of the bodies of loops: so many inputs, from this one on, are state of which the first outputs are the next. */
  readonly carry?: { readonly at: number; readonly count: number };
  readonly donated?: Donation;
}
const nothing: Donation = () => [];

class ProgramBuilder {
  readonly kernels: Kernel[] = [];
  readonly functions: (ProgramFunction | undefined)[] = [];
  readonly callbacks: HostFunction[] = [];
  /** Of each jaxpr: the functions made of it, by what they promise. */
  private readonly numbers = new Map<Jaxpr, Map<string, number>>();
  private readonly calls: CallPolicy;

  constructor(
    root: Jaxpr,
    private readonly traits: DeviceTraits,
  ) {
    this.calls = new CallPolicy(root);
  }

  /** Compiles a function and everything it calls; gives its number. */
  function(jaxpr: Jaxpr, name: string, { own = false, carry, donated = nothing }: FunctionOptions): number {
    const numbers = this.numbers.get(jaxpr) ?? new Map<string, number>();
    this.numbers.set(jaxpr, numbers);
    const key = `${own} ${carry?.at}`;
    const known = numbers.get(key);
    if (known !== undefined) return known;
    const number = this.functions.push(undefined) - 1;
    numbers.set(key, number);
    const simplified = simplify(jaxpr, this.calls);
    debug(2, () => `jaxpr of ${name}, simplified:\n${printJaxpr(simplified)}`);
    const graph = buildGraph(simplified, this.traits);
    const { groups, outputs } = fuse(graph, this.traits);
    const steps = groups.flatMap((g) => this.steps(g));
    const results = new Results(graph.inputs, outputs, steps, own);
    const takes = carry ? (output: number) => (output < carry.count ? [carry.at + output] : []) : donated;
    const planned = plan(steps, graph.inputs, results.values, takes, this.traits);
    this.functions[number] = {
      name,
      inputs: graph.inputs.map(typeOf),
      outputs: jaxpr.outs.map((a) => ({ dtype: a.aval.dtype, bytes: bytesOf(a.aval) })),
      arenaBytes: planned.arenaBytes,
      steps: planned.steps,
      outputIsInput: results.isInput,
      outputReusesInput: planned.outputReusesInput,
    };
    return number;
  }

  private steps(group: FusedGroup): PlannedStep[] {
    if (group instanceof Cluster) return this.launches(clusterKernel(group, clusterName(group), this.traits));
    switch (group.op.lower.kind) {
      case "dot":
        return this.launches(...dotKernels(group, this.traits));
      case "sort":
        return this.launches(sortKernel(group));
      case "scan":
        return this.launches(scanKernel(group));
      case "scatter":
        return this.scatterSteps(group);
      case "element":
        return this.launches(...regionKernels(group, this.traits));
      case "call":
        return this.callStep(group);
      case "switch":
        return this.switchStep(group, group.op.lower as SwitchLowering<never>);
      case "loop":
        return this.loopStep(group, group.op.lower as LoopLowering<never>);
      case "rounds":
        return this.scanStep(group, group.op.lower as RoundsLowering<never>);
      case "callback":
        return this.callbackStep(group, group.op.lower as CallbackLowering<never>);
      default:
        invariant(false, `no step is known for lowerings of kind ${group.op.lower.kind}`);
    }
  }

  private launches(...list: readonly (KernelLaunch | undefined)[]): PlannedStep[] {
    return list.flatMap((l) =>
      l
        ? limitBuffers(l, this.traits).map(
            (x) => ({ kind: "launch", ...x, number: this.kernels.push(x.kernel) - 1 }) as const,
          )
        : [],
    );
  }

  /** The array copied, then updated; a copy of what nobody reads again costs nothing. */
  private scatterSteps(group: OpaqueGroup): PlannedStep[] {
    const { begin, update } = scatterKernels(group);
    const to = group.op.outs[0]!;
    const first = begin instanceof Value ? [{ kind: "copy", from: begin, to } as const] : this.launches(begin);
    return [...first, ...this.launches(update)];
  }

  private callStep(group: OpaqueGroup): PlannedStep[] {
    const { op } = group;
    const inner = (op.lower as CallLowering<never>).jaxpr(op.params);
    const fn = this.function(inner, op.name, {});
    const inputs = group.operands as readonly Value[];
    return [{ kind: "call", fn, inputs, outputs: op.outs }];
  }

  private switchStep({ op, operands }: OpaqueGroup, lower: SwitchLowering<never>): PlannedStep[] {
    const branches = lower.branches(op.params).map((b, i) => this.function(b, `${op.name} branch ${i}`, { own: true }));
    const [index, ...inputs] = operands as readonly Value[];
    return [{ kind: "if", index: index!, branches, inputs, outputs: op.outs }];
  }

  private loopStep({ op, operands }: OpaqueGroup, lower: LoopLowering<never>): PlannedStep[] {
    const { condition, body, consts } = lower.loop(op.params);
    const values = operands as readonly Value[];
    return [
      ...op.outs.map((to, i) => ({ kind: "copy", from: values[consts + i]!, to }) as const),
      {
        kind: "loop",
        condition: this.function(condition, `${op.name} condition`, { own: true }),
        body: this.function(body, `${op.name} body`, { own: true, carry: { at: consts, count: op.outs.length } }),
        consts: values.slice(0, consts),
        state: op.outs,
      },
    ];
  }

  private scanStep({ op, operands }: OpaqueGroup, lower: RoundsLowering<never>): PlannedStep[] {
    const { body, length, reverse, consts, carry } = lower.rounds(op.params);
    const values = operands as readonly Value[];
    const carried = op.outs.slice(0, carry);
    const begin = carried.map((to, i) => ({ kind: "copy", from: values[consts + i]!, to }) as const);
    if (length === 0) return begin;
    return [
      ...begin,
      {
        kind: "scan",
        body: this.function(body, `${op.name} body`, { own: true, carry: { at: consts, count: carry } }),
        length,
        reverse,
        consts: values.slice(0, consts),
        carry: carried,
        xs: values.slice(consts + carry),
        ys: op.outs.slice(carry),
      },
    ];
  }

  private callbackStep({ op, operands }: OpaqueGroup, lower: CallbackLowering<never>): PlannedStep[] {
    const inputs = operands as readonly Value[];
    const host = lower.host(
      op.params,
      op.inputs.map((x) => x.aval),
      op.outs.map((v) => v.aval),
    );
    return [{ kind: "callback", callback: this.callbacks.push(host) - 1, inputs, outputs: op.outs }];
  }
}

const typeOf = (v: Value): BufferType => ({ dtype: v.aval.dtype, bytes: bytesOf(v.aval) });

/** Where a program's results come from: values of their own, inputs handed through, copies of what is returned twice. */
class Results {
  readonly values: Value[] = [];
  readonly isInput: (number | null)[] = [];

  constructor(inputs: readonly Value[], outputs: readonly Operand[], steps: PlannedStep[], own: boolean) {
    const seen = new Set<Value>();
    const numbers = new Map(inputs.map((x, i) => [x, i]));
    for (const x of outputs) {
      invariant(!(x instanceof Literal), "a literal result was not stored");
      const input = numbers.get(x);
      const isHandedOn = input !== undefined && !own;
      this.isInput.push(isHandedOn ? input : null);
      if (isHandedOn || !(seen.has(x) || input !== undefined)) {
        this.values.push(x);
        seen.add(x);
        continue;
      }
      const copy = new Value(x.aval, undefined, 0);
      steps.push({ kind: "copy", from: x, to: copy });
      this.values.push(copy);
    }
  }
}
