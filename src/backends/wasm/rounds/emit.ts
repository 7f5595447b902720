import { relaxedSimd } from "../engine.js";
import type { FunctionBuilder, Label, ModuleBuilder } from "../module-builder.js";
import { Loops, newLoop } from "../nest/loops.js";
import { loadLanes, scalarLoadOp, scalarStoreOp, storeLanes } from "../nest/memory.js";
import type { LoopStatement, Node } from "../nest/nodes.js";
import { scalarValType } from "../nest/scalar-ops.js";
import { Scopes } from "../nest/scopes.js";
import { Statements } from "../nest/statements.js";
import { Values } from "../nest/values.js";
import { Op } from "../opcodes.js";
import type { LoweredRounds } from "./lower.js";
import type { Carry, InnerLoop, ScalarLoop } from "./rounds.js";

/**
 * Emits rounds as a function (lo, hi, buffers…, scratch): those numbered lo ≤ i < hi, at least one. What is carried lies in
 * locals meanwhile, and in its buffers between calls, so that a loop is done in several calls (optimised code is taken up by
 * the next one).
 *
 * With a condition the function returns whether all these rounds were done: 0 tells that the condition has ceased to hold.
 */
export function emitRounds(m: ModuleBuilder, rounds: LoweredRounds): number {
  const { nest, loop } = rounds;
  const f = m.func(nest.name, Array<"i32">(nest.bufferCount + 3).fill("i32"), loop.condition ? ["i32"] : []);
  new RoundsEmitter(f, rounds).emit();
  return f.index;
}

/** A value that waits in a local of its own until others of the round are known. */
interface Held {
  readonly slot: number;
  readonly local: number;
}

class RoundsEmitter {
  private readonly scopes: Scopes;
  private readonly values: Values;
  private readonly statements: Statements;
  private readonly loops: Loops;
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
    this.loops = new Loops(f, this.scopes);
  }

  emit(): void {
    const { f, scopes, values, rounds } = this;
    const { carries, loop } = rounds;
    const all = loop.condition ? f.freshLocal("i32") : -1;
    carries.forEach((carry, k) => {
      this.load(carry);
      f.set(this.newSlot(loop.slots[k]!));
    });
    scopes.push(1, null);
    f.block((done) => {
      // parameters 0 and 1: the counter and its end
      values.counters[loop.number] = 0;
      scopes.withPre(() => {
        this.loops.run(newLoop(loop.number, 0, true), values.axisLevel[loop.number]!, 1, 1, () => {
          this.leaveUnless(loop, done);
          this.round(loop);
        });
      });
      if (loop.condition) {
        f.i32(1);
        f.set(all);
      }
    });
    scopes.pop();
    carries.forEach((carry, k) => this.store(carry, values.slots[loop.slots[k]!]!.scalar));
    if (loop.condition) f.get(all);
    scopes.finish();
  }

  private round(loop: ScalarLoop<Node, LoopStatement>): void {
    for (const inner of loop.inner) this.innerLoop(inner);
    const held = loop.next.flatMap((n, k) => {
      const slot = loop.slots[k]!;
      return n.kind === "slot" && n.slot === slot ? [] : [this.hold(n, slot)];
    });
    this.statements.emit(loop.stores, this.vector ? 1 : 0, new Map());
    this.release(held);
  }

  private innerLoop(loop: InnerLoop<Node, LoopStatement>): void {
    const { f, scopes, values } = this;
    const held = loop.initial.map((n, k) => this.hold(n, loop.slots[k]!));
    loop.slots.forEach((slot, k) => {
      this.newSlot(slot);
      values.slots[loop.finals[k]!] = values.slots[slot]!;
    });
    this.release(held);
    const counter = f.freshLocal("i32");
    values.counters[loop.number] = counter;
    const run = (body: () => void): void => {
      f.i32(0);
      f.set(counter);
      scopes.withPre(() => {
        const stop = this.loops.constantLocal(() => f.i32(loop.length ?? -1));
        this.loops.run(newLoop(loop.number, counter, false), values.axisLevel[loop.number]!, 1, stop, body);
      });
    };
    if (!loop.condition) {
      run(() => this.round(loop));
      return;
    }
    f.block((done) =>
      f.loop((again) => {
        run(() => {
          this.leaveUnless(loop, done);
          this.round(loop);
        });
        f.br(again);
      }),
    );
  }

  /** Leaves a loop where its condition does not hold. */
  private leaveUnless({ condition }: ScalarLoop<Node, LoopStatement>, done: Label): void {
    if (!condition) return;
    this.push(condition);
    if (this.vector) this.f.lane(Op.i32x4_extract_lane, 0);
    this.f.op(Op.i32_eqz);
    this.f.brIf(done);
  }

  private push(n: Node): void {
    this.values.prepare(n);
    if (this.vector) this.values.vector(n);
    else this.values.scalar(n);
  }

  private hold(n: Node, slot: number): Held {
    const local = this.f.local(this.vector ? "v128" : scalarValType(n.type));
    this.push(n);
    this.f.set(local);
    return { slot, local };
  }

  private release(held: readonly Held[]): void {
    for (const { slot, local } of held) {
      this.f.get(local);
      this.f.set(this.values.slots[slot]!.scalar);
      this.f.free(local);
    }
  }

  // ---- what is carried

  /** A local for a slot. */
  private newSlot(slot: number): number {
    const { type } = this.rounds.nest.slots[slot]!;
    const local = this.f.freshLocal(this.vector ? "v128" : scalarValType(type));
    this.values.slots[slot] = { scalar: local, vectors: [local] };
    return local;
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
