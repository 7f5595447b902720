import { NDArray } from "./array.js";
import { ArgumentError, InternalError, TreeError } from "./errors.js";
import { describeValue } from "./literal.js";

/**
 * Pytrees: nested containers whose leaves are arrays. Lists, plain objects (keys in sorted order), registered classes;
 * null and undefined are nodes without leaves; everything else is a leaf.
 */
type NodeKind =
  | { readonly kind: "leaf" }
  | { readonly kind: "none"; readonly value: null | undefined }
  | { readonly kind: "list" }
  | { readonly kind: "object"; readonly keys: readonly string[] }
  | { readonly kind: "custom"; readonly type: CustomNode; readonly aux: unknown };

/** The structure of a tree without its leaves. Equal structures have equal `key`s. */
export class TreeDef {
  readonly numLeaves: number;
  readonly key: string;
  constructor(
    readonly node: NodeKind,
    readonly children: readonly TreeDef[],
  ) {
    this.numLeaves = node.kind === "leaf" ? 1 : children.reduce((n, c) => n + c.numLeaves, 0);
    this.key = keyOf(node, children);
  }
  toString(): string {
    return `PyTreeDef(${this.key})`;
  }
}

function keyOf(node: NodeKind, children: readonly TreeDef[]): string {
  switch (node.kind) {
    case "leaf":
      return "*";
    case "none":
      return node.value === null ? "null" : "undefined";
    case "list":
      return `[${children.map((c) => c.key).join(", ")}]`;
    case "object":
      return `{${node.keys.map((k, i) => `${JSON.stringify(k)}: ${children[i]!.key}`).join(", ")}}`;
    case "custom":
      return `${node.type.name}#${node.type.id}<${auxKey(node.aux)}>(${children.map((c) => c.key).join(", ")})`;
  }
}

const auxIds = new WeakMap<object, number>();
let nextId = 0;
/** Static data of custom nodes: primitives by value, lists of them too, other objects by identity. */
function auxKey(aux: unknown): string {
  if (Array.isArray(aux)) return `[${aux.map(auxKey).join(",")}]`;
  if ((typeof aux === "object" && aux !== null) || typeof aux === "function") {
    let id = auxIds.get(aux);
    if (id === undefined) auxIds.set(aux, (id = nextId++));
    return `@${id}`;
  }
  return typeof aux === "string" ? JSON.stringify(aux) : Object.is(aux, -0) ? "-0" : String(aux);
}

interface CustomNode {
  readonly id: number;
  readonly name: string;
  readonly flatten: (x: never) => readonly [children: readonly unknown[], aux: unknown];
  readonly unflatten: (aux: never, children: readonly unknown[]) => unknown;
}

// eslint-disable-next-line @typescript-eslint/no-unsafe-function-type -- classes are looked up by identity only
const registry = new Map<Function, CustomNode>();

export type ClassOf<T> = abstract new (...args: never[]) => T;

/**
 * Registers a class as a pytree node: `flatten` gives its children and static data, `unflatten` builds one from them.
 * Static data that are not primitives are compared by identity.
 *
 * @throws ArgumentError `pytree-registered`.
 * @example
 * class Point {
 *   constructor(readonly x: NDArray, readonly y: NDArray) {}
 * }
 * registerPytreeNode(Point, (p) => [[p.x, p.y], null], (_, [x, y]) => new Point(x as NDArray, y as NDArray));
 * const { x, y } = grad((p: Point) => p.x.mul(p.y))(new Point(np.array(2), np.array(5)));
 * [x, y]; // [5, 2]
 */
export function registerPytreeNode<T, A>(
  type: ClassOf<T>,
  flatten: (x: T) => readonly [children: readonly unknown[], aux: A],
  unflatten: (aux: A, children: readonly unknown[]) => T,
): void {
  if (registry.has(type)) {
    throw new ArgumentError({
      code: "pytree-registered",
      message: `${type.name} is registered as a pytree node already`,
    });
  }
  registry.set(type, {
    id: nextId++,
    name: type.name,
    flatten: flatten as CustomNode["flatten"],
    unflatten: unflatten as CustomNode["unflatten"],
  });
}

/**
 * Registers a class whose instances are rebuilt by copying fields onto a new object of its prototype:
 * `dataFields` hold subtrees, `metaFields` static data.
 *
 * @throws ArgumentError `pytree-registered`.
 * @example
 * class Layer {
 *   constructor(readonly w: NDArray, readonly activation: "relu" | "none") {}
 * }
 * registerDataclass(Layer, ["w"], ["activation"]);
 * grad((l: Layer) => l.w.mul(3).sum())(new Layer(np.ones([2]), "relu")).w; // [3, 3]
 */
export function registerDataclass<T extends object>(
  type: ClassOf<T>,
  dataFields: readonly (keyof T & string)[],
  metaFields: readonly (keyof T & string)[] = [],
): void {
  registerPytreeNode<T, readonly unknown[]>(
    type,
    (x) => [dataFields.map((k) => x[k]), metaFields.map((k) => x[k])],
    (aux, children) => {
      const x = Object.create(type.prototype as object) as Record<string, unknown>;
      dataFields.forEach((k, i) => (x[k] = children[i]));
      metaFields.forEach((k, i) => (x[k] = aux[i]));
      return x as T;
    },
  );
}

const leafDef = new TreeDef({ kind: "leaf" }, []);
const nullDef = new TreeDef({ kind: "none", value: null }, []);
const undefinedDef = new TreeDef({ kind: "none", value: undefined }, []);

