import type { CombineOp, ScalarType } from "../../../kernel-ir/scalar.js";
import { combination } from "../wgsl/operations.js";
import type { ElementType } from "../wgsl/module.js";
import { bare, gpuType, type Lanes, typeName } from "../wgsl/types.js";
import type { Shader } from "./shader.js";
import { identity } from "../../../kernel-ir/combine.js";

/** A value that every invocation of a slice has, to be combined over the slice. */
export interface Part {
  readonly type: ScalarType;
  readonly combine: CombineOp;
  readonly value: string;
  /** Four: of four rows. */
  readonly lanes: Lanes;
}

/**
 * What the invocations of a slice do together, through workgroup memory.
 *
 * Slices of up to 16 invocations write their values, and each invocation reads them all. Longer ones take two steps: a few
 * invocations combine a part each, then every one combines the parts. So there are one or two barriers, not one for every
 * doubling, and each invocation has the result. Code of this class stands where the workgroup's control flow is uniform.
 */
export class Slices {
  private readonly arrays = new Set<string>();
  /** Somebody may still be reading what is there. */
  private isRead = false;
  private readonly slice: number;
  private readonly group: number;
  /** Second-step parts of a slice, and invocations that each of them is of. */
  private readonly parts: number;
  private readonly share: number;

  constructor(
    private readonly shader: Shader,
    private readonly bytes: number,
  ) {
    ({ slice: this.slice, group: this.group } = shader.mapping);
    this.parts = this.slice > 16 ? 2 ** Math.floor(Math.log2(this.slice) / 2) : 1;
    this.share = this.slice / this.parts;
  }

  /** Combines values over each slice; names of the results, which every invocation has. */
  combine(all: readonly Part[]): string[] {
    if (this.slice === 1) return all.map((p) => p.value);
    return this.batches(all).flatMap((parts) => this.combineBatch(parts));
  }

  /** Splits what does not fit into workgroup memory at once. */
  private batches(all: readonly Part[]): readonly (readonly Part[])[] {
    const one = 4 * this.group * (this.slice + (this.parts > 1 ? this.parts : 0));
    const out: Part[][] = [];
    let free = 0;
    for (const p of all) {
      if (out.length === 0 || free < one * p.lanes) {
        out.push([]);
        free = this.bytes;
      }
      out.at(-1)!.push(p);
      free -= one * p.lanes;
    }
    return out;
  }

  /** Names of the arrays for each of some values: numbered within their type, so that batches share them. */
  private arraysFor(kind: "shared" | "parts", parts: readonly Part[]): string[] {
    const { module } = this.shader;
    const counts = new Map<string, number>();
    return parts.map(({ type, lanes }) => {
      const base = `${kind}_${gpuType(type)}${lanes === 4 ? "x4" : ""}`;
      const n = counts.get(base) ?? 0;
      counts.set(base, n + 1);
      const name = `${base}_${n}`;
      if (!this.arrays.has(name)) {
        this.arrays.add(name);
        const length = this.group * (kind === "shared" ? this.slice : this.parts);
        module.workgroupArray(name, typeName(gpuType(type), lanes) as ElementType, length);
      }
      return name;
    });
  }

  /** Place of invocation `i` of the slice in an array of the workgroup's invocations. */
  private at(i: string): string {
    if (this.group === 1) return i;
    if (this.shader.mapping.layout === "rows") return i === "0" ? "member" : `${i} * ${this.group} + member`;
    return i === "0" ? `member * ${this.slice}` : `member * ${this.slice} + ${i}`;
  }
  /** Place of part `i` of the slice. */
  private partAt(i: string): string {
    return this.group === 1 ? i : i === "0" ? `member * ${this.parts}` : `member * ${this.parts} + ${i}`;
  }

  private barrier(): void {
    this.shader.code.line("workgroupBarrier();");
  }

  /** Writes all values; before that, lets everybody finish reading what was there. */
  private exchange(parts: readonly Part[]): string[] {
    if (this.isRead) this.barrier();
    const arrays = this.arraysFor("shared", parts);
    parts.forEach((p, k) => this.shader.code.line(`${arrays[k]!}[lid] = ${bare(p.value)};`));
    this.barrier();
    return arrays;
  }

  private join(p: Part, a: string, b: string): string {
    return bare(combination(this.shader.module, p.combine, p.type, a, b, p.lanes));
  }

