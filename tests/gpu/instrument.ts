import type { TypedArray } from "../../src/core/dtype.js";
import type { Dispatch, KernelCode } from "../../src/backends/webgpu/dispatch.js";
import { runCode } from "./run-code.js";

/**
 * Shaders that tell what they do: the text of a module, with every access to storage counted, or every access to workgroup
 * memory written down with the invocation that made it and the barriers it had passed.
 */

type AccessKind = "read" | "write" | "update";

/** Rewrites `name[index]` for each name, innermost first; `&name[…]` (atomics) stays. */
function rewriteAccesses(
  text: string,
  names: readonly string[],
  rewrite: (name: string, index: string, kind: AccessKind) => string,
): string {
  const pattern = new RegExp(`(?<![&\\w])(${names.join("|")})\\[`, "g");
  let out = "";
  let from = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const start = match.index + match[0].length;
    let end = start;
    for (let depth = 1; depth > 0; end++) {
      if (text[end] === "[") depth++;
      else if (text[end] === "]") depth--;
    }
    const index = rewriteAccesses(text.slice(start, end - 1), names, rewrite);
    const after = text.slice(end);
    const kind = /^\s*=[^=]/.test(after) ? "write" : /^\s*[-+*/|&^]=/.test(after) ? "update" : "read";
    out += text.slice(from, match.index) + rewrite(match[1]!, index, kind);
    from = end;
    pattern.lastIndex = end;
  }
  return out + text.slice(from);
}

/** Splits a module before its entry point. */
function parts(wgsl: string): [declarations: string, main: string] {
  const at = wgsl.indexOf("@compute");
  return [wgsl.slice(0, at), wgsl.slice(at)];
}

/** Elements that each dispatch reads from and writes to storage when it runs. */
export async function countAccesses(
  device: GPUDevice,
  code: KernelCode,
  buffers: readonly TypedArray[],
  sameAs: readonly number[] = buffers.map((_, i) => i),
): Promise<{ readonly loads: number; readonly stores: number }[]> {
  const dispatches = code.dispatches.map((dispatch): Dispatch => {
    const [declarations, main] = parts(dispatch.wgsl);
    const names = dispatch.bindings.map((_, binding) => `b${binding}`);
    const fours = new Set([...declarations.matchAll(/> (b\d+): array<vec4/g)].map(([, name]) => name!));
    const counted = rewriteAccesses(main, names, (name, index, kind) => {
      const elements = fours.has(name) ? 4 : 1;
      const [loads, stores] = [kind === "write" ? 0 : elements, kind === "read" ? 0 : elements];
      return `${name}[counted(i32(${index}), ${loads}u, ${stores}u)]`;
    });
    const more = `@group(0) @binding(${names.length}) var<storage, read_write> counts: array<atomic<u32>>;
fn counted(index: i32, loads: u32, stores: u32) -> i32 {
  atomicAdd(&counts[0], loads);
  atomicAdd(&counts[1], stores);
  return index;
}
`;
    return {
      ...dispatch,
      wgsl: declarations + more + counted,
      bindings: [...dispatch.bindings, { kind: "arg", arg: buffers.length, access: "read_write" }],
    };
  });
  const out: { loads: number; stores: number }[] = [];
  for (let upTo = 1; upTo <= dispatches.length; upTo++) {
    const all = [...buffers, new Uint32Array(2)];
    const after = await runCode(device, { ...code, dispatches: dispatches.slice(0, upTo) }, all, [
      ...sameAs,
      buffers.length,
    ]);
    const [loads, stores] = after.at(-1)! as Uint32Array;
    const before = out.reduce((sum, o) => ({ loads: sum.loads + o.loads, stores: sum.stores + o.stores }), {
      loads: 0,
      stores: 0,
    });
    out.push({ loads: loads! - before.loads, stores: stores! - before.stores });
  }
  return out;
}

/** Two invocations of a workgroup that touch one element of workgroup memory between two barriers, one of them writing. */
export interface Race {
  readonly dispatch: string;
  readonly group: number;
  readonly phase: number;
  readonly element: number;
}

