import type { Kernel } from "../kernel-ir/kernel.js";
import type { CallingStep } from "../kernel-ir/program.js";
import type { Value } from "./graph.js";

/** A step whose buffers are still values. */
export type PlannedStep =
  | { readonly kind: "launch"; readonly kernel: Kernel; readonly number: number; readonly args: readonly Value[] }
  | { readonly kind: "copy"; readonly from: Value; readonly to: Value }
  | CallingStep<Value, Value>;

/** The values that a step writes. */
export const writesOf = (s: PlannedStep): readonly Value[] => {
  switch (s.kind) {
    case "launch":
      return s.args.filter((_, i) => s.kernel.buffers[i]!.access !== "read");
    case "call":
    case "callback":
      return s.outputs;
    case "copy":
      return [s.to];
    case "if":
      return s.outputs;
    case "loop":
      return s.state;
    case "scan":
      return [...s.carry, ...s.ys];
  }
};
/** The values that a step reads. */
export const readsOf = (s: PlannedStep): readonly Value[] => {
  switch (s.kind) {
    case "launch":
      return s.args.filter((_, i) => s.kernel.buffers[i]!.access !== "write");
    case "call":
    case "callback":
      return s.inputs;
    case "copy":
      return [s.from];
    case "if":
      return [s.index, ...s.inputs];
    case "loop":
      return [...s.consts, ...s.state];
    case "scan":
      return [...s.consts, ...s.carry, ...s.xs];
  }
};

/** A step with other values in their places. */
export function renamed(s: PlannedStep, at: (v: Value) => Value): PlannedStep {
  switch (s.kind) {
    case "launch":
      return { ...s, args: s.args.map(at) };
    case "call":
    case "callback":
      return { ...s, inputs: s.inputs.map(at), outputs: s.outputs.map(at) };
    case "copy":
      return { ...s, from: at(s.from), to: at(s.to) };
    case "if":
      return { ...s, index: at(s.index), inputs: s.inputs.map(at), outputs: s.outputs.map(at) };
    case "loop":
      return { ...s, consts: s.consts.map(at), state: s.state.map(at) };
    case "scan":
      return { ...s, consts: s.consts.map(at), carry: s.carry.map(at), xs: s.xs.map(at), ys: s.ys.map(at) };
  }
}
