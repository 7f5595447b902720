import type { DeviceTraits } from "../kernel-ir/backend.js";
import type { Kernel, Phase, Statement } from "../kernel-ir/kernel.js";
import type { BufferRef, Slices, Step } from "../kernel-ir/program.js";
import type { Expr } from "../kernel-ir/scalar.js";
import { coalesce, readersFirst } from "./copies.js";
import { bytesOf, type Value } from "./graph.js";
import { childrenOf } from "./nest.js";
import { type PlannedStep, readsOf, writesOf } from "./steps.js";

export interface Plan {
  readonly steps: readonly Step[];
  readonly arenaBytes: number;
  readonly outputReusesInput: readonly (number | null)[];
}

/** The inputs whose storage an output may take over, by number. */
export type Donation = (output: number) => readonly number[];

/**
 * Gives every value a place: outputs their own, temporaries one in the arena, from the step that first writes them to the
 * last that reads them. A kernel may write a value over one that it reads for the last time if it reads every element only
 * where it writes it.
 */
export function plan(
  given: readonly PlannedStep[],
  inputs: readonly Value[],
  results: readonly Value[],
  donated: Donation,
  { arenaAlignment: alignment, dearLaunches }: DeviceTraits,
): Plan {
  const { steps, values: outputs } = coalesce(readersFirst(given), inputs, results);
  const align = (bytes: number): number => Math.ceil(bytes / alignment) * alignment;
  const refs = new Map<Value, BufferRef>();
  inputs.forEach((v, index) => refs.set(v, { kind: "input", index }));
  outputs.forEach((v, index) => {
    if (!refs.has(v)) refs.set(v, { kind: "output", index });
  });
  const lastUse = new Map<Value, number>();
  const firstWrite = new Map<Value, number>();
  steps.forEach((s, i) => {
    for (const v of readsOf(s)) lastUse.set(v, i);
    for (const v of writesOf(s)) {
      lastUse.set(v, Math.max(i, lastUse.get(v) ?? 0));
      if (!firstWrite.has(v)) firstWrite.set(v, i);
    }
  });
  const arena = new Arena();
  const sizes = new Map<Value, number>();
  const reuses: (number | null)[] = outputs.map(() => null);
  const takenInputs = new Set<number>();
  const isOutput = new Set(outputs);
  const done: Step[] = steps.map((s, i) => {
    const freed = new Set<Value>();
    for (const w of writesOf(s)) {
      const ref = refs.get(w);
      if (ref?.kind === "output" && reuses[ref.index] === null && firstWrite.get(w) === i) {
        const source = donated(ref.index).find((k) => {
          const v = inputs[k]!;
          const last = lastUse.get(v) ?? -1;
          return (
            !takenInputs.has(k) &&
            !isOutput.has(v) &&
            v.aval.dtype === w.aval.dtype &&
            bytesOf(v.aval) === bytesOf(w.aval) &&
            (last < i || (last === i && (copies(s, v, w) || overwritable(s, v, w, dearLaunches))))
          );
        });
        if (source !== undefined) {
          takenInputs.add(source);
          reuses[ref.index] = source;
        }
      }
      if (ref) continue;
      const bytes = align(bytesOf(w.aval));
      const over = readsOf(s).find(
        (r) =>
          sizes.get(r) === bytes &&
          lastUse.get(r) === i &&
          !freed.has(r) &&
          bytesOf(r.aval) === bytesOf(w.aval) &&
          overwritable(s, r, w, dearLaunches),
      );
      if (over) {
        freed.add(over);
        refs.set(w, refs.get(over)!);
      } else refs.set(w, { kind: "arena", offset: arena.allocate(bytes) });
      sizes.set(w, bytes);
    }
    const step = resolve(s, refs);
    for (const v of new Set([...readsOf(s), ...writesOf(s)])) {
      const ref = refs.get(v);
      if (ref?.kind === "arena" && lastUse.get(v) === i && !freed.has(v)) arena.free(ref.offset, sizes.get(v)!);
    }
    return step;
  });
  return { steps: done, arenaBytes: arena.size, outputReusesInput: reuses };
}

const copies = (s: PlannedStep, from: Value, to: Value): boolean => s.kind === "copy" && s.from === from && s.to === to;

function resolve(s: PlannedStep, refs: ReadonlyMap<Value, BufferRef>): Step {
  // what has no elements is written by nobody
  const at = (v: Value): BufferRef => refs.get(v) ?? { kind: "arena", offset: 0 };
  switch (s.kind) {
    case "launch":
      return { kind: "launch", kernel: s.number, args: s.args.map(at) };
    case "call":
      return { kind: "call", fn: s.fn, inputs: s.inputs.map(at), outputs: s.outputs.map(at) };
    case "callback":
      return { ...s, inputs: s.inputs.map(at), outputs: s.outputs.map(at) };
    case "copy":
      return { kind: "copy", from: at(s.from), to: at(s.to), bytes: bytesOf(s.from.aval) };
    case "if":
      return { ...s, index: at(s.index), inputs: s.inputs.map(at), outputs: s.outputs.map(at) };
    case "loop":
      return { ...s, consts: s.consts.map(at), state: s.state.map(at) };
    case "scan": {
      const slices = (v: Value): Slices => ({ ref: at(v), stride: s.length === 0 ? 0 : bytesOf(v.aval) / s.length });
      const { consts, carry, xs, ys } = s;
      return { ...s, consts: consts.map(at), carry: carry.map(at), xs: xs.map(slices), ys: ys.map(slices) };
    }
  }
}

