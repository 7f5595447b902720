import type { TypedArray } from "../../../src/core/dtype.js";
import { Code } from "../../../src/backends/webgpu/wgsl/code.js";
import { ModuleBuilder } from "../../../src/backends/webgpu/wgsl/module.js";
import { type ValueSource, Values } from "../../../src/backends/webgpu/wgsl/values.js";
import { axisIndex } from "../../../src/kernel-ir/index-expr.js";
import { compileExpr } from "../../../src/kernel-ir/interpreter.js";
import type { BufferArg } from "../../../src/kernel-ir/kernel.js";
import { type Expr, load } from "../../../src/kernel-ir/scalar.js";
import type { FmaRounding, ScalarValue } from "../../../src/kernel-ir/scalar-eval.js";
import { launchOf, runCode, storageOf } from "../../gpu/run-code.js";

/** Expressions of the element of a few input buffers, on a device and by their definition. */

export type BufferType = Exclude<BufferArg["type"], "f64">;

export interface Column {
  readonly type: BufferType;
  readonly data: TypedArray;
}

const WORKGROUP = 64;

/** The element of input `k` at the point. */
export const column = (columns: readonly Column[], k: number): Expr =>
  load(columns[k]!.type, k, axisIndex(0, columns[k]!.data.length));

export interface FormOptions {
  /** Four points at once. */
  readonly lanes?: boolean;
  /** Inputs whose elements are loaded one by one. */
  readonly scattered?: readonly number[];
  /** What a driver makes of the text, where that is another shader's. */
  readonly driver?: (wgsl: string) => string;
}

/** A module that computes `roots` at every point: results of a type lie in one buffer, one root after another. */
export function moduleOf(
  columns: readonly Column[],
  roots: readonly Expr[],
  { lanes = false, scattered = [] }: FormOptions = {},
) {
  const n = columns[0]!.data.length;
  const types = [...new Set(roots.map((r) => r.type as BufferType))];
  const places = roots.map((r, i) => ({
    buffer: columns.length + types.indexOf(r.type as BufferType),
    offset: n * roots.slice(0, i).filter((q) => q.type === r.type).length,
  }));
  const buffers: BufferArg[] = [
    ...columns.map(({ type }): BufferArg => ({ type, access: "read", length: n })),
    ...types.map((type): BufferArg => ({
      type,
      access: "write",
      length: n * roots.filter((r) => r.type === type).length,
    })),
  ];
  if (lanes && n % 4 !== 0) throw new Error("points in fours are wanted");
  const module = new ModuleBuilder(buffers, launchOf({ buffers }));
  const inFours = (i: number): boolean => lanes && !scattered.includes(i);
  buffers.forEach((_, i) => inFours(i) && module.inFours(i));
  const code = new Code();
  const points = lanes ? n / 4 : n;
  code.block(`if (id < ${points})`, () => {
    if (lanes) code.line("let first = id * 4;");
    const source: ValueSource = {
      axis: () => (lanes ? "first" : "id"),
      load: (buffer, index) => module.load(buffer, index),
      load4: (buffer, index) => (inFours(buffer) ? module.load4(buffer, `${index} >> 2u`) : undefined),
      slot: () => {
        throw new Error("no slots here");
      },
      keep: () => {
        throw new Error("no row buffers here");
      },
    };
    const values = new Values(module, code, source, lanes ? { laneAxis: 0 } : {});
    values.plan(roots);
    roots.forEach((r, i) => {
      const { buffer, offset } = places[i]!;
      if (lanes) code.line(module.store4(buffer, `id + ${offset / 4}`, values.vector(r)));
      else code.line(module.store(buffer, `id + ${offset}`, values.expr(r)));
    });
  });
  const finished = module.finish({ workgroupSize: WORKGROUP, groups: Math.ceil(points / WORKGROUP), body: code });
  return { ...finished, buffers, places };
}

export async function onDevice(
  device: GPUDevice,
  columns: readonly Column[],
  roots: readonly Expr[],
  options: FormOptions = {},
): Promise<TypedArray[]> {
  const n = columns[0]!.data.length;
  const { wgsl: text, bindings, workgroups, buffers, places } = moduleOf(columns, roots, options);
  const wgsl = options.driver?.(text) ?? text;
  const contents = buffers.map((b, i) => columns[i]?.data ?? storageOf(b));
  const cost = { flops: 0, loadBytes: 0, storeBytes: 0, workgroupBytes: 0 };
  const code = { dispatches: [{ label: "expressions", wgsl, bindings, workgroups, cost }], scratch: [] };
  const after = await runCode(device, code, contents);
  return places.map(({ buffer, offset }) => after[buffer]!.subarray(offset, offset + n) as TypedArray);
}

export function byDefinition(columns: readonly Column[], root: Expr, rounding: FmaRounding = "twice"): ScalarValue[] {
  let point = 0;
  const run = compileExpr(root, { axis: () => point, load: (k, i) => columns[k]!.data[i]! }, rounding);
  return Array.from({ length: columns[0]!.data.length }, (_, i) => {
    point = i;
    return run();
  });
}