/** Splits a tree into its leaves and its structure. `isLeaf` may stop the descent. */
export function flatten(tree: unknown, isLeaf?: (x: unknown) => boolean): [leaves: unknown[], def: TreeDef] {
  const leaves: unknown[] = [];
  const visit = (x: unknown): TreeDef => {
    if (x instanceof NDArray || isLeaf?.(x)) {
      leaves.push(x);
      return leafDef;
    }
    if (x === null) return nullDef;
    if (x === undefined) return undefinedDef;
    if (Array.isArray(x)) return new TreeDef({ kind: "list" }, x.map(visit));
    if (typeof x === "object") {
      const proto = Object.getPrototypeOf(x) as { constructor?: unknown } | null;
      if (proto === null || proto === Object.prototype) {
        const record = x as Record<string, unknown>;
        const keys = Object.keys(record).sort();
        return new TreeDef(
          { kind: "object", keys },
          keys.map((k) => visit(record[k])),
        );
      }
      const type = registry.get((x as { constructor: new () => unknown }).constructor);
      if (type) {
        const [children, aux] = type.flatten(x as never);
        return new TreeDef({ kind: "custom", type, aux }, children.map(visit));
      }
    }
    leaves.push(x);
    return leafDef;
  };
  const def = visit(tree);
  return [leaves, def];
}

/** Builds a tree of the given structure from leaves in order. */
export function unflatten(def: TreeDef, leaves: readonly unknown[]): unknown {
  if (leaves.length !== def.numLeaves) {
    throw new TreeError({
      code: "tree-leaves",
      message: `a tree of ${def.numLeaves} leaves cannot be built from ${leaves.length}`,
      details: [["structure", def.key]],
    });
  }
  let next = 0;
  const build = (d: TreeDef): unknown => {
    const { node } = d;
    switch (node.kind) {
      case "leaf":
        return leaves[next++];
      case "none":
        return node.value;
      case "list":
        return d.children.map(build);
      case "object": {
        const out: Record<string, unknown> = {};
        node.keys.forEach((k, i) => {
          const value = build(d.children[i]!);
          if (k === "__proto__")
            Object.defineProperty(out, k, { value, enumerable: true, writable: true, configurable: true });
          else out[k] = value;
        });
        return out;
      }
      case "custom":
        return node.type.unflatten(node.aux as never, d.children.map(build));
    }
  };
  return build(def);
}

/** Paths of the leaves in order, as JavaScript would write them: `[0].w`. */
export function leafPaths(def: TreeDef, root = ""): string[] {
  const { node } = def;
  if (node.kind === "leaf") return [root];
  return def.children.flatMap((c, i) => {
    const step = node.kind === "object" ? propertyPath(node.keys[i]!) : `[${i}]`;
    return leafPaths(c, root + step);
  });
}
const propertyPath = (k: string): string => (/^[A-Za-z_$][\w$]*$/.test(k) ? `.${k}` : `[${JSON.stringify(k)}]`);

/** Demands that two structures be the same. @throws TreeError `tree-mismatch` showing both. */
export function sameStructure(expected: TreeDef, got: TreeDef, what: string): void {
  if (expected.key === got.key) return;
  throw new TreeError({
    code: "tree-mismatch",
    message: `${what}: the pytree structures differ`,
    details: [
      ["expected", expected.key],
      ["got", got.key],
    ],
  });
}

/**
 * Spreads a prefix over a full tree: a leaf of the prefix (anything `isPrefixLeaf` accepts, null included) stands for all
 * leaves below it. @throws TreeError `tree-prefix`.
 */
export function broadcastPrefix<T>(
  prefix: unknown,
  full: TreeDef,
  isPrefixLeaf: (x: unknown) => x is T,
  what: string,
): T[] {
  const out: T[] = [];
  const visit = (p: unknown, d: TreeDef, path: string): void => {
    if (isPrefixLeaf(p)) {
      for (let i = 0; i < d.numLeaves; i++) out.push(p);
      return;
    }
    const [children, kids] = childrenOf(p);
    const { node } = d;
    const fits =
      children !== undefined &&
      (node.kind === "object"
        ? kids !== undefined && kids.length === node.keys.length && node.keys.every((k, i) => kids[i] === k)
        : node.kind === "list" || node.kind === "custom"
          ? kids === undefined && children.length === d.children.length
          : false);
    if (!fits) {
      throw new TreeError({
        code: "tree-prefix",
        message: `${what} is not a prefix of the tree it belongs to${path === "" ? "" : ` at ${path}`}`,
        details: [
          ["given", describeValue(p)],
          ["tree", d.key],
        ],
        hint: "give one value for a whole subtree, or a container of the same keys or length",
      });
    }
    children.forEach((c, i) =>
      visit(c, d.children[i]!, `${path}${node.kind === "object" ? propertyPath(node.keys[i]!) : `[${i}]`}`),
    );
  };
  visit(prefix, full, "");
  if (out.length !== full.numLeaves) throw new InternalError("a prefix was spread wrongly");
  return out;
}

function childrenOf(p: unknown): [children: unknown[] | undefined, keys: string[] | undefined] {
  if (Array.isArray(p)) return [p, undefined];
  if (typeof p !== "object" || p === null) return [undefined, undefined];
  const type = registry.get((p as { constructor: new () => unknown }).constructor);
  if (type) return [[...type.flatten(p as never)[0]], undefined];
  const keys = Object.keys(p).sort();
  return [keys.map((k) => (p as Record<string, unknown>)[k]), keys];
}