/**
 * Whether a launch may write `w` over `r`: it reads an element of `r` only at the point at which it writes that of `w`.
 * `afterRows`: also where both is done once a row, when its elements are done.
 */
function overwritable(s: PlannedStep, r: Value, w: Value, afterRows: boolean): boolean {
  if (s.kind !== "launch") return false;
  const { kernel, args } = s;
  const phase = onePhase(kernel);
  if (!phase) return false;
  if (args.filter((v) => v === r).length !== 1 || args.filter((v) => v === w).length !== 1) return false;
  const from = args.indexOf(r);
  const to = args.indexOf(w);
  // a product reads its operands at all points
  if (kernel.kind === "dot" && from < 2) return false;
  const storesIn = (list: readonly Statement[]) => list.find((x) => x.kind === "store" && x.buffer === to);
  const store = storesIn(phase.body);
  const later = afterRows && !store ? storesIn(phase.after) : undefined;
  const place = store ? placeOf(store) : later ? afterwards(placeOf(later)) : undefined;
  if (place === undefined) return false;
  const places = readPlaces(kernel, phase).get(from);
  return places === undefined || (places.size === 1 && places.has(place));
}

const placeOf = (s: Statement): string | undefined => (s.kind === "store" ? s.index.key : undefined);
/** A place that is read or written after the elements of a row. */
const afterwards = (key: string | undefined): string => `after ${key}`;

/** What a kernel does whose points read and write once, in no order to other points. */
function onePhase(kernel: Kernel): Phase | undefined {
  if (kernel.kind === "dot") return kernel.epilogue && { body: kernel.epilogue, after: [] };
  if (kernel.kind !== "nest" || kernel.phases.length !== 1) return undefined;
  return kernel.sequential || kernel.slots.some((x) => x.running) ? undefined : kernel.phases[0];
}

const placesOf = new WeakMap<Kernel, ReadonlyMap<number, ReadonlySet<string>>>();

/** Where a kernel reads each of its buffers, as keys of indices. */
function readPlaces(kernel: Kernel, phase: Phase): ReadonlyMap<number, ReadonlySet<string>> {
  const known = placesOf.get(kernel);
  if (known) return known;
  const places = new Map<number, Set<string>>();
  const before = new Set<Expr>();
  const after = new Set<Expr>();
  const visit = (e: Expr, inRow: boolean): void => {
    const seen = inRow ? before : after;
    if (seen.has(e)) return;
    seen.add(e);
    if (e.kind === "load") {
      let set = places.get(e.buffer);
      if (!set) places.set(e.buffer, (set = new Set()));
      set.add(inRow ? e.index.key : afterwards(e.index.key));
    }
    for (const c of childrenOf(e)) visit(c, inRow);
  };
  for (const s of phase.body) visit(s.value, true);
  for (const s of phase.after) visit(s.value, false);
  placesOf.set(kernel, places);
  return places;
}

/** Offsets for temporaries: first fit among the free runs, which are merged as they come back. */
class Arena {
  size = 0;
  private free_: { offset: number; bytes: number }[] = [];

  allocate(bytes: number): number {
    if (bytes === 0) return 0;
    const k = this.free_.findIndex((f) => f.bytes >= bytes);
    if (k >= 0) {
      const run = this.free_[k]!;
      const { offset } = run;
      if (run.bytes === bytes) this.free_.splice(k, 1);
      else this.free_[k] = { offset: offset + bytes, bytes: run.bytes - bytes };
      return offset;
    }
    const last = this.free_.at(-1);
    const offset = last && last.offset + last.bytes === this.size ? last.offset : this.size;
    if (last && offset === last.offset) this.free_.pop();
    this.size = offset + bytes;
    return offset;
  }

  free(offset: number, bytes: number): void {
    if (bytes === 0) return;
    let k = this.free_.findIndex((f) => f.offset > offset);
    if (k < 0) k = this.free_.length;
    this.free_.splice(k, 0, { offset, bytes });
    this.merge(k);
    this.merge(k - 1);
  }

  private merge(k: number): void {
    const a = this.free_[k];
    const b = this.free_[k + 1];
    if (a && b && a.offset + a.bytes === b.offset)
      this.free_.splice(k, 2, { offset: a.offset, bytes: a.bytes + b.bytes });
  }
}
