import { InternalError } from "../../../core/errors.js";
import type { FunctionBuilder } from "../module-builder.js";
import { Op } from "../opcodes.js";
import { scalarLoadOp } from "./memory.js";
import type { Node, NodeOf } from "./nodes.js";
import { inStackOrder, rotationOf, valueType } from "./patterns.js";
import { scalarOp } from "./scalar-ops.js";
import type { Scopes } from "./scopes.js";
import type { Values } from "./values.js";

/** Pushes what a node is made of, as a scalar. */
export function computeScalar(values: Values, n: Node): void {
  const { f, scopes } = values;
  switch (n.kind) {
    case "load":
      values.loadScalar(n.access);
      return;
    case "keep":
      f.get(values.addresses.keepPointer(n.keep));
      f.load(scalarLoadOp[n.type], 0);
      return;
    case "op": {
      if (values.branching.select(n, false)) return;
      const rotation = rotationOf(n);
      if (rotation) {
        values.scalar(rotation.x);
        f.i32(rotation.left);
        f.op(Op.i32_rotl);
        return;
      }
      for (const a of inStackOrder(n)) values.scalar(a);
      scalarOp(f, n.op, n.type, valueType(n), values.relaxed);
      return;
    }
    case "muladd": {
      const [x, y] = n.args as readonly [Node, Node];
      const alone = x.kind === "dim" && x.dim === 0;
      if (!alone) values.scalar(x);
      values.scalar(y);
      if (n.coeff !== 1) {
        scopes.dim(n.coeff);
        f.op(Op.i32_mul);
      }
      if (!alone) f.op(Op.i32_add);
      return;
    }
    case "clamp":
      values.scalar(n.args[0]!);
      scopes.dim(n.lo);
      scalarOp(f, "max", "i32", "i32", false);
      scopes.dim(n.hi);
      scalarOp(f, "min", "i32", "i32", false);
      return;
    case "div":
    case "mod":
      values.scalar(n.args[0]!);
      divide(f, scopes, n);
      return;
    default:
      throw new InternalError(`no scalar code for a ${n.kind} node`);
  }
}

/** Stack: x → floor(x / d), or x − d · floor(x / d). */
export function divide(f: FunctionBuilder, scopes: Scopes, n: NodeOf<"div" | "mod">): void {
  if (n.nonnegative) {
    scopes.dim(n.divisor);
    f.op(n.kind === "div" ? Op.i32_div_u : Op.i32_rem_u);
    return;
  }
  const x = f.local("i32");
  if (n.kind === "div") {
    // truncating division of x − (d − 1) where x is negative
    f.tee(x);
    f.get(x);
    f.i32(31);
    f.op(Op.i32_shr_s);
    scopes.dim(n.divisor);
    f.i32(1);
    f.op(Op.i32_sub);
    f.op(Op.i32_and);
    f.op(Op.i32_sub);
    scopes.dim(n.divisor);
    f.op(Op.i32_div_s);
  } else {
    scopes.dim(n.divisor);
    f.op(Op.i32_rem_s);
    f.tee(x);
    f.get(x);
    f.i32(31);
    f.op(Op.i32_shr_s);
    scopes.dim(n.divisor);
    f.op(Op.i32_and);
    f.op(Op.i32_add);
  }
  f.free(x);
}
