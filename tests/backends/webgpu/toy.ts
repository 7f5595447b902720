import { WebgpuDevice, type DeviceOptions } from "../../../src/backends/webgpu/device.js";
import type { WebgpuBuffer } from "../../../src/backends/webgpu/buffer.js";
import type { Binding, Dispatch, KernelCode, LaunchContext } from "../../../src/backends/webgpu/dispatch.js";
import { requestDevice } from "../../../src/backends/webgpu/adapter.js";
import { axisIndex, addConst, coefficient } from "../../../src/kernel-ir/index-expr.js";
import type { BufferArg, Kernel, NestKernel, Statement } from "../../../src/kernel-ir/kernel.js";
import type { BufferRef, Program, ProgramFunction, Step } from "../../../src/kernel-ir/program.js";
import { type Expr, load, op } from "../../../src/kernel-ir/scalar.js";
import { verifyProgram } from "../../../src/kernel-ir/verifier.js";
import { hasSoftwareDriver, useSoftwareDriver } from "../../../scripts/software-gpu.mjs";

/** Whether the machine has WebGPU, its own or by the software driver; where that runs, it must. */
export const available = await (async (): Promise<boolean> => {
  useSoftwareDriver();
  try {
    (await requestDevice()).destroy();
    return true;
  } catch (e) {
    if (hasSoftwareDriver) throw e;
    console.log(`tests on a device are skipped: ${e instanceof Error ? e.message.split("\n")[0] : String(e)}`);
    return false;
  }
})();

/**
 * The smallest lowering that runs elementwise kernels over one axis, so that what executes programs is tested by itself; and
 * programs by hand.
 */
export async function toyDevice(
  options: Partial<DeviceOptions> & { readonly defaultLimits?: boolean } = {},
): Promise<WebgpuDevice> {
  return new WebgpuDevice(await requestDevice({ defaultLimits: options.defaultLimits }), {
    lower: toyLower,
    ...options,
  });
}

export const input = (index: number): BufferRef => ({ kind: "input", index });
export const output = (index: number): BufferRef => ({ kind: "output", index });
export const arena = (offset: number): BufferRef => ({ kind: "arena", offset });
export const launch = (kernel: number, ...args: BufferRef[]): Step => ({ kind: "launch", kernel, args });

const f32 = (access: BufferArg["access"], length: number): BufferArg => ({ type: "f32", access, length });
const storeAt = (buffer: number, n: number, value: Expr, shift = 0): Statement => ({
  kind: "store",
  buffer,
  index: addConst(axisIndex(0, n), shift),
  value,
});

/** Buffers 0 … operands − 1 read, the next written: out[i] = f(operands[i]…). */
export function elementwise(name: string, n: number, operands: number, f: (...x: Expr[]) => Expr): NestKernel {
  const at = axisIndex(0, n);
  const loads = Array.from({ length: operands }, (_, k) => load("f32", k, at));
  return {
    kind: "nest",
    name,
    buffers: [...loads.map(() => f32("read", n)), f32("write", n)],
    parallel: [n],
    reduced: [],
    sequential: false,
    slots: [],
    keeps: [],
    phases: [{ body: [storeAt(operands, n, f(...loads))], after: [] }],
  };
}
export const addKernel = (n: number): NestKernel => elementwise("add", n, 2, (a, b) => op("add", [a, b]));
export const mulKernel = (n: number): NestKernel => elementwise("mul", n, 2, (a, b) => op("mul", [a, b]));
export const negKernel = (n: number): NestKernel => elementwise("neg", n, 1, (a) => op("neg", [a]));
/** out[shift + i] = a[i]: leaves the rest of `total` elements as it was. */
export function partKernel(n: number, total: number, shift: number): NestKernel {
  const k = elementwise("part", n, 1, (a) => a);
  const value = load("f32", 0, axisIndex(0, n));
  return {
    ...k,
    buffers: [f32("read", n), f32("write", total)],
    phases: [{ body: [storeAt(1, n, value, shift)], after: [] }],
  };
}
/** out[i] = a[i] + scalar[0]. */
export function shiftKernel(n: number): NestKernel {
  const zero = addConst(axisIndex(0, 1), 0);
  const value = op("add", [load("f32", 0, axisIndex(0, n)), load("f32", 1, zero)]);
  return {
    ...elementwise("shift", n, 2, (a) => a),
    buffers: [f32("read", n), f32("read", 1), f32("write", n)],
    phases: [{ body: [storeAt(2, n, value)], after: [] }],
  };
}

