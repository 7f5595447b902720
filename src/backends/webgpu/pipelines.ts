import type { TsaxError } from "../../core/errors.js";
import { computeStage } from "./constants.js";
import type { Context } from "./context.js";
import { controlLayout } from "./control.js";
import type { Control, Dispatch } from "./dispatch.js";
import { type KernelDescription, shaderRefused } from "./errors.js";
import { asTsaxError } from "./stream.js";

/** How a shader sees its bindings, in their order. Bind groups fit every pipeline of equal access. */
export interface Layout {
  readonly id: number;
  readonly bindGroup: GPUBindGroupLayout;
  /** Of group 1, and what it holds. */
  readonly control: { readonly bindGroup: GPUBindGroupLayout; readonly holds: Control } | undefined;
  readonly pipeline: GPUPipelineLayout;
}

/** A pipeline, once it is compiled. */
export class Pipeline {
  gpu: GPUComputePipeline | undefined;
  error: TsaxError | undefined;
  /** Resolves (never rejects) when it is compiled or refused; undefined: it is. */
  done: Promise<void> | undefined;

  constructor(readonly layout: Layout) {}
}

/** Pipelines kept for programs to come. */
const most = 4096;

/** The pipelines of a device, by their code: equal texts are compiled once, all at the same time. */
export class Pipelines {
  private readonly byCode = new Map<string, Pipeline>();
  private readonly byDispatch = new WeakMap<Dispatch, Pipeline>();
  private readonly layouts = new Map<string, Layout>();
  private readonly groupLayouts = new Map<string, GPUBindGroupLayout>();
  private readonly controls = new Map<string, GPUBindGroupLayout>();

  constructor(private readonly context: Context) {}

  get size(): number {
    return this.byCode.size;
  }

  /** Begins to compile a dispatch's code unless that has been done. `describe` tells of the kernel, should it be refused. */
  get(dispatch: Dispatch, describe: () => KernelDescription): Pipeline {
    let pipeline = this.byDispatch.get(dispatch);
    if (!pipeline || pipeline.error) this.byDispatch.set(dispatch, (pipeline = this.find(dispatch, describe)));
    return pipeline;
  }

  private find({ wgsl, bindings, label, control }: Dispatch, describe: () => KernelDescription): Pipeline {
    const access = bindings.map((b) => (b.access === "read" ? "r" : "w")).join("");
    const key = `${access} ${wgsl}`;
    const known = this.byCode.get(key);
    if (known) {
      this.byCode.delete(key);
      this.byCode.set(key, known);
      return known;
    }
    const pipeline = new Pipeline(this.layout(access, control));
    this.byCode.set(key, pipeline);
    pipeline.done = this.compile(pipeline, wgsl, label, describe).then(() => {
      pipeline.done = undefined;
      // Another try may have more luck.
      if (pipeline.error) this.byCode.delete(key);
    });
    if (this.byCode.size > most) {
      for (const oldest of this.byCode.keys()) {
        this.byCode.delete(oldest);
        break;
      }
    }
    return pipeline;
  }

  private async compile(
    pipeline: Pipeline,
    wgsl: string,
    label: string,
    describe: () => KernelDescription,
  ): Promise<void> {
    const { context } = this;
    context.counters.pipelines++;
    let module: GPUShaderModule | undefined;
    try {
      // The refusal of a module shows in the pipeline too; its scope keeps it from the console.
      const { value, error } = context.scoped("validation", () => {
        module = context.device.createShaderModule({ label, code: wgsl });
        return context.device.createComputePipelineAsync({
          label,
          layout: pipeline.layout.pipeline,
          compute: { module, entryPoint: "main" },
        });
      });
      error.catch(() => undefined);
      pipeline.gpu = await context.guard(value);
    } catch (e) {
      if (context.lost) pipeline.error = context.lost;
      else if (!isPipelineError(e)) pipeline.error = asTsaxError(e);
      else {
        const messages = (await this.messages(module!)) || e.message;
        pipeline.error = shaderRefused(describe(), { messages, wgsl, internal: e.reason === "internal" });
      }
    }
  }

  private async messages(module: GPUShaderModule): Promise<string> {
    try {
      const { messages } = await this.context.guard(module.getCompilationInfo());
      return messages.map((m) => `${m.type} ${m.lineNum}:${m.linePos} ${m.message}`).join("\n");
    } catch {
      return "";
    }
  }

  private layout(access: string, control: Control | undefined): Layout {
    const name = control ? `${access} ${control.gated ? "gate" : ""}${control.turns}` : access;
    let layout = this.layouts.get(name);
    if (layout) return layout;
    const bindGroup = kept(this.groupLayouts, access, () => this.groupLayout(access));
    const second = control && {
      bindGroup: kept(this.controls, `${control.gated} ${control.turns}`, () =>
        controlLayout(this.context.device, control),
      ),
      holds: control,
    };
    const bindGroupLayouts = second ? [bindGroup, second.bindGroup] : [bindGroup];
    const pipeline = this.context.device.createPipelineLayout({ label: name, bindGroupLayouts });
    layout = { id: this.layouts.size, bindGroup, control: second, pipeline };
    this.layouts.set(name, layout);
    return layout;
  }

  private groupLayout(access: string): GPUBindGroupLayout {
    return this.context.device.createBindGroupLayout({
      label: access,
      entries: [...access].map((a, binding) => ({
        binding,
        visibility: computeStage,
        buffer: { type: a === "r" ? "read-only-storage" : "storage" },
      })),
    });
  }
}

function kept<T>(known: Map<string, T>, key: string, make: () => T): T {
  let value = known.get(key);
  if (value === undefined) known.set(key, (value = make()));
  return value;
}

const isPipelineError = (e: unknown): e is GPUPipelineError =>
  e instanceof Error && "reason" in e && (e.reason === "validation" || e.reason === "internal");
