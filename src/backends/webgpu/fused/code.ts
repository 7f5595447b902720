import type { Binding, KernelCode, Limits } from "../dispatch.js";
import { barrierText, type FusedLoop, isShared } from "./loop.js";

/** The dispatch of a loop that is one kernel. */
export function fusedCode({ name, args, text }: FusedLoop, limits: Limits): KernelCode {
  const { names, module, main, invocations, localWords, usesFlag, storageRaces } = text;
  const shared = isShared(text, limits);
  const bindings = args.map(({ access }, arg): Binding => ({
    kind: "arg",
    arg,
    access: access === "read" ? "read" : "read_write",
  }));
  const arrays = [...names];
  const scratch: number[] = [];
  if (!shared) {
    bindings.push({ kind: "scratch", scratch: 0, access: "read_write" });
    arrays.push("within");
    scratch.push(4 * localWords);
  }
  const declared = bindings.map(
    ({ access }, k) => `@group(0) @binding(${k}) var<storage, ${access}> ${arrays[k]!}: array<u32>;\n`,
  );
  if (shared && localWords > 0) declared.push(`var<workgroup> within: array<u32, ${localWords}>;\n`);
  if (usesFlag) declared.push("var<workgroup> flag: i32;\n");
  const waits = [...(shared ? ["workgroupBarrier();"] : []), ...(!shared || storageRaces ? ["storageBarrier();"] : [])];
  const wgsl = [
    ...declared,
    module,
    `@compute @workgroup_size(${invocations})\n`,
    "fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) place: u32) {\n",
    main.replaceAll(barrierText, waits.join(" ")).replace(/^(?=.)/gm, "  "),
    "}\n",
  ].join("");
  const sum = (access: "read" | "write"): number =>
    args.reduce((n, a) => (a.access === access || a.access === "readwrite" ? n + a.bytes : n), 0);
  const cost = {
    flops: text.steps * invocations,
    loadBytes: sum("read"),
    storeBytes: sum("write"),
    workgroupBytes: (shared ? 4 * localWords : 0) + (usesFlag ? 4 : 0),
  };
  const long = text.steps >= longSteps;
  return { dispatches: [{ label: name, wgsl, bindings, workgroups: [1, 1, 1], cost, long }], scratch };
}

/** Steps of an invocation that are a submit of their own. */
const longSteps = 2e6;
