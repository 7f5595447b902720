import { InternalError } from "../../../core/errors.js";
import type { Code } from "../wgsl/code.js";
import type { ModuleBuilder } from "../wgsl/module.js";
import { Values, type ValueSource } from "../wgsl/values.js";
import { type Access, loadsOf } from "./access.js";
import type { Problem } from "./problem.js";
import { affine } from "./text.js";

/** Coordinates of a result: names or short texts. */
export interface Place {
  readonly batch: readonly string[];
  readonly i: string;
  readonly j: string;
}

/** Writes what becomes of finished sums: the stores of the problem, with the values that they are made of. */
export class Outputs {
  constructor(
    private readonly module: ModuleBuilder,
    private readonly problem: Problem,
    private readonly access: Access,
  ) {
    for (const { buffer } of [...problem.stores, ...loadsOf(problem)])
      if (this.isOfFours(buffer)) module.inFours(buffer);
  }

  private isOfFours(buffer: number): boolean {
    return this.access.fours.has(this.module.launch.sameAs[buffer] ?? buffer);
  }

  /** One sum. */
  one(code: Code, place: Place, sum: string): void {
    const values = new Values(this.module, code, this.source(place, sum));
    const { stores } = this.problem;
    values.plan(stores.flatMap(({ index, value }) => [index, value]));
    const made = stores.map(({ buffer, index, value }) => ({
      buffer,
      value: values.named(value),
      index: values.index(index),
    }));
    for (const { buffer, index, value } of made) code.line(this.module.store(buffer, index, value));
  }

  /**
   * The four sums of a vector (a name), next to each other along `axis` from `place` on. `limit`: where the coordinate must
   * stay below; the first of the four does.
   */
  four(code: Code, axis: "i" | "j", place: Place, sums: string, limit: number | undefined): void {
    if (this.access.along === axis) this.together(code, axis, place, sums);
    else
      code.block("for (var e = 0; e < 4; e++)", () => {
        code.line(`let at = ${affine(0, [place[axis], 1])} + e;`);
        const one = (): void => this.one(code, { ...place, [axis]: "at" }, `${sums}[e]`);
        if (limit === undefined) one();
        else code.block(`if (at < ${limit})`, one);
      });
  }

  private together(code: Code, axis: "i" | "j", place: Place, sums: string): void {
    const { stores, batch } = this.problem;
    const laneAxis = batch.length + (axis === "i" ? 0 : 1);
    const source: ValueSource = {
      ...this.source(place, sums),
      load4: (buffer, index) => (this.isOfFours(buffer) ? this.module.load4(buffer, `${index} >> 2u`) : undefined),
      lanesOf: () => 4,
    };
    const values = new Values(this.module, code, source, { laneAxis });
    values.plan(stores.flatMap(({ index, value }) => [index, value]));
    const made = stores.map(({ buffer, index, value }) => {
      const name = this.module.fresh("r");
      code.line(`let ${name} = ${values.vector(value)};`);
      if (!this.isOfFours(buffer)) return { buffer, name, indices: values.indices(index) };
      return { buffer, name, indices: [`${values.index(index)} >> 2u`] };
    });
    for (const { buffer, name, indices } of made) {
      if (indices.length === 1) code.line(this.module.store4(buffer, indices[0]!, name));
      else indices.forEach((at, lane) => code.line(this.module.store(buffer, at, `${name}.${"xyzw"[lane]!}`)));
    }
  }

  private source({ batch, i, j }: Place, sum: string): ValueSource {
    const axes = [...batch, i, j];
    return {
      axis: (k) => axes[k]!,
      load: (buffer, index) => this.module.load(buffer, index),
      slot: () => sum,
      keep: () => {
        throw new InternalError("an epilogue that reads a row buffer");
      },
    };
  }
}
