import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import * as tsax from "../../src/index.js";
import type { NDArray } from "../../src/index.js";
import { type Canonical, canonicalize } from "./canonical.js";
import { difference } from "./compare.js";
import { decode, isArray, isInexact, isLeaf, type Leaf, leavesOf, type Tolerance, withLeaves } from "./encoding.js";
import { methods } from "./methods.js";
import { readResult } from "./result.js";

export const modes = ["plain", "jit", "vjp", "jvp", "vmap"] as const;
export type Mode = (typeof modes)[number];

/** One call of one function with what JAX 0.10.2 gave for it, directly and transformed. */
export interface Case {
  readonly id: string;
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly opts?: Readonly<Record<string, unknown>>;
  readonly out: unknown;
  readonly tol?: Tolerance;
  readonly tags: readonly string[];
  /** False where JAX cannot jit the call. */
  readonly jit?: boolean;
  readonly post?: Canonical;
  readonly vjp?: { readonly cts: readonly Leaf[]; readonly grads: readonly Leaf[]; readonly tol?: Tolerance };
  readonly jvp?: { readonly tangents: readonly Leaf[]; readonly out: readonly Leaf[]; readonly tol?: Tolerance };
  readonly vmap?: {
    readonly args: readonly (Leaf | null)[];
    readonly inAxes: readonly (number | null)[];
    readonly out: unknown;
    readonly tol?: Tolerance;
  };
}

export function loadCases(name: string): Case[] {
  const text = gunzipSync(readFileSync(new URL(`data/${name}.jsonl.gz`, import.meta.url))).toString();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Case);
}

type AnyFunction = (...args: unknown[]) => unknown;

/** A public function or a method by its path, with or without the underscore that keeps a name from being a keyword. */
export function findFunction(path: string): AnyFunction | undefined {
  if (path in methods) return methods[path] as AnyFunction;
  let found: unknown = tsax;
  for (const name of path.split(".")) {
    const space = (found ?? {}) as Readonly<Record<string, unknown>>;
    found = space[name] ?? space[`${name}_`] ?? space[name.replace(/_$/, "")];
  }
  return typeof found === "function" ? (found as AnyFunction) : undefined;
}

const inputs = (c: Case): Leaf[] => leavesOf([c.args, c.opts ?? null]);

/** The dtypes of all arrays that a case has to do with. */
export function dtypesOf(c: Case): ReadonlySet<string> {
  const leaves = leavesOf([c.args, c.opts ?? null, c.out]);
  return new Set(leaves.flatMap((leaf) => (isArray(leaf) ? [leaf.a] : [])));
}

export function modesOf(c: Case): Mode[] {
  return modes.filter((mode) => {
    if (mode === "plain") return true;
    return mode === "jit" ? c.jit !== false && inputs(c).length > 0 : c[mode] !== undefined;
  });
}

const listOf = (x: unknown): readonly unknown[] => (Array.isArray(x) ? x : [x]);
const oneOrList = <T>(xs: readonly T[]): T | readonly T[] => (xs.length === 1 ? xs[0]! : xs);

/** The leaves of a result that are float or complex arrays where `expected` has such; itself if there is only one. */
function inexactResults(expected: unknown, result: unknown): unknown {
  const found: unknown[] = [];
  const visit = (e: unknown, x: unknown): void => {
    if (isLeaf(e)) {
      if (isArray(e) && isInexact(e.a)) found.push(x);
    } else if (Array.isArray(e)) {
      const entries = Array.isArray(x) ? x : Object.values(x as object);
      e.forEach((entry, i) => visit(entry, entries[i]));
    } else if (typeof e === "object" && e !== null) {
      for (const [name, entry] of Object.entries(e)) visit(entry, (x as Record<string, unknown>)[name]);
    }
  };
  visit(expected, result);
  return oneOrList(found);
}

/** Runs a case in one mode: what came, what JAX has, and the tolerance. */
function evaluate(c: Case, f: AnyFunction, mode: Mode): [got: unknown, expected: unknown, tol: Tolerance | undefined] {
  const leaves = inputs(c);
  const call = (...arrays: NDArray[]): unknown => {
    const next = arrays.values();
    const args = withLeaves(c.args, next) as unknown[];
    return c.opts === undefined ? f(...args) : f(...args, withLeaves(c.opts, next));
  };
  const decoded = (): NDArray[] => leaves.map(decode);
  if (mode === "plain") return [call(...decoded()), c.out, c.tol];
  if (mode === "jit") return [tsax.jit(call)(...decoded()), c.out, c.tol];
  if (mode === "vmap") {
    const { args, inAxes, out, tol } = c.vmap!;
    const arrays = args.map((leaf, i) => decode(leaf ?? leaves[i]!));
    return [tsax.vmap(call, { inAxes })(...arrays), out, tol];
  }
  // Derivatives are taken with respect to float and complex leaves; the others are constants.
  const moving = leaves.flatMap((leaf, i) => (isArray(leaf) && isInexact(leaf.a) ? [i] : []));
  const constants = decoded();
  const differentiated = (...arrays: NDArray[]): unknown => {
    const all = [...constants];
    moving.forEach((k, i) => (all[k] = arrays[i]!));
    return inexactResults(c.out, call(...all));
  };
  const primals = moving.map((i) => decode(leaves[i]!));
  if (mode === "jvp") {
    const { tangents, out, tol } = c.jvp!;
    return [listOf(tsax.jvp(differentiated, primals, tangents.map(decode))[1]), out, tol];
  }
  const { cts, grads, tol } = c.vjp!;
  const [, pull] = tsax.vjp(differentiated, ...primals);
  return [pull(oneOrList(cts.map(decode))), grads, tol];
}

/** Runs a case in one mode on the default device and says what is wrong; undefined where nothing is. */
export async function failure(c: Case, f: AnyFunction, mode: Mode): Promise<string | undefined> {
  try {
    const [got, expected, tol] = evaluate(c, f, mode);
    const result = await readResult(got);
    if (c.post !== undefined && (mode === "plain" || mode === "jit" || mode === "vmap")) canonicalize(c.post, result);
    return difference(expected, result, { tol, signedZeros: c.tags.includes("negzero") });
  } catch (e) {
    return `threw ${e instanceof Error ? e.message : String(e)}`;
  }
}
