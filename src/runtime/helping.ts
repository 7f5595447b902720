import { CallbackError } from "../core/errors.js";
import type { Backend, HostCompute } from "../kernel-ir/backend.js";
import type { Program } from "../kernel-ir/program.js";
import { noteCallbackError } from "./effects.js";

interface Places {
  readonly device: string;
  readonly helper: string;
  /** What the device has no kernels for, in words. */
  readonly lacking: string;
}

/** Whether a program does nothing but call back: what its callbacks are given travels in any case, and nothing else does. */
export const onlyCallsBack = ({ functions }: Program): boolean =>
  functions.length === 1 && functions[0]!.steps.every((s) => s.kind === "callback");

/** Where a program is computed, and what travels for it. */
export const helpNote = (program: Program, places: Places): string =>
  `${program.name} has ${places.lacking}, so that all of it is computed on "${places.helper}": ${traffic(program, places)}`;

/** What is said the first time that a device is helped with something. */
export const helpReport = (program: Program, places: Places): string =>
  `device "${places.device}" has no kernels for ${places.lacking}: programs with them are computed on "${places.helper}" as a whole. ` +
  `For ${program.name}, ${traffic(program, places)}. This is said once; explain(f)(...args) tells it of any program`;

function traffic({ functions }: Program, { device }: Places): string {
  const { inputs, outputs, outputIsInput } = functions[0]!;
  const operands = inputs.reduce((n, x) => n + x.bytes, 0);
  const results = outputs.reduce((n, x, k) => n + (outputIsInput[k] === null ? x.bytes : 0), 0);
  return `${operands} bytes of operands are read from "${device}" in each call, and ${results} bytes of results are written to it`;
}

/** How a synchronous device computes a program for another one: everything goes in as words, and comes back as words. */
export function computeWith(
  helper: Backend,
  program: Program,
): { readonly compute: HostCompute; readonly text: () => string } {
  const executable = helper.compile(program, { generic: false });
  const { outputs, outputIsInput } = program.functions[0]!;
  const compute: HostCompute = (inputs) => {
    const held = [];
    try {
      const args = [];
      for (const x of inputs) {
        if (!(x instanceof Uint32Array)) {
          args.push(x);
          continue;
        }
        const buffer = helper.allocate(x.byteLength);
        held.push(buffer);
        helper.write(buffer, x);
        args.push(buffer);
      }
      const outs = outputs.map(({ bytes }, k) => {
        // What is an operand is not written, and not asked for.
        const buffer = helper.allocate(outputIsInput[k] === null ? bytes : 0);
        held.push(buffer);
        return buffer;
      });
      try {
        executable.run(args, outs);
      } catch (e) {
        // results say what failed where they are read; effects are all that some programs have
        if (e instanceof CallbackError) noteCallbackError(e);
        throw e;
      }
      return outputs.flatMap(({ bytes }, k) => {
        if (outputIsInput[k] !== null) return [];
        const words = new Uint32Array(bytes / 4);
        helper.readSync!(outs[k]!, words);
        return [words];
      });
    } finally {
      for (const buffer of held) helper.free(buffer);
    }
  };
  return { compute, text: () => executable.text() };
}
