import { dimText } from "../nest/nodes.js";
import type { Call, Frame, FunctionLayout, LaidStep, Move, Place } from "./laid-out.js";
import type { Routine } from "./launches.js";

/** Everything that decides the code of a program, as text. */
export function structureOf(routines: readonly Routine[], functions: readonly FunctionLayout[]): string {
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
      case "rounds":
        return `rounds ${s.routine} ${s.args.map(place).join()} ${s.chunk}`;
      case "copy":
        return `copy ${move(s.move)}`;
      case "callback":
        return `callback ${s.callback} ${s.arguments.map(place).join()} ${dimText(s.block)}`;
      case "loop":
        return `loop ${s.condition} ${s.body} ${[...s.consts, ...s.state, ...s.spare, s.verdict].map(place).join()} ${s.bytes.map(dimText).join()} ${frame(s.frame)}`;
    }
  };
  return [
    ...routines.map((r) => r.key),
    ...functions.map(
      (f) =>
        `${f.source.inputs.length}>${f.source.outputs.length}[${f.source.outputIsInput.join()}] ${f.steps.map(step).join(";")}`,
    ),
  ].join("\n\n");
}
