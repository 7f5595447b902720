import { sizeOf } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import type { DeviceTraits } from "../kernel-ir/backend.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { BufferArg, NestKernel, Phase, Statement } from "../kernel-ir/kernel.js";
import { type Expr, load } from "../kernel-ir/scalar.js";
import { Substitution } from "../kernel-ir/substitute.js";
import { Value } from "./graph.js";
import { childrenOf } from "./nest.js";
import { bufferArg, type KernelLaunch } from "./opaque.js";

/** Buffers that a kernel may have which only computes elements. */
export const loopBuffersOf = ({ maxBuffers, loopBuffers = maxBuffers }: DeviceTraits): number => loopBuffers;

/**
 * Launches that do the same with no more buffers each than a device allows: results are written by several kernels, and what
 * one result alone reads too much of is packed first. Products and sorts are left as they are: a product takes no more than
 * it may, and a sort belongs to the backend.
 */
export function limitBuffers(launch: KernelLaunch, traits: DeviceTraits): KernelLaunch[] {
  const { kernel, args } = launch;
  if (kernel.kind !== "nest") return [launch];
  const isLoop = kernel.reduced.length === 0 && !kernel.sequential;
  const most = isLoop ? loopBuffersOf(traits) : traits.maxBuffers;
  if (kernel.buffers.length <= most) return [launch];
  return partitions(kernel, most).flatMap((stores) => packed(part(kernel, args, stores), most));
}

type Store = Extract<Statement, { readonly kind: "store" | "update" }>;
const isStore = (s: Statement): s is Store => s.kind === "store" || s.kind === "update";
const statementsOf = (kernel: NestKernel): Statement[] => kernel.phases.flatMap((p) => [...p.body, ...p.after]);

/** What a store needs of the nest around it. */
interface Needs {
  readonly buffers: ReadonlySet<number>;
  readonly slots: ReadonlySet<number>;
  readonly keeps: ReadonlySet<number>;
}

function needsOf(kernel: NestKernel, stores: readonly Store[]): Needs {
  const buffers = new Set(stores.map((s) => s.buffer));
  const slots = new Set<number>();
  const keeps = new Set<number>();
  const makers = statementsOf(kernel);
  const seen = new Set<Expr>();
  const visit = (e: Expr): void => {
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === "load") buffers.add(e.buffer);
    if (e.kind === "slot" && !slots.has(e.slot)) {
      slots.add(e.slot);
      for (const s of makers) if (s.kind === "accumulate" && s.slot === e.slot) visit(s.value);
    }
    if (e.kind === "keep" && !keeps.has(e.keep)) {
      keeps.add(e.keep);
      for (const s of makers) if (s.kind === "keep" && s.keep === e.keep) visit(s.value);
    }
    for (const c of childrenOf(e)) visit(c);
  };
  for (const s of stores) {
    visit(s.value);
    for (const { atom } of s.index.terms) if (atom.kind === "value") visit(atom.expr);
    if (s.kind === "update" && s.when) visit(s.when);
  }
  return { buffers, slots, keeps };
}

/** The stores of a nest in runs that need no more buffers than allowed, or are single. */
function partitions(kernel: NestKernel, maxBuffers: number): Store[][] {
  const runs: Store[][] = [];
  // statements of a sequential nest see what those before them wrote
  if (kernel.sequential) return [statementsOf(kernel).filter(isStore)];
  for (const s of statementsOf(kernel).filter(isStore)) {
    const run = runs.at(-1);
    if (run && needsOf(kernel, [...run, s]).buffers.size <= maxBuffers) run.push(s);
    else runs.push([s]);
  }
  return runs;
}

/** The part of a nest that some of its stores need. */
function part(kernel: NestKernel, args: readonly Value[], stores: readonly Store[]): NestLaunch {
  const needs = needsOf(kernel, stores);
  const buffers = numbering(needs.buffers);
  const slots = numbering(needs.slots);
  const keeps = numbering(needs.keeps);
  const substitution = new Substitution(
    (_, index) => index,
    (e) =>
      e.kind === "load"
        ? { ...e, buffer: buffers.get(e.buffer)! }
        : e.kind === "slot"
          ? { ...e, slot: slots.get(e.slot)! }
          : e.kind === "keep"
            ? { ...e, keep: keeps.get(e.keep)! }
            : e,
  );
  const written = (s: Statement): Statement[] => {
    if (isStore(s)) return stores.includes(s) ? [renumbered(s, buffers.get(s.buffer)!, substitution)] : [];
    const value = (): Expr => substitution.expr(s.value);
    if (s.kind === "accumulate") return slots.has(s.slot) ? [{ ...s, slot: slots.get(s.slot)!, value: value() }] : [];
    return keeps.has(s.keep) ? [{ ...s, keep: keeps.get(s.keep)!, value: value() }] : [];
  };
  const phases = kernel.phases
    .map((p): Phase => ({ body: p.body.flatMap(written), after: p.after.flatMap(written) }))
    .filter((p) => p.body.length + p.after.length > 0);
  return {
    kernel: {
      ...kernel,
      buffers: [...buffers.keys()].map((k) => kernel.buffers[k]!),
      slots: [...slots.keys()].map((k) => kernel.slots[k]!),
      keeps: [...keeps.keys()].map((k) => kernel.keeps[k]!),
      phases,
    },
    args: [...buffers.keys()].map((k) => args[k]!),
  };
}

