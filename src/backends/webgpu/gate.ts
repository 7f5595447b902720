import type { KernelCode } from "./dispatch.js";
import { gateWords } from "./control.js";
import type { GateRule } from "./recording.js";

/** The dispatch of one invocation that sets gates. */
export function gateCode(rule: GateRule): KernelCode {
  const asks = rule.kind === "branch" || rule.kind === "while";
  const gates = `b${asks ? 1 : 0}`;
  const gate = (number: number): string => `${gates}[${number * gateWords}]`;
  const rounds = (number: number): string => `${gates}[${number * gateWords + 1}]`;
  const parent = (number: number | null): string => (number === null ? "1u" : gate(number));
  const wgsl = `${asks ? "@group(0) @binding(0) var<storage, read> b0: array<i32>;\n" : ""}@group(0) @binding(${asks ? 1 : 0}) var<storage, read_write> ${gates}: array<u32>;

@compute @workgroup_size(1)
fn main() {
${statements().join("\n")}
}
`;
  const label = `gate: ${rule.kind}`;
  const cost = { flops: 0, loadBytes: 8, storeBytes: 4, workgroupBytes: 0 };
  const own = { kind: "gates", access: "read_write" } as const;
  const word = { kind: "arg", arg: 0, access: "read" } as const;
  return {
    dispatches: [{ label, wgsl, bindings: asks ? [word, own] : [own], workgroups: [1, 1, 1], cost }],
    scratch: [],
  };

  function statements(): string[] {
    switch (rule.kind) {
      case "branch":
        return [
          `  let chosen = clamp(b0[0], 0, ${rule.count - 1});`,
          `  let open = ${parent(rule.parent)};`,
          ...Array.from(
            { length: rule.count },
            (_, k) => `  ${gate(rule.first + k)} = select(0u, open, chosen == ${k});`,
          ),
        ];
      case "begin":
        return [`  ${gate(rule.gate)} = ${parent(rule.parent)};`, `  ${rounds(rule.gate)} = 0u;`];
      case "while":
        return [
          `  let open = select(0u, ${gate(rule.gate)}, b0[0] != 0);`,
          `  ${gate(rule.gate)} = open;`,
          `  ${rounds(rule.gate)} += open;`,
        ];
      case "odd":
        return [`  ${gate(rule.gate)} = ${parent(rule.parent)} & ${rounds(rule.of)} & 1u;`];
    }
  }
}
