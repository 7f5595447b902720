import { relaxedSimd } from "../engine.js";
import type { FunctionBuilder, ModuleBuilder } from "../module-builder.js";
import { Loops, newLoop } from "../nest/loops.js";
import { loadLanes, scalarLoadOp, scalarStoreOp, storeLanes } from "../nest/memory.js";
import type { Node } from "../nest/nodes.js";
import { scalarValType } from "../nest/scalar-ops.js";
import { Scopes } from "../nest/scopes.js";
import { Statements } from "../nest/statements.js";
import { Values } from "../nest/values.js";
import { Op } from "../opcodes.js";
import type { Carry } from "./follow.js";
import type { LoweredRounds } from "./lower.js";

/**
 * Emits rounds as a function (lo, hi, buffers…, scratch): those numbered lo ≤ i < hi, at least one. What is carried lies in locals meanwhile, and
 * in its buffers between calls, so that a loop is done in several calls (optimised code is taken up by the next one).
 *
 * With a condition the function returns whether all these rounds were done: 0 tells that the condition has ceased to hold.
 */
export function emitRounds(m: ModuleBuilder, rounds: LoweredRounds): number {
  const { nest, condition } = rounds;
  const f = m.func(nest.name, Array<"i32">(nest.bufferCount + 3).fill("i32"), condition ? ["i32"] : []);
  new RoundsEmitter(f, rounds).emit();
  return f.index;
}

class RoundsEmitter {
  private readonly scopes: Scopes;
  private readonly values: Values;
  private readonly statements: Statements;
  /** Whether values lie in vectors, in lane 0. */
  private readonly vector: boolean;

  constructor(
    private readonly f: FunctionBuilder,
    private readonly rounds: LoweredRounds,
  ) {
    const { nest } = rounds;
    this.vector = nest.mode !== "scalar";
    this.scopes = new Scopes(f, -1);
    this.values = new Values(nest, f, this.scopes, relaxedSimd(), bufferLocal, 2 + nest.bufferCount);
    this.statements = new Statements(f, nest, this.scopes, this.values);
  }

  emit(): void {
    const { f, scopes, values, rounds } = this;
    const { carries, condition } = rounds;
    const all = condition ? f.freshLocal("i32") : -1;
    carries.forEach((carry, k) => {
      const local = f.freshLocal(this.localType(carry));
      values.slots[k] = { scalar: local, vectors: [local] };
      this.load(carry);
      f.set(local);
    });
    // parameters 0 and 1: the counter and its end
    values.counters[0] = 0;
    scopes.push(1, null);
    f.block((done) => {
      scopes.withPre(() =>
        new Loops(f, scopes).run(newLoop(0, 0, true), values.axisLevel[0]!, 1, 1, () => {
          if (condition) {
            this.condition(condition);
            f.op(Op.i32_eqz);
            f.brIf(done);
          }
          this.round();
        }),
      );
      if (condition) {
        f.i32(1);
        f.set(all);
      }
    });
    scopes.pop();
    carries.forEach((carry, k) => this.store(carry, values.slots[k]!.scalar));
    if (condition) f.get(all);
    scopes.finish();
  }

  private round(): void {
    const { f, values, rounds } = this;
    const { nest, next } = rounds;
    const moved = next.flatMap((n, slot) => {
      if (n.kind === "slot" && n.slot === slot) return [];
      const local = f.local(this.vector ? "v128" : scalarValType(n.type));
      this.push(n);
      f.set(local);
      return [{ slot, local }];
    });
    this.statements.emit(nest.phases[0]!.body, this.vector ? 1 : 0, new Map());
    for (const { slot, local } of moved) {
      f.get(local);
      f.set(values.slots[slot]!.scalar);
      f.free(local);
    }
  }

  private push(n: Node): void {
    this.values.prepare(n);
    if (this.vector) this.values.vector(n);
    else this.values.scalar(n);
  }

  /** Pushes a bool as 0 or another word. */
  private condition(n: Node): void {
    this.push(n);
    if (this.vector) this.f.lane(Op.i32x4_extract_lane, 0);
  }

  private localType({ type }: Carry): "v128" | ReturnType<typeof scalarValType> {
    return this.vector ? "v128" : scalarValType(type);
  }

  private load(carry: Carry): void {
    const { f, values } = this;
    if (this.vector) loadLanes(values.target, carry, this.lanes(carry), 1);
    else {
      f.get(bufferLocal(carry.buffer));
      f.load(scalarLoadOp[carry.type], carry.at);
    }
  }

  private store(carry: Carry, local: number): void {
    const { f, values } = this;
    const push = (): void => f.get(local);
    if (this.vector) storeLanes(values.target, carry, this.lanes(carry), 1, push);
    else {
      f.get(bufferLocal(carry.buffer));
      push();
      f.store(scalarStoreOp[carry.type], carry.at);
    }
  }

  private lanes({ buffer, at }: Carry): { readonly stride: number; push(): number } {
    return {
      stride: 1,
      push: () => {
        this.f.get(bufferLocal(buffer));
        return at;
      },
    };
  }
}

const bufferLocal = (buffer: number): number => 2 + buffer;
