import type { ScalarType } from "../../../kernel-ir/scalar.js";
import type { ElementType } from "../wgsl/module.js";
import { gpuType, storageType, typeName } from "../wgsl/types.js";
import { stepsOf } from "./keeps.js";
import type { Shader } from "./shader.js";

/** The row buffers of a shader: an element for each step of an invocation, of as many lanes as it has. */
export class RowBuffers {
  private readonly names: string[] = [];
  private readonly steps: number;
  private readonly invocations: number;

  constructor(
    private readonly shader: Shader,
    /** Words of scratch memory before the row buffers. */
    private readonly base: number,
  ) {
    const { kernel, mapping } = shader;
    this.steps = Math.max(
      1,
      stepsOf(
        kernel.reduced.reduce((a, b) => a * b, 1),
        mapping,
      ),
    );
    this.invocations = shader.groups * shader.workgroup;
  }

  /** Words of scratch memory that they take. */
  get scratchWords(): number {
    const { kernel, keeps, lanes } = this.shader;
    return keeps === "scratch" ? kernel.keeps.length * this.steps * lanes * this.invocations : 0;
  }
  get workgroupBytes(): number {
    const { kernel, keeps, workgroup, lanes } = this.shader;
    return keeps === "workgroup" ? 4 * kernel.keeps.length * this.steps * lanes * workgroup : 0;
  }

  private element(type: ScalarType): ElementType {
    return typeName(storageType(gpuType(type)), this.shader.lanes) as ElementType;
  }

  /** Declares those that are variables; to be called where their scope begins. */
  declare(): void {
    const { kernel, keeps, module, code, workgroup } = this.shader;
    kernel.keeps.forEach((type, k) => {
      this.names.push(`keep${k}`);
      if (keeps === "private") {
        if (this.isUnrolled)
          for (let step = 0; step < this.steps; step++) code.line(`var keep${k}_${step}: ${this.element(type)};`);
        else code.line(`var keep${k}: array<${this.element(type)}, ${this.steps}>;`);
      } else if (keeps === "workgroup") module.workgroupArray(`keep${k}`, this.element(type), this.steps * workgroup);
    });
  }

  /** Steps are written one by one: each has variables of its own. */
  private get isUnrolled(): boolean {
    return this.shader.mapping.slice > 1;
  }

  private place(k: number, step: string): string {
    if (this.shader.keeps === "private" && this.isUnrolled) return `${this.names[k]!}_${step}`;
    return `${this.names[k]!}[${this.shader.keeps === "private" ? step : `${step} * ${this.shader.workgroup} + lid`}]`;
  }
  /** Places in scratch memory, one a lane. */
  private words(k: number, step: string): string[] {
    const { lanes } = this.shader;
    return Array.from({ length: lanes }, (_, lane) => {
      const first = this.base + (k * lanes + lane) * this.steps * this.invocations;
      return `${first} + ${step} * ${this.invocations} + id`;
    });
  }

  read(k: number, step: string): string {
    const { shader } = this;
    const type = shader.kernel.keeps[k]!;
    if (shader.keeps === "scratch") {
      const words = this.words(k, step).map((at) => shader.loadScratch(type, at));
      return shader.lanes === 1 ? words[0]! : `${typeName(gpuType(type), 4)}(${words.join(", ")})`;
    }
    const element = this.place(k, step);
    return type === "bool" ? `(${element} != ${this.element(type)}(0u))` : element;
  }

  write(k: number, step: string, value: string): void {
    const { shader } = this;
    const type = shader.kernel.keeps[k]!;
    if (shader.keeps === "scratch") {
      const name = shader.named("x", value);
      this.words(k, step).forEach((at, lane) =>
        shader.storeScratch(type, at, shader.lanes === 1 ? name : `${name}.${"xyzw"[lane]!}`),
      );
      return;
    }
    shader.code.line(`${this.place(k, step)} = ${type === "bool" ? `${this.element(type)}(${value})` : value};`);
  }
}