export function fn(
  name: string,
  inputs: readonly number[],
  outputs: readonly number[],
  steps: readonly Step[],
  parts: Partial<ProgramFunction> = {},
): ProgramFunction {
  const type = (n: number): ProgramFunction["inputs"][number] => ({ dtype: "float32", bytes: n * 4 });
  return {
    name,
    inputs: inputs.map(type),
    outputs: outputs.map(type),
    arenaBytes: 0,
    steps,
    outputIsInput: outputs.map(() => null),
    outputReusesInput: outputs.map(() => null),
    ...parts,
  };
}

/** A program, verified. */
export function program(kernels: readonly Kernel[], ...functions: ProgramFunction[]): Program {
  const p: Program = { name: functions[0]!.name, kernels, functions };
  verifyProgram(p);
  return p;
}

/** out = a + b over n elements, in place of `donated` if that is given. */
export const addProgram = (n: number, donated: number | null = null): Program =>
  program(
    [addKernel(n)],
    fn("add", [n, n], [n], [launch(0, input(0), input(1), output(0))], { outputReusesInput: [donated] }),
  );

export function upload(device: WebgpuDevice, data: readonly number[]): WebgpuBuffer {
  const buffer = device.allocate(data.length * 4);
  device.write(buffer, new Float32Array(data));
  return buffer;
}
export async function download(device: WebgpuDevice, buffer: WebgpuBuffer): Promise<number[]> {
  const into = new Float32Array(buffer.bytes / 4);
  await device.read(buffer, into);
  return [...into];
}

/** Code of elementwise kernels over one axis; `broken` gives what no compiler takes, `twice` goes through scratch. */
export function toyLower(kernel: Kernel, { sameAs }: LaunchContext): KernelCode {
  if (kernel.kind !== "nest") throw new Error(`no toy for ${kernel.kind}`);
  const groups = [...new Set(sameAs)].filter((g) => sameAs.some((s, i) => s === g && uses(kernel, i)));
  const written = (g: number): boolean => kernel.buffers.some((b, i) => sameAs[i] === g && b.access !== "read");
  const bindings = groups.map((arg): Binding => ({ kind: "arg", arg, access: written(arg) ? "read_write" : "read" }));
  const name = (buffer: number): string => `b${groups.indexOf(sameAs[buffer]!)}`;
  const text = (e: Expr): string => {
    switch (e.kind) {
      case "load":
        return `${name(e.buffer)}[${place(e.index)}]`;
      case "op":
        return e.op === "neg" ? `(-${text(e.args[0]!)})` : `(${e.args.map(text).join(e.op === "add" ? "+" : "*")})`;
      default:
        throw new Error(`no toy for ${e.kind}`);
    }
  };
  const place = (i: Parameters<typeof coefficient>[0]): string => `${coefficient(i, 0) ?? 0} * id + ${i.base}`;
  const n = kernel.parallel[0]!;
  const body = kernel.phases[0]!.body.map((s) =>
    s.kind === "store" ? `${name(s.buffer)}[${place(s.index)}] = ${text(s.value)};` : "",
  ).join(" ");
  const main = moduleOf(kernel.name, bindings, n, kernel.name === "broken" ? `${body} nonsense(;` : body);
  if (kernel.name !== "twice") return { dispatches: [main], scratch: [] };
  // scratch = result, then out = scratch: the second dispatch reads what the first wrote.
  const out = kernel.buffers.length - 1;
  const scratch = (access: Binding["access"]): Binding => ({ kind: "scratch", scratch: 0, access });
  const first = bindings.map((b): Binding => (b.kind === "arg" && b.arg === sameAs[out] ? scratch("read_write") : b));
  const second: Binding[] = [scratch("read"), { kind: "arg", arg: sameAs[out]!, access: "read_write" }];
  return {
    dispatches: [moduleOf("twice 1", first, n, body), moduleOf("twice 2", second, n, "b1[id] = b0[id];")],
    scratch: [n * 4],
  };
}

function uses(kernel: NestKernel, buffer: number): boolean {
  const inExpr = (e: Expr): boolean =>
    e.kind === "load" ? e.buffer === buffer : e.kind === "op" && e.args.some(inExpr);
  return kernel.phases[0]!.body.some((s) => (s.kind === "store" && s.buffer === buffer) || inExpr(s.value));
}

function moduleOf(label: string, bindings: readonly Binding[], n: number, body: string): Dispatch {
  const declared = bindings.map((b, k) => `@group(0) @binding(${k}) var<storage, ${b.access}> b${k}: array<f32>;`);
  const wgsl = `${declared.join("\n")}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) at: vec3<u32>) {
  let id = i32(at.x);
  if (id < ${n}) { ${body} }
}
`;
  const cost = { flops: n, loadBytes: 4 * n * (bindings.length - 1), storeBytes: 4 * n, workgroupBytes: 0 };
  return { label, wgsl, bindings, workgroups: [Math.ceil(n / 64), 1, 1], cost };
}
