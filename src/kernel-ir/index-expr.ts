import type { Expr } from "./scalar.js";

/**
 * Index expressions: quasi-affine in a kernel's axes.
 *
 *   index ::= base + Σ coeff · atom
 *   atom  ::= axis(k) | floordiv(index, d) | mod(index, d) | clamp(index, lo, hi) | value(expr)
 *
 * Canonical by construction: terms are sorted by the atom's key, coefficients nonzero, and every index knows its range
 * [lo, hi] (inclusive), so that div and mod by more than the range vanish. `value` is loaded from memory (an opaque i32).
 * Numbers are `Dim`s: constants, or parameters of the kernel that are known when it runs (kernels of eager operations).
 */
export interface Index {
  readonly base: number;
  readonly terms: readonly Term[];
  readonly lo: number;
  readonly hi: number;
  /** Structural key: equal keys, equal indices. */
  readonly key: string;
}
export interface Term {
  readonly coeff: number;
  readonly atom: Atom;
}
export type Atom =
  | { readonly kind: "axis"; readonly axis: number; readonly lo: number; readonly hi: number; readonly key: string }
  | {
      readonly kind: "div" | "mod";
      readonly x: Index;
      readonly d: number;
      readonly lo: number;
      readonly hi: number;
      readonly key: string;
    }
  | { readonly kind: "clamp"; readonly x: Index; readonly lo: number; readonly hi: number; readonly key: string }
  | { readonly kind: "value"; readonly expr: Expr; readonly lo: number; readonly hi: number; readonly key: string };

function make(base: number, terms: readonly Term[]): Index {
  let lo = base;
  let hi = base;
  let key = "";
  for (const { coeff, atom } of terms) {
    lo += coeff > 0 ? coeff * atom.lo : coeff * atom.hi;
    hi += coeff > 0 ? coeff * atom.hi : coeff * atom.lo;
    key += `${coeff}*${atom.key}+`;
  }
  // + 0: products with negative coefficients make −0 of 0.
  return { base: base + 0, terms, lo: lo + 0, hi: hi + 0, key: key + base };
}

export const lit = (n: number): Index => make(n, []);
export const isLit = (i: Index): boolean => i.terms.length === 0;

const fromAtom = (atom: Atom): Index => make(0, [{ coeff: 1, atom }]);

/** Axis `axis` of the kernel, running over [0, extent). An axis of extent 1 is the constant 0. */
export function axisIndex(axis: number, extent: number): Index {
  if (extent === 1) return lit(0);
  return fromAtom({ kind: "axis", axis, lo: 0, hi: Math.max(0, extent - 1), key: `a${axis}` });
}

export function add(a: Index, b: Index): Index {
  if (isLit(a) && a.base === 0) return b;
  if (isLit(b) && b.base === 0) return a;
  const terms: Term[] = [];
  let i = 0;
  let j = 0;
  while (i < a.terms.length || j < b.terms.length) {
    const s = a.terms[i];
    const t = b.terms[j];
    if (s && t && s.atom.key === t.atom.key) {
      if (s.coeff + t.coeff !== 0) terms.push({ coeff: s.coeff + t.coeff, atom: s.atom });
      i++;
      j++;
    } else if (s && (!t || s.atom.key < t.atom.key)) {
      terms.push(s);
      i++;
    } else {
      terms.push(t!);
      j++;
    }
  }
  return recombine(make(a.base + b.base, terms));
}

type DivMod = Extract<Atom, { kind: "div" | "mod" }>;
/** The atom of an index that is just that. */
const soleAtom = (i: Index): Atom | undefined =>
  i.base === 0 && i.terms.length === 1 && i.terms[0]!.coeff === 1 ? i.terms[0]!.atom : undefined;

/** What `mod` (x mod d) and d times `quotient` are together; undefined where the quotient is not x / d. */
function wholeOf(mod: DivMod, quotient: DivMod): Index | undefined {
  const { x, d } = mod;
  if (quotient.d === d && quotient.x.key === x.key) return x;
  // (y / a) mod d with y / (a·d)
  const inner = soleAtom(x);
  if (inner?.kind === "div" && quotient.d === inner.d * d && quotient.x.key === inner.x.key) return x;
  // x mod d with (x mod a·d) / d
  const outer = soleAtom(quotient.x);
  if (outer?.kind === "mod" && quotient.d === d && outer.d % d === 0 && outer.x.key === x.key) return quotient.x;
  return undefined;
}

