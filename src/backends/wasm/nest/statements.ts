import { invariant } from "../../../core/errors.js";
import type { FunctionBuilder } from "../module-builder.js";
import type { Accumulator } from "./accumulators.js";
import { keepBytes, scalarStoreOp, storeLanes, storeRun } from "./memory.js";
import type { Access, LoopNest, LoopStatement, Node } from "./nodes.js";
import { scalarOp, scalarValType } from "./scalar-ops.js";
import type { Scopes } from "./scopes.js";
import type { Values } from "./values.js";
import { vectorOp } from "./vector-ops.js";

type Write = Extract<LoopStatement, { readonly kind: "store" | "keep" }>;

/** A write whose value is in a local. */
interface Waiting {
  readonly write: Write;
  readonly copy: number;
  readonly local: number;
}

/** Writes the statements of phases. */
export class Statements {
  constructor(
    private readonly f: FunctionBuilder,
    private readonly nest: LoopNest,
    private readonly scopes: Scopes,
    private readonly values: Values,
  ) {}

  /**
   * Statements at one point, or (copies > 0) in the vectors of one step.
   *
   * Stores wait until all values are computed: the plan may have put a result where an operand lies. Those of several
   * vectors wait for the last one, so that an engine, which computes values where they are needed, works on all of them at
   * a time: one vector alone is a chain of operations that each wait for the one before. More values than a few would not
   * stay in registers until then.
   */
  emit(list: readonly LoopStatement[], copies: number, slots: ReadonlyMap<number, Accumulator>): void {
    const { values, nest } = this;
    const writes = list.filter((s) => s.kind === "store" || s.kind === "keep");
    const together =
      copies > 1 &&
      writes.length * copies <= 4 &&
      !nest.sequential &&
      !writes.some((s) => s.kind === "store" && s.access.opaque);
    const last = list.length - 1;
    const waits = (s: LoopStatement, k: number): s is Write =>
      (s.kind === "store" && !nest.sequential && (together || k < last)) || (s.kind === "keep" && together);
    const waiting: Waiting[] = [];
    for (let copy = 0; copy < Math.max(1, copies); copy++) {
      values.copy = copy;
      list.forEach((s, k) => {
        if (waits(s, k)) waiting.push({ write: s, copy, local: this.hold(s.value, copies > 0) });
        else this.statement(s, copies > 0, copy, slots);
      });
      if (!together) this.write(waiting.splice(0), copies > 0);
      values.endCopy();
    }
    this.write(waiting, true);
    if (together) values.endCopy();
    values.copy = 0;
  }

  private write(waiting: readonly Waiting[], vector: boolean): void {
    const { f, values } = this;
    for (const { write, copy, local } of waiting) {
      values.copy = copy;
      const push = (): void => f.get(local);
      if (write.kind === "store") this.store(write.access, push, vector);
      else this.keep(write.keep, push, vector, copy);
      f.free(local);
    }
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
    const { nest, values } = this;
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
      case "keep":
        values.prepare(s.value);
        this.keep(s.keep, () => (vector ? values.vector(s.value) : values.scalar(s.value)), vector, copy);
        return;
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

  private keep(keep: number, push: () => void, vector: boolean, copy: number): void {
    const { f, nest, values } = this;
    const type = nest.keeps[keep]!;
    const bytes = keepBytes(type, nest.lanes);
    f.get(values.addresses.keepPointer(keep));
    push();
    if (vector) storeRun(f, bytes, values.active, copy * nest.lanes * bytes);
    else f.store(scalarStoreOp[type]);
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
