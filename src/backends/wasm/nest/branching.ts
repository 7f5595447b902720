import { Op } from "../opcodes.js";
import type { Branch } from "./branches.js";
import type { Node, NodeOf } from "./nodes.js";
import { scalarValType } from "./scalar-ops.js";
import type { Values } from "./values.js";
import { vectorOp } from "./vector-ops.js";

/** Writes the branches of selects. */
export class Branching {
  /**
   * Branches that the code has gone through, with the locals of their values; none while one is being written. `whole`: where
   * the branch was not taken, these are the values of the other side.
   */
  private readonly opened = new Map<Branch, { readonly locals: readonly number[]; readonly whole: boolean }>();

  constructor(private readonly values: Values) {}

  /** Forgets what was computed. */
  clear(): void {
    for (const { locals } of this.opened.values()) for (const local of locals) this.values.f.free(local);
    this.opened.clear();
  }

  /** Writes a select some of whose values are computed in branches; gives false for other operations. */
  select(n: NodeOf<"op">, vector: boolean): boolean {
    const { f, nest, scopes, target } = this.values;
    const branches = scopes.inPlace ? nest.branches.get(n) : undefined;
    if (!branches) return false;
    const condition = f.local(vector ? "v128" : "i32");
    this.value(n.args[0]!, vector);
    f.set(condition);
    for (const b of branches) if (!this.opened.has(b)) this.open(b, condition, vector);
    const { locals, whole } = this.opened.get(branches[0]!)!;
    if (whole) {
      f.get(locals[branches[0]!.selects.indexOf(n)]!);
      f.free(condition);
      return true;
    }
    for (const side of [1, 2] as const) {
      const value = n.args[side]!;
      const branch = branches.find((b) => b.side === side);
      const local = branch && this.opened.get(branch)!.locals[branch.values.indexOf(value)];
      if (local === undefined) this.value(value, vector);
      else f.get(local);
    }
    f.get(condition);
    f.free(condition);
    if (vector) vectorOp(target, "select", n.type, n.type);
    else f.op(Op.select);
    return true;
  }

  /** Computes the values of a branch, where any lane needs them. */
  private open(b: Branch, condition: number, vector: boolean): void {
    const { f, scopes, nest, active } = this.values;
    // Selects inside of the branch that are its own are plain ones.
    this.opened.set(b, { locals: [], whole: false });
    for (const n of b.before) {
      this.value(n, vector);
      f.op(Op.drop);
    }
    const locals = b.values.map((v) => f.local(vector ? "v128" : scalarValType(v.type)));
    // One value, not several lanes: where the branch is not taken, its results are those of the other side.
    const whole = (!vector || active === 1) && b.selects.every((s) => nest.branches.get(s)!.length === 1);
    if (whole)
      b.selects.forEach((s, k) => {
        this.value(s.args[3 - b.side]!, vector);
        f.set(locals[k]!);
      });
    const outside = new Set(this.opened.keys());
    f.get(condition);
    // what lies in lanes beyond the first is anything
    if (vector && active === 1) f.lane(Op.i32x4_extract_lane, 0);
    else if (vector && b.side === 1) f.op(Op.v128_any_true);
    else if (vector) f.op(nest.lanes === 2 ? Op.i64x2_all_true : Op.i32x4_all_true);
    if (b.side === 2) f.op(Op.i32_eqz);
    f.if(() =>
      scopes.conditional(() => {
        b.values.forEach((v, k) => {
          this.value(v, vector);
          f.set(locals[k]!);
        });
      }),
    );
    // What was opened in here may not have been computed.
    for (const [inner, { locals }] of this.opened) {
      if (outside.has(inner)) continue;
      for (const local of locals) f.free(local);
      this.opened.delete(inner);
    }
    this.opened.set(b, { locals, whole });
  }

  private value(n: Node, vector: boolean): void {
    if (vector) this.values.vector(n);
    else this.values.scalar(n);
  }
}
