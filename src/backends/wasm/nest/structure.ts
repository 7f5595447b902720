import { type Access, dimText, type LoopNest, type LoopStatement, type Node } from "./nodes.js";

/** Everything that decides the code of a nest, as text. */
export function structureOf(nest: LoopNest, nodes: readonly Node[]): string {
  const access = (a: Access): string =>
    `${a.buffer}${a.type}@${a.pointer.id}(${dimText(a.pointer.base)};${a.pointer.coeffs.map(dimText).join()})+${a.offset}${a.opaque ? `~${a.opaque.id}` : ""}`;
  const rest = (n: Node): string => {
    switch (n.kind) {
      case "const":
        return Object.is(n.value, -0) ? "-0" : String(n.value);
      case "op":
        return n.op;
      case "load":
        return access(n.access);
      case "slot":
        return String(n.slot);
      case "keep":
        return String(n.keep);
      case "axis":
        return String(n.axis);
      case "dim":
        return dimText(n.dim);
      case "muladd":
        return dimText(n.coeff);
      case "div":
      case "mod":
        return `${dimText(n.divisor)}${n.nonnegative ? "u" : "s"}`;
      case "clamp":
        return `${dimText(n.lo)},${dimText(n.hi)}`;
    }
  };
  const statement = (s: LoopStatement): string => {
    switch (s.kind) {
      case "store":
        return `store ${access(s.access)} ${s.value.id}`;
      case "update":
        return `update ${access(s.access)} ${s.value.id} ${s.combine} ${s.when?.id}`;
      case "keep":
        return `keep ${s.keep} ${s.value.id}`;
      case "accumulate":
        return `acc ${s.slot} ${s.value.id}`;
    }
  };
  return [
    `${nest.mode} ${nest.lanes} ${nest.copies} ${nest.tile} ${nest.sequential} ${nest.bufferCount} ${nest.parallel}`,
    nest.axes.map((a) => dimText(a.extent)).join(),
    nest.slots.map((s) => `${s.type} ${Object.is(s.initial, -0) ? "-0" : s.initial} ${s.combine} ${s.running}`).join(),
    nest.keeps.map((k, i) => `${k}@${dimText(nest.keepOffsets[i]!)}`).join(),
    nodes.map((n) => `${n.kind} ${n.type} ${rest(n)} ${n.args.map((a) => a.id).join()}`).join("|"),
    nest.phases
      .map((p) => `${p.copies} ${p.body.map(statement).join("|")}/${p.after.map(statement).join("|")}`)
      .join(";"),
  ].join("\n");
}
