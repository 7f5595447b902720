import type { Program } from "../../kernel-ir/program.js";
import { mostRounds } from "./play.js";
import type { Node, Run } from "./recording.js";
import type { BoundDispatch, Resource, Specialised } from "./specialise.js";
import { defaultCap, SubmitMeter } from "./submits.js";

/** What a program runs, for people: its dispatches in their order, each code once. */
export function programText(program: Program, variants: readonly Specialised[]): string {
  const shown = new Map<string, string>();
  return variants
    .map((v, k) => variantText(v, variants.length > 1 ? `${program.name}, variant ${k}` : program.name, shown))
    .join("\n");
}

function variantText(v: Specialised, name: string, shown: Map<string, string>): string {
  const arena = v.banks.length === 0 ? "" : `, arena ${v.banks.join(" + ")} bytes`;
  const count = v.dispatches.length;
  const head = `// ${name}: ${count} ${count === 1 ? "dispatch" : "dispatches"}, ${submitsText(v)}${arena}\n`;
  return head + nodesText(v.nodes, "", false) + v.dispatches.map((d, i) => dispatchText(d, i, shown)).join("");
}

function submitsText({ dispatches, nodes }: Specialised): string {
  if (nodes.some((n) => n.kind !== "launches")) return "some of them in rounds";
  const meter = new SubmitMeter(defaultCap);
  let submits = dispatches.length === 0 ? 0 : 1;
  for (const { dispatch } of dispatches) {
    if (!meter.fits(dispatch)) {
      meter.reset();
      submits++;
    }
    meter.add(dispatch);
  }
  return `${submits} ${submits === 1 ? "submit" : "submits"}`;
}

/** Which dispatches are done in rounds, and what is read back for them; nothing where there are none. */
function nodesText(nodes: readonly Node[], indent: string, inRounds: boolean): string {
  return nodes
    .map((node) => {
      if (node.kind === "launches") return indent === "" ? "" : `//${indent}${launchesText(node)}\n`;
      const turns = node.odd === node.even ? [node.even] : [node.even, node.odd];
      const inner = turns.map((t) => nodesText(t, `${indent}    `, true));
      const how = `${roundsText(node, inRounds)}${turns.length > 1 ? ", by turns" : ""}`;
      return `//${indent} ${how}:\n${inner.join(`//${indent}   then\n`)}`;
    })
    .join("");
}

const launchesText = ({ from, to }: Run): string =>
  to - from === 1 ? `dispatch ${from}` : `dispatches ${from} … ${to - 1}`;

function roundsText(node: Exclude<Node, { kind: "launches" }>, inRounds: boolean): string {
  if (node.kind === "rounds") return `${node.length} rounds`;
  const lots = `${node.atFirst}, ${2 * node.atFirst}, … ${mostRounds} rounds ahead`;
  const again = inRounds ? ", in each round around it anew" : "";
  return `as long as gate ${node.alive} is open (${lots}, and a word is read back after each lot${again})`;
}

function dispatchText({ dispatch, resources, gate }: BoundDispatch, at: number, shown: Map<string, string>): string {
  const { label, workgroups, wgsl, bindings } = dispatch;
  const behind = gate === null ? "" : `, behind gate ${gate}`;
  const bound = resources.map((r, k) => `b${k} ${bindings[k]!.access} ${resourceText(r)}`).join(", ");
  const head = `\n// ${at}: ${label}, ${workgroups.join("x")} workgroups${behind}, ${bound}\n`;
  const before = shown.get(wgsl);
  if (before !== undefined) return `${head}// code of ${before}\n`;
  shown.set(wgsl, `${at}: ${label}`);
  return `${head}${wgsl.endsWith("\n") ? wgsl : `${wgsl}\n`}`;
}

const resourceText = (r: Resource): string =>
  r.kind === "gates"
    ? "gates"
    : r.kind === "bank"
      ? `bank ${r.bank}+${r.offset} (${r.size} bytes)`
      : `${r.kind} ${r.index} (${r.size} bytes)`;
