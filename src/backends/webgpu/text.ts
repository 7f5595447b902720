import type { Program } from "../../kernel-ir/program.js";
import type { BoundDispatch, Resource, Specialised } from "./specialise.js";

/** What a program runs, for people: its dispatches in their order, each code once. */
export function programText(program: Program, variants: readonly Specialised[]): string {
  const shown = new Map<string, string>();
  return variants
    .map((v, k) => variantText(v, variants.length > 1 ? `${program.name}, variant ${k}` : program.name, shown))
    .join("\n");
}

function variantText(v: Specialised, name: string, shown: Map<string, string>): string {
  const arena = v.banks.length === 0 ? "" : `, arena ${v.banks.join(" + ")} bytes`;
  const head = `// ${name}: ${v.dispatches.length} dispatches, ${v.submits.length} submits${arena}\n`;
  return head + v.dispatches.map((d, i) => dispatchText(d, i, shown)).join("");
}

function dispatchText({ dispatch, resources }: BoundDispatch, at: number, shown: Map<string, string>): string {
  const { label, workgroups, wgsl, bindings } = dispatch;
  const bound = resources.map((r, k) => `b${k} ${bindings[k]!.access} ${resourceText(r)}`).join(", ");
  const head = `\n// ${at}: ${label}, ${workgroups.join("x")} workgroups, ${bound}\n`;
  const before = shown.get(wgsl);
  if (before !== undefined) return `${head}// code of ${before}\n`;
  shown.set(wgsl, `${at}: ${label}`);
  return `${head}${wgsl.endsWith("\n") ? wgsl : `${wgsl}\n`}`;
}

const resourceText = (r: Resource): string =>
  r.kind === "bank" ? `bank ${r.bank}+${r.offset} (${r.size} bytes)` : `${r.kind} ${r.index} (${r.size} bytes)`;