  /** Combines elements `place(i)` of arrays for i in [0, n); names of the results. */
  private walk(parts: readonly Part[], arrays: readonly string[], n: number, place: (i: string) => string): string[] {
    const { shader } = this;
    const found = parts.map((p, k) => shader.variable("c", p.type, `${arrays[k]!}[${place("0")}]`, p.lanes));
    shader.code.block(`for (var i = 1; i < ${n}; i++)`, () =>
      parts.forEach((p, k) =>
        shader.code.line(`${found[k]!} = ${this.join(p, found[k]!, `${arrays[k]!}[${place("i")}]`)};`),
      ),
    );
    return found;
  }

  private combineBatch(parts: readonly Part[]): string[] {
    const { shader } = this;
    const shared = this.exchange(parts);
    // In two steps, what was exchanged has been read when everybody has passed the second barrier.
    this.isRead = this.parts === 1;
    if (this.parts === 1) return this.walk(parts, shared, this.slice, (i) => this.at(i));
    const arrays = this.arraysFor("parts", parts);
    shader.code.block(`if (lane < ${this.parts})`, () => {
      const found = this.walk(parts, shared, this.share, (i) =>
        this.at(i === "0" ? "lane" : `(lane + ${i} * ${this.parts})`),
      );
      found.forEach((name, k) => shader.code.line(`${arrays[k]!}[${this.partAt("lane")}] = ${name};`));
    });
    this.barrier();
    return this.walk(parts, arrays, this.parts, (i) => this.partAt(i));
  }

  /** For each value, that of the invocations before this one in its slice combined, and that of all. */
  scan(all: readonly Part[]): { readonly before: string; readonly all: string }[] {
    return this.batches(all).flatMap((parts) => this.scanBatch(parts));
  }

  private scanBatch(parts: readonly Part[]): { readonly before: string; readonly all: string }[] {
    const { shader } = this;
    const { code } = shader;
    const fresh = (prefix: string, p: Part): string =>
      shader.variable(prefix, p.type, shader.number(p.type, identity(p.combine, p.type), p.lanes), p.lanes);
    if (this.slice === 1) return parts.map((p) => ({ before: fresh("c", p), all: p.value }));
    // Scans stand in loops, where the one before is that of the last round.
    this.isRead = true;
    const shared = this.exchange(parts);
    /** Walks n elements; `lane` is the first that does not come before. */
    const walk = (arrays: readonly string[], n: number, place: (i: string) => string, lane: string) => {
      const found = parts.map((p) => ({ before: fresh("c", p), all: fresh("c", p) }));
      code.block(`for (var i = 0; i < ${n}; i++)`, () => {
        code.block(`if (i == ${lane})`, () => found.forEach((f) => code.line(`${f.before} = ${f.all};`)));
        parts.forEach((p, k) =>
          code.line(`${found[k]!.all} = ${this.join(p, found[k]!.all, `${arrays[k]!}[${place("i")}]`)};`),
        );
      });
      return found;
    };
    if (this.parts === 1) return walk(shared, this.slice, (i) => this.at(i), "lane");
    const arrays = this.arraysFor("parts", parts);
    // Each of a few invocations scans neighbours, and leaves for each what comes before it among them.
    code.block(`if (lane < ${this.parts})`, () => {
      const sums = parts.map((p) => fresh("c", p));
      code.block(`for (var i = 0; i < ${this.share}; i++)`, () => {
        const at = this.at(`(lane * ${this.share} + i)`);
        const own = parts.map((_, k) => shader.named("x", `${shared[k]!}[${at}]`));
        parts.forEach((p, k) => {
          code.line(`${shared[k]!}[${at}] = ${sums[k]!};`);
          code.line(`${sums[k]!} = ${this.join(p, sums[k]!, own[k]!)};`);
        });
      });
      sums.forEach((name, k) => code.line(`${arrays[k]!}[${this.partAt("lane")}] = ${name};`));
    });
    this.barrier();
    const found = walk(arrays, this.parts, (i) => this.partAt(i), `(lane / ${this.share})`);
    return parts.map((p, k) => ({
      before: shader.named("c", this.join(p, found[k]!.before, `${shared[k]!}[${this.at("lane")}]`)),
      all: found[k]!.all,
    }));
  }
}