/** What each dispatch's workgroups race for, as its accesses tell; `phases`: barriers that a workgroup may pass. */
export async function findRaces(
  device: GPUDevice,
  code: KernelCode,
  buffers: readonly TypedArray[],
  phases: number,
): Promise<Race[]> {
  const races: Race[] = [];
  for (const [at, dispatch] of code.dispatches.entries()) {
    const [declarations, main] = parts(dispatch.wgsl);
    const arrays = [...declarations.matchAll(/var<workgroup> (\w+): array<\w+, (\d+)>/g)].map((m) => ({
      name: m[1]!,
      length: Number(m[2]),
    }));
    if (arrays.length === 0) continue;
    const size = arrays.reduce((sum, { length }) => sum + length, 0);
    const groups = dispatch.workgroups.reduce((a, b) => a * b, 1);
    const starts = new Map<string, number>();
    arrays.reduce((start, { name, length }) => (starts.set(name, start), start + length), 0);
    const binding = dispatch.bindings.length;
    // For each element and phase: the least and the greatest invocation that reads it, and that writes it.
    const more = `@group(0) @binding(${binding}) var<storage, read_write> seen: array<atomic<u32>>;
var<private> phase: i32;
var<private> own_group: i32;
var<private> own_lid: u32;
fn touch(index: i32, start: i32, reads: bool, writes: bool) -> i32 {
  let at = 4 * ((own_group * ${phases} + phase) * ${size} + start + index);
  if (phase < ${phases} && reads) { atomicMax(&seen[at], ${2 ** 16}u - own_lid); atomicMax(&seen[at + 1], own_lid + 1u); }
  if (phase < ${phases} && writes) { atomicMax(&seen[at + 2], ${2 ** 16}u - own_lid); atomicMax(&seen[at + 3], own_lid + 1u); }
  return index;
}
`;
    const names = [...starts.keys()];
    const trace = (text: string): string =>
      rewriteAccesses(text, names, (name, index, kind) => {
        const [reads, writes] = [kind !== "write", kind !== "read"];
        return `${name}[touch(i32(${index}), ${starts.get(name)!}, ${reads}, ${writes})]`;
      });
    const numbered = /\blet lid = /.test(main)
      ? main
      : main.replace(/^(fn main\([^]*?\) \{\n)/m, "$1  let lid = i32(place);\n");
    const traced = trace(numbered)
      .replace(/workgroupBarrier\(\);/g, "workgroupBarrier(); phase++;")
      .replace(/(= workgroupUniformLoad\(&\w+\);)/g, "$1 phase++;")
      .replace(/\n( *let lid = .*;)\n/, "\n$1\n  own_group = GROUP;\n  own_lid = u32(lid);\n")
      .replace("GROUP", /let group = /.test(main) ? "group" : "0");
    const changed: Dispatch = {
      ...dispatch,
      wgsl: trace(declarations) + more + traced,
      bindings: [...dispatch.bindings, { kind: "arg", arg: buffers.length, access: "read_write" }],
    };
    const all = [...buffers, new Uint32Array(4 * groups * phases * size)];
    const dispatches = [...code.dispatches.slice(0, at), changed];
    const seen = (await runCode(device, { ...code, dispatches }, all)).at(-1)! as Uint32Array;
    for (let i = 0; i < seen.length; i += 4) {
      const [leastReader, greatestReader, leastWriter, greatestWriter] = [
        2 ** 16 - seen[i]!,
        seen[i + 1]! - 1,
        2 ** 16 - seen[i + 2]!,
        seen[i + 3]! - 1,
      ];
      if (greatestWriter < 0) continue;
      const isOne = leastWriter === greatestWriter;
      const othersRead = greatestReader >= 0 && (leastReader !== leastWriter || greatestReader !== greatestWriter);
      if (isOne && !othersRead) continue;
      const element = (i / 4) % size;
      const phase = Math.floor(i / 4 / size) % phases;
      races.push({ dispatch: dispatch.label, group: Math.floor(i / 4 / size / phases), phase, element });
    }
  }
  return races;
}
