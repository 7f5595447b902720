import type { Aval, Shape } from "../core/aval.js";
import type { Extents } from "../core/primitive.js";

/** Runs of adjacent axes that an operation treats alike, each as one axis; axes of length 1 are left out. */
interface Runs<R> {
  readonly roles: readonly R[];
  readonly sizes: readonly number[];
}

function runs<R>(shape: Shape, role: (axis: number) => R, joins: (before: R, next: R) => boolean): Runs<R> | null {
  const roles: R[] = [];
  const sizes: number[] = [];
  let last: R | undefined;
  for (let k = 0; k < shape.length; k++) {
    const n = shape[k]!;
    if (n === 0) return null;
    if (n === 1) continue;
    const own = role(k);
    if (last !== undefined && joins(last, own)) sizes[sizes.length - 1]! *= n;
    else {
      roles.push(own);
      sizes.push(n);
    }
    last = own;
  }
  return { roles, sizes };
}

const same = (a: unknown, b: unknown): boolean => a === b;
const placesOf = (roles: readonly boolean[], role: boolean): number[] =>
  roles.flatMap((r, k) => (r === role ? [k] : []));

/** Of a reduction: which axes stay and which vanish. */
export function reduceExtents({ axes }: { readonly axes: readonly number[] }, { shape }: Aval): Extents | null {
  const found = runs(shape, (k) => axes.includes(k), same);
  if (!found || !found.roles.includes(true)) return null;
  const params = { axes: placesOf(found.roles, true) };
  return { pattern: found.roles.map(Number).join(""), sizes: found.sizes, at: (sizes) => ({ shape: sizes, params }) };
}

interface BroadcastParams {
  readonly shape: Shape;
  readonly dims: readonly number[];
}

/** Of a broadcast: which axes of the result the operand has. */
export function broadcastExtents({ shape, dims }: BroadcastParams, x: Aval): Extents | null {
  const has = (axis: number): boolean => {
    const k = dims.indexOf(axis);
    return k >= 0 && x.shape[k] !== 1;
  };
  const found = runs(shape, has, same);
  if (!found || !found.roles.includes(false)) return null;
  const own = placesOf(found.roles, true);
  return {
    pattern: found.roles.map(Number).join(""),
    sizes: found.sizes,
    at: (sizes) => ({ shape: own.map((k) => sizes[k]!), params: { shape: sizes, dims: own } }),
  };
}

/** Of a transposition: the order of the runs of axes that stay together. */
export function transposeExtents({ perm }: { readonly perm: readonly number[] }, x: Aval): Extents | null {
  const shape = perm.map((k) => x.shape[k]!);
  // of the operand's axes, those of length 1 do not come between others
  const live = x.shape.map((_, k) => x.shape.slice(0, k).filter((n) => n !== 1).length);
  const found = runs(
    shape,
    (k) => live[perm[k]!]!,
    (before, next) => next === before + 1,
  );
  if (!found) return null;
  // roles are the operand's first axes of each run: their order is the permutation
  const order = [...found.roles.keys()].sort((a, b) => found.roles[a]! - found.roles[b]!);
  const canonical = found.roles.map((_, k) => order.indexOf(k));
  return {
    pattern: canonical.join(),
    sizes: order.map((k) => found.sizes[k]!),
    at: (sizes) => ({ shape: sizes, params: { perm: canonical } }),
  };
}
