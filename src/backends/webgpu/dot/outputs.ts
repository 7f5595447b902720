import type { Expr, LoadExpr } from "../../../kernel-ir/scalar.js";
import type { Code } from "../wgsl/code.js";
import type { ModuleBuilder } from "../wgsl/module.js";
import { gpuType, typeName } from "../wgsl/types.js";
import { Values } from "../wgsl/values.js";
import { type Access, loadsOf } from "./access.js";
import type { Problem } from "./problem.js";
import { affine } from "./text.js";

/** Coordinates of a result: names or short texts. */
export interface Place {
  readonly batch: readonly string[];
  readonly i: string;
  readonly j: string;
}

const LANES = ["x", "y", "z", "w"] as const;

/** Writes what becomes of finished sums: the stores of the problem, with the values that they are made of. */
export class Outputs {
  private readonly loads: readonly LoadExpr[];

  constructor(
    private readonly module: ModuleBuilder,
    private readonly problem: Problem,
    private readonly access: Access,
  ) {
    this.loads = loadsOf(problem);
    for (const { buffer } of [...problem.stores, ...this.loads]) if (this.isOfFours(buffer)) module.inFours(buffer);
  }

  private isOfFours(buffer: number): boolean {
    return this.access.fours.has(this.module.launch.sameAs[buffer] ?? buffer);
  }

  /** One sum. */
  one(code: Code, place: Place, sum: string): void {
    const values = new Values(
      this.module,
      code,
      this.source(place, sum, () => undefined),
    );
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
    const { stores } = this.problem;
    const vectors = new Map<string, string>();
    const values = LANES.map((lane, at) => {
      const moved = at === 0 ? place : { ...place, [axis]: affine(at, [place[axis], 1]) };
      const known = (e: LoadExpr): string | undefined => {
        const vector = vectors.get(`${e.buffer} ${e.index.key}`);
        return vector === undefined ? undefined : `${vector}.${lane}`;
      };
      return new Values(this.module, code, this.source(moved, `${sums}.${lane}`, known));
    });
    const [first] = values as [Values, ...Values[]];
    for (const { buffer, index } of this.loads) {
      const key = `${buffer} ${index.key}`;
      if (!this.isOfFours(buffer) || vectors.has(key)) continue;
      const name = this.module.fresh("f");
      code.line(`let ${name} = ${this.module.load4(buffer, `${first.index(index)} >> 2u`)};`);
      vectors.set(key, name);
    }
    for (const lane of values) lane.plan(stores.flatMap(({ index, value }) => [index, value]));
    const made = stores.map((store) => ({
      store,
      lanes: values.map((lane) => lane.named(store.value)),
      // Of fours only the first has to be known.
      indices: (this.isOfFours(store.buffer) ? [first] : values).map((lane) => lane.index(store.index)),
    }));
    for (const { store, lanes, indices } of made) {
      const { buffer, value } = store;
      if (this.isOfFours(buffer)) {
        const vector = `${typeName(gpuType(value.type), 4)}(${lanes.join(", ")})`;
        code.line(this.module.store4(buffer, `${indices[0]!} >> 2u`, isPlain(value) ? sums : vector));
      } else lanes.forEach((lane, at) => code.line(this.module.store(buffer, indices[at]!, lane)));
    }
  }

  private source(
    { batch, i, j }: Place,
    sum: string,
    known: (e: LoadExpr) => string | undefined,
  ): ConstructorParameters<typeof Values>[2] {
    const axes = [...batch, i, j];
    return {
      axis: (k) => axes[k]!,
      load: (buffer, index) => this.module.load(buffer, index),
      slot: () => sum,
      keep: () => "",
      known,
    };
  }
}

/** The sum itself. */
const isPlain = (value: Expr): boolean => value.kind === "slot";