/** Joins c·(x mod d) + c·d·(x / d) to c·x: what a reshape took apart, another puts together. */
function recombine(i: Index): Index {
  for (const m of i.terms) {
    if (m.atom.kind !== "mod") continue;
    for (const q of i.terms) {
      if (q.atom.kind !== "div" || q.coeff !== m.coeff * m.atom.d) continue;
      const whole = wholeOf(m.atom as DivMod, q.atom as DivMod);
      if (whole === undefined) continue;
      const rest = make(
        i.base,
        i.terms.filter((t) => t !== m && t !== q),
      );
      return add(rest, scale(whole, m.coeff));
    }
  }
  return i;
}

export function scale(a: Index, c: number): Index {
  if (c === 1) return a;
  if (c === 0) return lit(0);
  return make(
    a.base * c,
    a.terms.map((t) => ({ coeff: t.coeff * c, atom: t.atom })),
  );
}

export const addConst = (a: Index, c: number): Index => (c === 0 ? a : make(a.base + c, a.terms));
export const sub = (a: Index, b: Index): Index => add(a, scale(b, -1));

/** Splits x into d·q + r where q is exact and every term of r is no multiple of d. */
function splitMultiples(x: Index, d: number): [q: Index, r: Index] {
  const q: Term[] = [];
  const r: Term[] = [];
  for (const t of x.terms) {
    if (t.coeff % d === 0) q.push({ coeff: t.coeff / d, atom: t.atom });
    else r.push(t);
  }
  const baseQ = Math.floor(x.base / d);
  return [make(baseQ, q), make(x.base - baseQ * d, r)];
}

/** floor(x / d) for d > 0. */
export function div(x: Index, d: number): Index {
  if (d === 1) return x;
  if (isLit(x)) return lit(Math.floor(x.base / d));
  const [q, r] = splitMultiples(x, d);
  const k = Math.floor(r.lo / d);
  if (k === Math.floor(r.hi / d)) return addConst(q, k);
  const only = r.terms.length === 1 && r.base === 0 ? r.terms[0]! : undefined;
  // floordiv(floordiv(y, a), d) = floordiv(y, a·d)
  if (only?.coeff === 1 && only.atom.kind === "div") return add(q, div(only.atom.x, only.atom.d * d));
  const g = r.terms.reduce((acc, t) => gcd(acc, Math.abs(t.coeff)), d);
  if (g > 1) {
    // every coefficient and d share g: the base's remainder below g never carries
    const reduced = make(
      Math.floor(r.base / g),
      r.terms.map((t) => ({ coeff: t.coeff / g, atom: t.atom })),
    );
    return add(q, div(reduced, d / g));
  }
  return add(
    q,
    fromAtom({ kind: "div", x: r, d, lo: Math.floor(r.lo / d), hi: Math.floor(r.hi / d), key: `(${r.key})/${d}` }),
  );
}

/** x − d·floor(x / d) for d > 0. */
export function mod(x: Index, d: number): Index {
  if (d === 1) return lit(0);
  if (isLit(x)) return lit(x.base - d * Math.floor(x.base / d));
  const [, r] = splitMultiples(x, d);
  const k = Math.floor(r.lo / d);
  if (k === Math.floor(r.hi / d)) return addConst(r, -k * d);
  const only = r.terms.length === 1 && r.base === 0 ? r.terms[0]! : undefined;
  // mod(mod(y, a·d), d) = mod(y, d)
  if (only?.coeff === 1 && only.atom.kind === "mod" && only.atom.d % d === 0) return mod(only.atom.x, d);
  const g = r.terms.reduce((acc, t) => gcd(acc, Math.abs(t.coeff)), d);
  if (g > 1) {
    const rest = r.base - g * Math.floor(r.base / g);
    const reduced = make(
      Math.floor(r.base / g),
      r.terms.map((t) => ({ coeff: t.coeff / g, atom: t.atom })),
    );
    return addConst(scale(mod(reduced, d / g), g), rest);
  }
  return fromAtom({ kind: "mod", x: r, d, lo: 0, hi: d - 1, key: `(${r.key})%${d}` });
}