interface NestLaunch {
  readonly kernel: NestKernel;
  readonly args: readonly Value[];
}

/** New numbers for some of the old ones, in their order. */
const numbering = (kept: ReadonlySet<number>): Map<number, number> =>
  new Map([...kept].sort((a, b) => a - b).map((old, k) => [old, k]));

function renumbered(s: Store, buffer: number, substitution: Substitution): Store {
  const index = substitution.index(s.index);
  const value = substitution.expr(s.value);
  return s.kind === "store"
    ? { ...s, buffer, index, value }
    : { ...s, buffer, index, value, when: s.when && substitution.expr(s.when) };
}

const dtypes: Readonly<Record<BufferArg["type"], DType>> = {
  f32: "float32",
  f64: "float64",
  i32: "int32",
  u32: "uint32",
  bool: "bool",
};

/** Copies what a nest reads into fewer buffers, one for each type: the shortest first, and no more than necessary. */
function packed({ kernel, args }: NestLaunch, maxBuffers: number): KernelLaunch[] {
  let excess = kernel.buffers.length - maxBuffers;
  if (excess <= 0) return [{ kernel, args }];
  const launches: KernelLaunch[] = [];
  const replaced = new Map<number, { readonly pack: Value; readonly offset: number }>();
  const reads = [...kernel.buffers.keys()].filter((k) => kernel.buffers[k]!.access === "read");
  const byType = new Map<BufferArg["type"], number[]>();
  for (const k of reads) byType.set(kernel.buffers[k]!.type, [...(byType.get(kernel.buffers[k]!.type) ?? []), k]);
  for (const [type, list] of [...byType].sort((a, b) => b[1].length - a[1].length)) {
    if (excess <= 0 || list.length < 2) continue;
    const chosen = list.sort((a, b) => kernel.buffers[a]!.length - kernel.buffers[b]!.length).slice(0, excess + 1);
    excess -= chosen.length - 1;
    const total = chosen.reduce((n, k) => n + kernel.buffers[k]!.length, 0);
    const pack = new Value({ shape: [total], dtype: dtypes[type], weakType: false }, undefined, 0);
    pack.stored = true;
    let offset = 0;
    for (const k of chosen) {
      replaced.set(k, { pack, offset });
      launches.push(copyInto(pack, offset, args[k]!, kernel.buffers[k]!));
      offset += kernel.buffers[k]!.length;
    }
  }
  const kept = [...kernel.buffers.keys()].filter((k) => !replaced.has(k));
  const packs = [...new Set([...replaced.values()].map((r) => r.pack))];
  const number = new Map(kept.map((old, k) => [old, k]));
  const substitution = new Substitution(
    (_, index) => index,
    (e) => {
      if (e.kind !== "load") return e;
      const r = replaced.get(e.buffer);
      if (!r) return { ...e, buffer: number.get(e.buffer)! };
      return load(e.type, kept.length + packs.indexOf(r.pack), ix.addConst(e.index, r.offset));
    },
  );
  const written = (s: Statement): Statement =>
    isStore(s)
      ? renumbered(s, number.get(s.buffer)!, substitution)
      : ({ ...s, value: substitution.expr(s.value) } as Statement);
  launches.push({
    kernel: {
      ...kernel,
      buffers: [...kept.map((k) => kernel.buffers[k]!), ...packs.map((v) => bufferArg(v, "read"))],
      phases: kernel.phases.map((p) => ({ body: p.body.map(written), after: p.after.map(written) })),
    },
    args: [...kept.map((k) => args[k]!), ...packs],
  });
  return launches;
}

/** A part of a pack that is another value. */
function copyInto(pack: Value, offset: number, from: Value, { type, length }: BufferArg): KernelLaunch {
  const axis = ix.axisIndex(0, length);
  const kernel: NestKernel = {
    kind: "nest",
    name: "pack",
    buffers: [
      { type, access: "read", length },
      { type, access: "write", length: sizeOf(pack.aval.shape) },
    ],
    parallel: [length],
    reduced: [],
    sequential: false,
    slots: [],
    keeps: [],
    phases: [
      { body: [{ kind: "store", buffer: 1, index: ix.addConst(axis, offset), value: load(type, 0, axis) }], after: [] },
    ],
  };
  return { kernel, args: [from, pack] };
}
