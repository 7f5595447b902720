import type { NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import type { KernelCode, LaunchContext } from "../dispatch.js";
import { Code } from "../wgsl/code.js";
import { ModuleBuilder } from "../wgsl/module.js";
import { combination, constantText } from "../wgsl/operations.js";
import { gpuType } from "../wgsl/types.js";
import { Values } from "../wgsl/values.js";
import { forEachNode, rootsOf } from "./touches.js";

/** The nest as it is written, for one invocation. */
export function emitInOrder(kernel: NestKernel, module: ModuleBuilder, code: Code): void {
  const { parallel, reduced } = kernel;
  const axes = [...parallel, ...reduced].map((extent, axis) => ({ axis, extent }));
  const rowAxes = axes.slice(0, parallel.length);
  const elementAxes = axes.slice(parallel.length);
  const elements = reduced.reduce((a, b) => a * b, 1);

  const values = (): Values =>
    new Values(module, code, {
      axis: (k) => `a${k}`,
      load: (buffer, index) => module.load(buffer, index),
      slot: (k) => `s${k}`,
      keep: (k) => `row${k}[element]`,
    });
  const loops = (over: typeof axes, body: () => void): void => {
    const [first, ...rest] = over;
    if (first === undefined) return body();
    const a = `a${first.axis}`;
    code.block(`for (var ${a} = 0; ${a} < ${first.extent}; ${a}++)`, () => loops(rest, body));
  };
  /** Each statement computes its values when those before it have had their effect. */
  const statement = (s: Statement): void => {
    const v = values();
    switch (s.kind) {
      case "store":
        code.line(module.store(s.buffer, v.index(s.index), v.expr(s.value)));
        return;
      case "keep":
        code.line(`row${s.keep}[element] = ${v.expr(s.value)};`);
        return;
      case "accumulate": {
        const { combine, type } = kernel.slots[s.slot]!;
        code.line(`s${s.slot} = ${combination(module, combine, type, `s${s.slot}`, v.expr(s.value))};`);
        return;
      }
      case "update": {
        v.plan([s.value, s.index, ...(s.when ? [s.when] : [])]);
        const body = (): void => {
          const at = v.index(s.index);
          const value = v.expr(s.value);
          const { type } = kernel.buffers[s.buffer]!;
          const fresh =
            s.combine === null ? value : combination(module, s.combine, type, module.load(s.buffer, at), value);
          code.line(module.store(s.buffer, at, fresh));
        };
        if (s.when === null) body();
        else code.block(`if (${v.expr(s.when)})`, body);
      }
    }
  };

  kernel.slots.forEach(({ type }, k) => code.line(`var s${k}: ${gpuType(type)};`));
  if (kernel.keeps.length > 0) code.line("var element = 0;");
  kernel.keeps.forEach((type, k) => code.line(`var row${k}: array<${gpuType(type)}, ${elements}>;`));
  loops(rowAxes, () => {
    for (const { body, after } of kernel.phases) {
      for (const s of new Set(body.flatMap((b) => (b.kind === "accumulate" ? [b.slot] : [])))) {
        const { type, initial } = kernel.slots[s]!;
        code.line(`s${s} = ${constantText(module, gpuType(type), initial, 1).text};`);
      }
      if (body.length > 0) {
        if (kernel.keeps.length > 0) code.line("element = 0;");
        loops(elementAxes, () => {
          // A block for each: what they name is their own.
          for (const s of body) code.block("", () => statement(s));
          if (kernel.keeps.length > 0) code.line("element++;");
        });
      }
      for (const s of after) code.block("", () => statement(s));
    }
  });
}

/** One invocation runs the whole nest as it is written: right for all of them, and slow. */
export function nestInOrder(kernel: NestKernel, ctx: LaunchContext): KernelCode {
  const module = new ModuleBuilder(kernel.buffers, ctx);
  const code = new Code();
  emitInOrder(kernel, module, code);
  const { parallel, reduced } = kernel;
  const elements = reduced.reduce((a, b) => a * b, 1);

  let loads = 0;
  let stores = 0;
  let flops = 0;
  const count = (list: readonly Statement[], times: number): void => {
    for (const s of list) {
      forEachNode(rootsOf(s), (e) => {
        if (e.kind === "load") loads += times;
        else if (e.kind === "op") flops += times;
      });
      if (s.kind === "store" || s.kind === "update") stores += times;
      if (s.kind === "update" && s.combine !== null) loads += times;
    }
  };
  const rows = parallel.reduce((a, b) => a * b, 1);
  for (const { body, after } of kernel.phases) {
    count(body, rows * elements);
    count(after, rows);
  }
  const { wgsl, bindings, workgroups, workgroupBytes } = module.finish({ workgroupSize: 1, groups: 1, body: code });
  const cost = { flops, loadBytes: 4 * loads, storeBytes: 4 * stores, workgroupBytes };
  return { dispatches: [{ label: `${kernel.name}: in order`, wgsl, bindings, workgroups, cost }], scratch: [] };
}
