import type { ScalarType } from "../../../kernel-ir/scalar.js";
import { Op } from "../opcodes.js";
import type { Node, NodeOf } from "./nodes.js";

/** What one instruction computes, found in the nodes that say it. */
type Operation = NodeOf<"op">;

/** The type that decides the instruction: that of the first value operand. */
export function valueType(n: Operation): ScalarType {
  return (n.op === "select" ? n.args[1]! : n.args[0]!).type;
}

/**
 * A select of the operands of its own comparison, `a < b ? a : b` or `a < b ? b : a`, as one instruction: pmin(b, a), pmax(a, b).
 */
export function lesserOf(n: Operation): { readonly args: readonly [Node, Node]; readonly code: number } | undefined {
  if (n.op !== "select" || (n.type !== "f32" && n.type !== "f64")) return undefined;
  const [condition, yes, no] = n.args as readonly [Node, Node, Node];
  if (condition.kind !== "op" || condition.op !== "lt") return undefined;
  const [a, b] = condition.args as readonly [Node, Node];
  const wide = n.type === "f64";
  if (yes === a && no === b) return { args: [b, a], code: wide ? Op.f64x2_pmin : Op.f32x4_pmin };
  if (yes === b && no === a) return { args: [a, b], code: wide ? Op.f64x2_pmax : Op.f32x4_pmax };
  return undefined;
}

/** x rotated left by a constant, where that is what `n` is: x << k | x >>> (32 − k), and nothing else needs its halves. */
export function rotationOf(n: Operation): { readonly x: Node; readonly left: number } | undefined {
  if (n.op !== "or" || (n.type !== "u32" && n.type !== "i32")) return undefined;
  const [a, b] = n.args as readonly [Node, Node];
  const [up, down] = a.kind === "op" && a.op === "shl" ? [a, b] : [b, a];
  if (up.kind !== "op" || down.kind !== "op" || up.op !== "shl" || down.op !== "shrL") return undefined;
  if (up.uses > 1 || down.uses > 1 || up.args[0] !== down.args[0]) return undefined;
  const [left, right] = [up.args[1]!, down.args[1]!];
  if (left.kind !== "const" || right.kind !== "const" || Number(left.value) + Number(right.value) !== 32)
    return undefined;
  return { x: up.args[0]!, left: Number(left.value) };
}

export const isShift = (op: string): boolean => op === "shl" || op === "shrA" || op === "shrL";

/** Operands in WebAssembly's order: select takes its condition last. */
export const inStackOrder = (n: Operation): readonly Node[] =>
  n.op === "select" ? [n.args[1]!, n.args[2]!, n.args[0]!] : n.args;
