import { TreeError } from "../core/errors.js";
import {
  flatten as flattenTree,
  leafPaths,
  sameStructure,
  type TreeDef,
  unflatten as unflattenTree,
} from "../core/tree.js";
import type { LeafOf } from "../core/types.js";
import { requireFunction } from "../transforms/arguments.js";

export { registerDataclass, registerPytreeNode, TreeDef } from "../core/tree.js";

/** Stops the descent into containers: what it accepts is a leaf. */
export type IsLeaf = (x: unknown) => boolean;

/**
 * Splits a tree into its leaves, in order, and its structure. Lists keep their order, objects go by sorted keys, null and
 * undefined are nodes without leaves.
 *
 * @example
 * const [leaves, def] = tree.flatten({ b: 1, a: [2, 3] });
 * leaves; // [2, 3, 1]
 */
export function flatten(tree: unknown, isLeaf?: IsLeaf): [leaves: unknown[], def: TreeDef] {
  return flattenTree(tree, isLeaf);
}

/**
 * Builds a tree from a structure and leaves.
 *
 * @throws TreeError `tree-leaves` where they are not as many as the structure has.
 * @example
 * tree.unflatten(tree.structure([1, [2]]), [3, 4]); // [3, [4]]
 */
export function unflatten(def: TreeDef, leaves: readonly unknown[]): unknown {
  return unflattenTree(def, leaves);
}

/**
 * The leaves of a tree, in order.
 *
 * @example
 * tree.leaves({ b: 1, a: [2, null] }); // [2, 1]
 */
export const leaves = (tree: unknown, isLeaf?: IsLeaf): unknown[] => flattenTree(tree, isLeaf)[0];

/**
 * The structure of a tree.
 *
 * @example
 * tree.structure({ a: [1, 2] }).numLeaves; // 2
 */
export const structure = (tree: unknown, isLeaf?: IsLeaf): TreeDef => flattenTree(tree, isLeaf)[1];

/**
 * The leaves of a tree with their paths, as JavaScript would write them.
 *
 * @example
 * const [[path, leaf]] = tree.leavesWithPath({ a: [1] });
 * path; // ".a[0]"
 */
export function leavesWithPath(tree: unknown, isLeaf?: IsLeaf): [path: string, leaf: unknown][] {
  const [xs, def] = flattenTree(tree, isLeaf);
  return leafPaths(def).map((path, i) => [path, xs[i]]);
}

/** A tree whose leaves have become R. */
export type MapLeaves<T, L, R> = T extends L
  ? R
  : T extends null | undefined
    ? T
    : T extends object
      ? { [K in keyof T]: MapLeaves<T[K], L, R> }
      : R;

/**
 * Applies a function to every leaf; with more trees, to the leaves in the same place of all of them.
 * Only the first tree's containers decide the structure: the others must have it.
 *
 * @throws TreeError `tree-mismatch`; ArgumentError `not-a-function`.
 * @example
 * const { a, b } = tree.map((x) => x * 2, { a: 1, b: [2] });
 * [a, b]; // [2, [4]]
 * tree.map((w, g) => w.sub(g), [np.ones([2])], [np.array([0.5, 1])]); // [[0.5, 0]]
 */
export function map<T, R>(f: (leaf: LeafOf<T>) => R, tree: T): MapLeaves<T, LeafOf<T>, R>;
export function map<T, R, L = LeafOf<T>>(
  f: (...leaves: L[]) => R,
  tree: T,
  ...rest: readonly unknown[]
): MapLeaves<T, L, R>;
export function map(f: (...leaves: unknown[]) => unknown, tree: unknown, ...rest: readonly unknown[]): unknown {
  requireFunction(f, "tree.map");
  const [first, def] = flattenTree(tree);
  const others = rest.map((t) => {
    const [xs, d] = flattenTree(t);
    sameStructure(def, d, "tree.map");
    return xs;
  });
  return unflattenTree(
    def,
    first.map((x, i) => f(x, ...others.map((xs) => xs[i]))),
  );
}

/**
 * Combines the leaves of a tree from the left.
 *
 * @throws TreeError `tree-empty` for a tree without leaves and no initial value.
 * @example
 * tree.reduce((sum, x) => sum + x, { a: 1, b: [2, 3] }, 0); // 6
 */
export function reduce<R>(f: (acc: R, leaf: never) => R, tree: unknown, ...initial: readonly [R?]): R {
  const xs = flattenTree(tree)[0];
  if (initial.length > 0 && initial[0] !== undefined) return xs.reduce((acc: R, x) => f(acc, x as never), initial[0]);
  if (xs.length === 0) {
    throw new TreeError({ code: "tree-empty", message: "tree.reduce of a tree without leaves needs an initial value" });
  }
  return xs.slice(1).reduce((acc: R, x) => f(acc, x as never), xs[0] as R);
}

/**
 * Whether a function holds for all leaves; by default whether all are truthy.
 *
 * @example
 * tree.all({ a: 1, b: [2, 0] }); // false
 */
export const all = (tree: unknown, predicate: (leaf: unknown) => boolean = Boolean): boolean =>
  flattenTree(tree)[0].every(predicate);

/**
 * Turns a tree of trees inside out: `outer` of `inner` becomes `inner` of `outer`.
 *
 * @throws TreeError `tree-mismatch`.
 * @example
 * tree.transpose(tree.structure([0, 0]), tree.structure([0, 0, 0]), [[1, 2, 3], [4, 5, 6]]); // [[1, 4], [2, 5], [3, 6]]
 */
export function transpose(outer: TreeDef, inner: TreeDef, tree: unknown): unknown {
  const rows = flattenUpTo(outer, tree).map((t) => {
    const [xs, def] = flattenTree(t);
    sameStructure(inner, def, "tree.transpose");
    return xs;
  });
  const columns = Array.from({ length: inner.numLeaves }, (_, j) =>
    unflattenTree(
      outer,
      rows.map((r) => r[j]),
    ),
  );
  return unflattenTree(inner, columns);
}

/** The subtrees that stand where a structure has leaves. */
function flattenUpTo(def: TreeDef, tree: unknown): unknown[] {
  if (def.node.kind === "leaf") return [tree];
  const children: unknown[] = [];
  const [, got] = flattenTree(tree, (x) => {
    if (x === tree) return false;
    children.push(x);
    return true;
  });
  if (got.children.length !== def.children.length || got.node.kind !== def.node.kind)
    sameStructure(def, got, "tree.transpose");
  return def.children.flatMap((d, i) => flattenUpTo(d, children[i]));
}
