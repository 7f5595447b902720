import { CallbackError } from "../core/errors.js";
import type { Backend, HostCompute } from "../kernel-ir/backend.js";
import type { Program } from "../kernel-ir/program.js";
import { noteCallbackError } from "./effects.js";

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
