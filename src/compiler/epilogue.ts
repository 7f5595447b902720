import type { DeviceTraits } from "../kernel-ir/backend.js";
import { elementType } from "../kernel-ir/element-type.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { BufferArg, NestKernel, Statement } from "../kernel-ir/kernel.js";
import { simplify } from "../kernel-ir/rewrite.js";
import { type Expr, load } from "../kernel-ir/scalar.js";
import { Substitution } from "../kernel-ir/substitute.js";
import type { Cluster, Member } from "./cluster.js";
import type { Value } from "./graph.js";
import { childrenOf } from "./nest.js";
import { bufferArg, type KernelLaunch } from "./opaque.js";

/** What a product's kernel does with each sum, and the buffers for it, from number 2 on. */
export interface Epilogue {
  readonly statements: readonly Statement[];
  readonly buffers: readonly BufferArg[];
  readonly args: readonly Value[];
}

/** Buffers 0 and 1 of a product are its operands. */
const operands = 2;

/** What is stored of a product's cluster, shared out between the product's kernel and one after it that reads the product. */
export interface EpilogueParts {
  readonly epilogue: Epilogue | undefined;
  readonly after: KernelLaunch | undefined;
}

/**
 * What a product's kernel does with its sums, for a domain of `extents` (batch axes, rows, columns): all that is stored, or
 * as much as its buffers allow. No epilogue: the sums are stored as they are.
 */
export function epilogueParts(cluster: Cluster, extents: readonly number[], traits: DeviceTraits): EpilogueParts {
  const stored = storedIn(cluster);
  const product = stored.filter(([v]) => v === cluster.product);
  const others = stored.filter(([v]) => v !== cluster.product);
  if (others.length === 0) return { epilogue: undefined, after: undefined };
  const { maxBuffers, dotEpilogue } = traits;
  if (!dotEpilogue && product.length > 0) return { epilogue: undefined, after: epilogueNest(cluster, others) };
  const fits = (e: Epilogue): boolean => e.buffers.length + operands <= maxBuffers;
  const whole = epilogueOf(cluster, extents, stored);
  if (fits(whole)) return { epilogue: whole, after: undefined };
  // a kernel after it takes the rest, and needs the product for that
  const sums: Stored[] = product.length > 0 ? product : [[cluster.product!, cluster.members.get(cluster.product!)!]];
  let epilogue: Epilogue | undefined;
  const rest: Stored[] = [];
  const taken = [...sums];
  for (const s of others) {
    const larger = epilogueOf(cluster, extents, [...taken, s]);
    if (fits(larger)) {
      epilogue = larger;
      taken.push(s);
    } else rest.push(s);
  }
  return { epilogue, after: epilogueNest(cluster, rest) };
}

type Stored = readonly [Value, Member];

/** The epilogue that stores some values. The first buffer is that of one of the product's type, if there is one. */
function epilogueOf(cluster: Cluster, extents: readonly number[], list: readonly Stored[]): Epilogue {
  const stored = [...list];
  const type = elementType(cluster.product!.aval);
  const first = Math.max(
    0,
    stored.findIndex(([v]) => elementType(v.aval) === type),
  );
  stored.unshift(...stored.splice(first, 1));
  const axes = [...extents.keys()].filter((k) => extents[k] !== 1);
  const placed = new Substitution((k, index) => ix.axisIndex(axes[k]!, index.hi + 1));
  const values = stored.map(([, { expr }]) => simplify(placed.expr(expr)));
  const read = loadedIn(values);
  const reads = [...cluster.reads].filter(([, k]) => read.has(k)).map(([v]) => v);
  const numbers = new Map(reads.map((v, k) => [cluster.reads.get(v)!, operands + stored.length + k]));
  const renumbered = renumber(numbers);
  return {
    statements: stored.map(([, { place }], k) => ({
      kind: "store",
      buffer: operands + k,
      index: placed.index(place),
      value: renumbered.expr(values[k]!),
    })),
    buffers: [...stored.map(([v]) => bufferArg(v, "write")), ...reads.map((v) => bufferArg(v, "read"))],
    args: [...stored.map(([v]) => v), ...reads],
  };
}

/** A kernel that stores some values of a product's cluster, and reads the product from memory. */
function epilogueNest(cluster: Cluster, stored: readonly Stored[]): KernelLaunch {
  const product = cluster.product!;
  const type = elementType(product.aval);
  const reads = [...cluster.reads.keys(), product];
  const sum = load(type, reads.length - 1, cluster.members.get(product)!.place);
  const loaded = new Substitution(
    (_, i) => i,
    (e) => (e.kind === "slot" ? sum : e),
  );
  const kernel: NestKernel = {
    kind: "nest",
    name: clusterName(cluster),
    buffers: [...reads.map((v) => bufferArg(v, "read")), ...stored.map(([v]) => bufferArg(v, "write"))],
    parallel: cluster.dims,
    reduced: [],
    sequential: false,
    slots: [],
    keeps: [],
    phases: [
      {
        body: stored.map(([, { expr, place }], k) => ({
          kind: "store",
          buffer: reads.length + k,
          index: place,
          value: simplify(loaded.expr(expr)),
        })),
        after: [],
      },
    ],
  };
  return { kernel, args: [...reads, ...stored.map(([v]) => v)] };
}

const storedIn = (cluster: Cluster): Stored[] => [...cluster.members].filter(([v]) => v.stored);

/** A kernel is named after the operations in it. */
export function clusterName(c: Cluster): string {
  const names = [...new Set([...c.members.keys()].map((v) => v.op!.name))];
  return names.length > 4 ? `${names.slice(0, 3).join("_")}_and_${names.length - 3}_more` : names.join("_");
}

/** The numbers of the buffers that expressions load. */
function loadedIn(roots: Iterable<Expr>): Set<number> {
  const buffers = new Set<number>();
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === "load") buffers.add(e.buffer);
    for (const c of childrenOf(e)) visit(c);
  };
  for (const e of roots) visit(e);
  return buffers;
}

/** Gives loads other buffer numbers. */
export const renumber = (numbers: ReadonlyMap<number, number>): Substitution =>
  new Substitution(
    (_, index) => index,
    (e) => (e.kind === "load" ? { ...e, buffer: numbers.get(e.buffer)! } : e),
  );
