import type { ConcreteArray } from "../core/array.js";
import type { AnyPrimitive } from "../core/primitive.js";
import { structuralKey } from "../core/structural-key.js";
import { ArrayType } from "./array-type.js";

/** A step of the way (primitive, params, number of operand 0, of operand 1, …) → entry. */
export class Node<E> {
  entry: E | undefined;
  private next: Map<number, Node<E>> | undefined;
  /** The child that was taken last: loops take it again. */
  private lastId = -1;
  private last: Node<E> | undefined;

  find(id: number): Node<E> | undefined {
    if (id === this.lastId) return this.last;
    const node = this.next?.get(id);
    if (node) {
      this.lastId = id;
      this.last = node;
    }
    return node;
  }

  child(id: number): Node<E> {
    let node = this.find(id);
    if (!node) {
      node = new Node();
      // most have one child
      if (this.last !== undefined || this.next !== undefined) {
        this.next ??= new Map<number, Node<E>>().set(this.lastId, this.last!);
        this.next.set(id, node);
      }
      this.lastId = id;
      this.last = node;
    }
    return node;
  }
}

class PrimitiveNode<E> {
  lastParams: unknown = PrimitiveNode;
  last: Node<E> | undefined;
  readonly byKey = new Map<string, Node<E>>();
}

/** Entries by primitive, params, and numbers that tell operands apart. */
export class ProgramTree<E> {
  private readonly roots = new Map<AnyPrimitive, PrimitiveNode<E>>();

  /** Where the entries of operations of a primitive with equal params begin. */
  root(primitive: AnyPrimitive, params: unknown): Node<E> {
    let root = this.roots.get(primitive);
    if (!root) this.roots.set(primitive, (root = new PrimitiveNode()));
    if (params === root.lastParams) return root.last!;
    const key = structuralKey(params);
    let node = root.byKey.get(key);
    if (!node) root.byKey.set(key, (node = new Node()));
    root.lastParams = params;
    root.last = node;
    return node;
  }
}

/**
 * Programs of eager operations, by primitive, params and types of the operands. Bounded: there are two generations, and when the
 * young one is full, what was not used since the last time goes.
 */
export class EagerCache<E> {
  private young = new ProgramTree<E>();
  private old = new ProgramTree<E>();
  private youngSize = 0;
  private oldSize = 0;

  constructor(private readonly limit: number) {}

  get size(): number {
    return this.youngSize + this.oldSize;
  }

  /** The program, or undefined: then `insert` is called with what it is. */
  find(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): E | undefined {
    const entry = walk(this.young.root(primitive, params), inputs)?.entry;
    if (entry !== undefined || this.oldSize === 0) return entry;
    const kept = walk(this.old.root(primitive, params), inputs)?.entry;
    if (kept !== undefined) this.insert(primitive, inputs, params, kept);
    return kept;
  }

  insert(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown, entry: E): void {
    let node = this.young.root(primitive, params);
    for (let i = 0; i < inputs.length; i++) node = node.child(ArrayType.idOf(inputs[i]!.aval));
    node.entry = entry;
    if (++this.youngSize < this.limit) return;
    this.old = this.young;
    this.oldSize = this.youngSize;
    this.young = new ProgramTree();
    this.youngSize = 0;
  }
}

function walk<E>(root: Node<E>, inputs: readonly ConcreteArray[]): Node<E> | undefined {
  let node: Node<E> | undefined = root;
  for (let i = 0; i < inputs.length && node; i++) node = node.find(ArrayType.idOf(inputs[i]!.aval));
  return node;
}
