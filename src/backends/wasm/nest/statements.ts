import { invariant } from "../../../core/errors.js";
import type { FunctionBuilder } from "../module-builder.js";
import type { Accumulator } from "./accumulators.js";
import { keepBytes, scalarStoreOp, storeLanes, storeRun } from "./memory.js";
import type { Access, LoopNest, LoopStatement, Node } from "./nodes.js";
import { scalarOp, scalarValType } from "./scalar-ops.js";
import type { Scopes } from "./scopes.js";
import type { Values } from "./values.js";
import { vectorOp } from "./vector-ops.js";

/** Writes the statements of phases. */
export class Statements {
  constructor(
    private readonly f: FunctionBuilder,
    private readonly nest: LoopNest,
    private readonly scopes: Scopes,
    private readonly values: Values,
  ) {}

  /** Statements at one point, or (copies > 0) in the vectors of one step. */
  emit(list: readonly LoopStatement[], copies: number, slots: ReadonlyMap<number, Accumulator>): void {
    const { values, nest } = this;
    for (let copy = 0; copy < Math.max(1, copies); copy++) {
      values.copy = copy;
      // Stores wait until all values are computed: the plan may have put a result where an operand lies.
      const waiting: { readonly access: Access; readonly local: number }[] = [];
      list.forEach((s, k) => {
        if (s.kind === "store" && !nest.sequential && k < list.length - 1)
          waiting.push({ access: s.access, local: this.hold(s.value, copies > 0) });
        else this.statement(s, copies > 0, copy, slots);
      });
      for (const { access, local } of waiting) {
        this.store(access, () => this.f.get(local), copies > 0);
        this.f.free(local);
      }
      values.endCopy();
    }
    values.copy = 0;
  }

  /** A local with a value. */
  private hold(n: Node, vector: boolean): number {
    const local = this.f.local(vector ? "v128" : scalarValType(n.type));
    this.push(n, vector);
    this.f.set(local);
    return local;
  }

  private push(n: Node, vector: boolean): void {
    this.values.prepare(n);
    if (vector) this.values.vector(n);
    else this.values.scalar(n);
  }

  private statement(s: LoopStatement, vector: boolean, copy: number, slots: ReadonlyMap<number, Accumulator>): void {
    const { f, nest, values } = this;
    switch (s.kind) {
      case "accumulate": {
        const a = slots.get(s.slot);
        invariant(a, `slot ${s.slot} is accumulated outside the bodies of its phase`);
        values.prepare(s.value);
        a.step(copy, s.value);
        return;
      }
      case "store":
        values.prepare(s.value);
        this.store(s.access, () => (vector ? values.vector(s.value) : values.scalar(s.value)), vector);
        if (nest.sequential) this.scopes.release(() => true);
        return;
      case "keep": {
        const bytes = keepBytes(nest.keeps[s.keep]!, nest.lanes);
        values.prepare(s.value);
        f.get(values.addresses.keepPointer(s.keep));
        if (vector) {
          values.vector(s.value);
          storeRun(f, bytes, values.active, copy * nest.lanes * bytes);
        } else {
          values.scalar(s.value);
          f.store(scalarStoreOp[s.value.type]);
        }
        return;
      }
      case "update":
        this.update(s, vector);
    }
  }

  private store(access: Access, push: () => void, vector: boolean): void {
    const { f, values } = this;
    if (vector) {
      values.addresses.lanes(access, (at) => storeLanes(values.target, access, at, values.active, push));
      return;
    }
    const offset = values.addresses.push(access);
    push();
    f.store(scalarStoreOp[access.type], offset);
  }

  private update(s: Extract<LoopStatement, { readonly kind: "update" }>, vector: boolean): void {
    const { f, values, scopes } = this;
    const { combine } = s;
    const local = this.hold(s.value, vector);
    const write = (): void => {
      const { type } = s.access;
      if (!combine) {
        this.store(s.access, () => f.get(local), vector);
        return;
      }
      this.store(
        s.access,
        () => {
          if (vector) values.loadVector(s.access);
          else values.loadScalar(s.access);
          f.get(local);
          if (vector) vectorOp(values.target, combine, type, type);
          else scalarOp(f, combine, type, type, values.relaxed);
        },
        vector,
      );
    };
    if (s.when) {
      invariant(!values.varies(s.when), "an update's condition may not differ between lanes");
      values.prepare(s.when);
      values.scalar(s.when);
      f.if(() => write());
    } else write();
    f.free(local);
    scopes.release(() => true);
  }
}
