import type { ConcreteArray } from "../core/array.js";
import type { AnyPrimitive } from "../core/primitive.js";
import { structuralKey } from "../core/structural-key.js";
import { ArrayType } from "./array-type.js";

/** A step of the way (primitive, params, type of operand 0, of operand 1, …) → program. */
class Node<E> {
  entry: E | undefined;
  private next: Map<number, Node<E>> | undefined;
  /** The child that was taken last: loops take it again. */
  private lastId = 0;
  private last: Node<E> | undefined;

  child(id: number): Node<E> {
    if (id === this.lastId) return this.last!;
    this.next ??= new Map();
    let node = this.next.get(id);
    if (!node) this.next.set(id, (node = new Node()));
    this.lastId = id;
    this.last = node;
    return node;
  }
}

class PrimitiveNode<E> {
  lastParams: unknown = PrimitiveNode;
  last: Node<E> | undefined;
  readonly byKey = new Map<string, Node<E>>();
}

/**
 * Programs of eager operations, by primitive, params and types of the operands. Bounded: there are two generations, and when the
 * young one is full, what was not used since the last time goes.
 */
export class EagerCache<E> {
  private young = new Map<AnyPrimitive, PrimitiveNode<E>>();
  private old = new Map<AnyPrimitive, PrimitiveNode<E>>();
  private youngSize = 0;
  private oldSize = 0;

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.youngSize + this.oldSize;
  }

  /** The program, or undefined: then `insert` is called with what it is. */
  find(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): E | undefined {
    const { entry } = walk(this.young, primitive, inputs, params);
    if (entry !== undefined || this.oldSize === 0) return entry;
    const kept = walk(this.old, primitive, inputs, params).entry;
    if (kept !== undefined) this.insert(primitive, inputs, params, kept);
    return kept;
  }

  insert(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown, entry: E): void {
    walk(this.young, primitive, inputs, params).entry = entry;
    if (++this.youngSize < this.limit) return;
    this.old = this.young;
    this.oldSize = this.youngSize;
    this.young = new Map();
    this.youngSize = 0;
  }
}

function walk<E>(
  map: Map<AnyPrimitive, PrimitiveNode<E>>,
  primitive: AnyPrimitive,
  inputs: readonly ConcreteArray[],
  params: unknown,
): Node<E> {
  let root = map.get(primitive);
  if (!root) map.set(primitive, (root = new PrimitiveNode()));
  let node: Node<E>;
  if (params === root.lastParams) node = root.last!;
  else {
    const key = structuralKey(params);
    let found = root.byKey.get(key);
    if (!found) root.byKey.set(key, (found = new Node()));
    root.lastParams = params;
    root.last = node = found;
  }
  for (let i = 0; i < inputs.length; i++) node = node.child(ArrayType.idOf(inputs[i]!.aval));
  return node;
}
