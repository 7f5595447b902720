import { InternalError } from "../../../core/errors.js";
import type { ScalarType } from "../../../kernel-ir/scalar.js";
import { Op } from "../opcodes.js";
import { keepBytes, loadRun } from "./memory.js";
import { type Dim, isImmediate, type Node } from "./nodes.js";
import { inStackOrder, isShift, lesserOf, rotationOf, valueType } from "./patterns.js";
import { scalarOp, scalarValType } from "./scalar-ops.js";
import { divide } from "./scalar-values.js";
import type { Values } from "./values.js";
import { extractLane, hasVectorForm, replaceLane, rotateBytes, splat, vectorOp } from "./vector-ops.js";

/** Pushes what a node is made of, in the lanes of a vector. */
export function computeVector(values: Values, n: Node): void {
  const { f, scopes, target } = values;
  switch (n.kind) {
    case "load":
      values.loadVector(n.access);
      return;
    case "keep": {
      const bytes = keepBytes(n.type, values.nest.lanes);
      f.get(values.addresses.keepPointer(n.keep));
      loadRun(f, bytes, values.active, values.copy * values.nest.lanes * bytes);
      return;
    }
    case "op": {
      if (values.branching.select(n, true)) return;
      const rotation = rotationOf(n);
      if (rotation && rotation.left % 8 === 0) {
        values.vector(rotation.x);
        rotateBytes(f, rotation.left / 8);
        return;
      }
      const lesser = lesserOf(n);
      if (lesser) {
        for (const a of lesser.args) values.vector(a);
        f.op(lesser.code);
        return;
      }
      const amount = isShift(n.op) ? n.args[1]! : undefined;
      if (!hasVectorForm(n.op, n.type, valueType(n)) || (amount && values.varies(amount))) {
        laneByLane(values, inStackOrder(n), n.type, () => scalarOp(f, n.op, n.type, valueType(n), values.relaxed));
        return;
      }
      if (amount) {
        values.vector(n.args[0]!);
        values.scalar(amount);
        if (amount.type === "i64") f.op(Op.i32_wrap_i64);
      } else for (const a of inStackOrder(n)) values.vector(a);
      vectorOp(target, n.op, n.type, valueType(n));
      return;
    }
    case "axis": {
      const first = values.copy * values.nest.lanes;
      f.get(values.counters[n.axis]!);
      f.op(Op.i32x4_splat);
      values.fixed(`lanes ${first}`, () => f.i32x4(first, first + 1, first + 2, first + 3));
      f.op(Op.i32x4_add);
      return;
    }
    case "muladd": {
      const [x, y] = n.args as readonly [Node, Node];
      const alone = x.kind === "dim" && x.dim === 0;
      if (!alone) values.vector(x);
      values.vector(y);
      if (n.coeff !== 1) {
        splatDim(values, n.coeff);
        f.op(Op.i32x4_mul);
      }
      if (!alone) f.op(Op.i32x4_add);
      return;
    }
    case "clamp":
      values.vector(n.args[0]!);
      splatDim(values, n.lo);
      f.op(Op.i32x4_max_s);
      splatDim(values, n.hi);
      f.op(Op.i32x4_min_s);
      return;
    case "div":
    case "mod":
      laneByLane(values, n.args, "i32", () => divide(f, scopes, n));
      return;
    default:
      throw new InternalError(`no vector code for a ${n.kind} node`);
  }
}

function splatDim(values: Values, d: Dim): void {
  if (isImmediate(d)) values.constant("i32", d);
  else
    values.fixed(`p${d.slot}`, () => {
      values.scopes.dim(d);
      values.f.op(Op.i32x4_splat);
    });
}

/** Computes each active lane by scalar code, whose operands are on the stack in the order of `args`. */
function laneByLane(values: Values, args: readonly Node[], type: ScalarType, write: () => void): void {
  const { f, target } = values;
  const operands = args.map((a) => {
    const vector = values.varies(a);
    if (vector) values.vector(a);
    else values.scalar(a);
    const local = f.local(vector ? "v128" : scalarValType(a.type));
    f.set(local);
    return { local, vector, type: a.type };
  });
  const result = f.local("v128");
  for (let lane = 0; lane < values.active; lane++) {
    if (lane > 0) f.get(result);
    for (const o of operands) {
      f.get(o.local);
      if (o.vector) extractLane(target, o.type, lane);
    }
    write();
    if (lane === 0) splat(target, type);
    else replaceLane(target, type, lane);
    f.set(result);
  }
  f.get(result);
  f.free(result);
  for (const o of operands) f.free(o.local);
}