/** min(max(x, lo), hi). */
export function clamp(x: Index, lo: number, hi: number): Index {
  if (isLit(x)) return lit(Math.min(Math.max(x.base, lo), hi));
  if (x.lo >= lo && x.hi <= hi) return x;
  if (x.hi <= lo) return lit(lo);
  if (x.lo >= hi) return lit(hi);
  return fromAtom({
    kind: "clamp",
    x,
    lo: Math.max(lo, Math.min(x.lo, hi)),
    hi: Math.min(hi, Math.max(x.hi, lo)),
    key: `clamp(${x.key},${lo},${hi})`,
  });
}

let opaqueValues = 0;
const valueKeys = new WeakMap<Expr, string>();
/** An index loaded or computed at run time; the caller promises that it lies in [lo, hi] (clamp it where it may not). */
export function valueIndex(expr: Expr, lo: number, hi: number): Index {
  let key = valueKeys.get(expr);
  if (key === undefined) valueKeys.set(expr, (key = `v${opaqueValues++}`));
  return fromAtom({ kind: "value", expr, lo, hi, key });
}

/** Row-major flat index of a point: Σ indices[k]·strides[k]. */
export function flatten(indices: readonly Index[], strides: readonly number[]): Index {
  let out = lit(0);
  for (let k = 0; k < indices.length; k++) out = add(out, scale(indices[k]!, strides[k]!));
  return out;
}

/** The coordinates of a flat index in a row-major shape. */
export function unflatten(flat: Index, shape: readonly number[]): Index[] {
  const out = new Array<Index>(shape.length);
  let stride = 1;
  for (let k = shape.length - 1; k >= 0; k--) {
    const q = div(flat, stride);
    out[k] = k === 0 ? q : mod(q, Math.max(1, shape[k]!));
    // An empty shape has no points: any index will do for them.
    stride *= Math.max(1, shape[k]!);
  }
  return out;
}

/** Coefficient of an axis where the index is affine in it; undefined where the axis hides inside div, mod, clamp or a value. */
export function coefficient(i: Index, axis: number): number | undefined {
  let c = 0;
  for (const { coeff, atom } of i.terms) {
    if (atom.kind === "axis") {
      if (atom.axis === axis) c += coeff;
    } else if (dependsOn(atom, axis)) return undefined;
  }
  return c;
}

function dependsOn(atom: Atom, axis: number): boolean {
  switch (atom.kind) {
    case "axis":
      return atom.axis === axis;
    case "value":
      return exprDependsOn(atom.expr, axis);
    default:
      return indexDependsOn(atom.x, axis);
  }
}
/**
 * An index with others in the place of its axes and of the values that it holds; `inner` does the same for the indices within it.
 */
export function mapIndex(
  i: Index,
  axis: (k: number, index: Index) => Index,
  value: (e: Expr, lo: number, hi: number) => Index,
  inner = (x: Index): Index => mapIndex(x, axis, value),
): Index {
  const mapped = (a: Atom): Index => {
    switch (a.kind) {
      case "axis":
        return axis(a.axis, axisIndex(a.axis, a.hi + 1));
      case "div":
        return div(inner(a.x), a.d);
      case "mod":
        return mod(inner(a.x), a.d);
      case "clamp":
        return clamp(inner(a.x), a.lo, a.hi);
      case "value":
        return value(a.expr, a.lo, a.hi);
    }
  };
  let out = lit(i.base);
  for (const { coeff, atom } of i.terms) out = add(out, scale(mapped(atom), coeff));
  return out;
}

export const indexDependsOn = (i: Index, axis: number): boolean => i.terms.some((t) => dependsOn(t.atom, axis));

function exprDependsOn(e: Expr, axis: number): boolean {
  switch (e.kind) {
    case "const":
      return false;
    case "index":
    case "load":
      return indexDependsOn(e.index, axis);
    case "op":
      return e.args.some((a) => exprDependsOn(a, axis));
    case "slot":
    case "keep":
      // values of a row: they change with its axes
      return true;
  }
}

function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}
