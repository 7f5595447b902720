import { overwrites } from "./coverage.js";
import {
  argumentAccess,
  type FlatArg,
  type FlatLaunch,
  type Node,
  type Recording,
  renumbered,
  type Run,
  type Slice,
} from "./recording.js";

/**
 * Where an argument of a launch lies. Temporaries are taken out of the program's arena and named: WebGPU refuses a buffer that is
 * bound for reading and for writing in one dispatch even where the ranges are apart, so that they cannot stay in one buffer
 * (binding all of it read_write would make every kernel's code depend on where its operands lie, and cost the caches that
 * read-only memory has). Where each lies is decided anew, in banks (banks.ts).
 */
export type Place = PlaceOf & Pick<FlatArg, "slices" | "bytes">;
type PlaceOf =
  | { readonly kind: "input"; readonly index: number }
  | { readonly kind: "output"; readonly index: number }
  | { readonly kind: "temporary"; readonly temporary: number; readonly offset: number };

export interface PlacedLaunch extends Pick<FlatLaunch, "work" | "gate" | "depth"> {
  readonly places: readonly Place[];
}

export interface Temporary {
  readonly bytes: number;
  /** The first and the last launch that use it. */
  readonly first: number;
  readonly last: number;
}

export interface PlacedProgram {
  readonly launches: readonly PlacedLaunch[];
  readonly temporaries: readonly Temporary[];
  readonly nodes: readonly Node[];
  readonly gates: number;
}

/** A temporary while it is being found: bytes [from, to) of the arena. */
interface Found {
  from: number;
  to: number;
  first: number;
  last: number;
  /** It turned out to be a part of this one. */
  partOf: Found | undefined;
}

/** Tells the temporaries apart that share the bytes of the arena one after another. */
export function placeTemporaries({ launches, nodes, gates }: Recording): PlacedProgram {
  const finder = new Finder();
  const used = launches.map((launch, at) => finder.launch(launch, at));
  const numbers = new Map<Found, number>();
  const temporaries: Temporary[] = [];
  const numberOf = (f: Found): number => {
    let n = numbers.get(f);
    if (n === undefined) {
      numbers.set(f, (n = temporaries.length));
      temporaries.push({ bytes: f.to - f.from, first: f.first, last: f.last });
    }
    return n;
  };
  const placed = launches.map(({ work, args, gate, depth }, at): PlacedLaunch => ({
    work,
    gate,
    depth,
    places: args.map(({ ref, slices, bytes }, i): Place => {
      if (ref.kind !== "arena") return { ...ref, slices, bytes };
      const found = whole(used[at]![i]!);
      return { kind: "temporary", temporary: numberOf(found), offset: ref.offset - found.from, slices, bytes };
    }),
  }));
  return separated({ launches: placed, temporaries, nodes, gates });
}

/**
 * What lives into what is done more than once, or out of it, lives all through it: another round may read it, or another one
 * have written it.
 */
export function lastingThrough<T extends Pick<Temporary, "first" | "last">>(
  temporaries: readonly T[],
  regions: readonly Run[],
): readonly T[] {
  if (regions.length === 0) return temporaries;
  return temporaries.map((t) => {
    let { first, last } = t;
    for (let changed = true; changed;) {
      changed = false;
      for (const { from, to } of regions) {
        const [enters, leaves] = [
          first < from && last >= from && last < to - 1,
          last >= to && first > from && first < to,
        ];
        if (enters) last = to - 1;
        if (leaves) first = from;
        changed ||= enters || leaves;
      }
    }
    return { ...t, first, last };
  });
}

/**
 * Temporaries that turned out to be parts of one (something was written over them in pieces, once they were dead) may still be
 * read and written by one launch: it reads a copy then.
 */
function separated({ launches, temporaries, nodes, gates }: PlacedProgram): PlacedProgram {
  const added: Temporary[] = [];
  /** Of each launch: the first of what stands for it now, and itself. */
  const firsts: number[] = [];
  const itselfs: number[] = [];
  const out: PlacedLaunch[] = [];
  for (const launch of launches) {
    firsts.push(out.length);
    const { places, gate, depth } = launch;
    const reads = places.map((_, i) => i).filter((i) => readsBesideWrite(launch, i));
    const itself = out.length + reads.length;
    const copied = new Map<number, Place>();
    for (const i of reads) {
      const { bytes, slices } = places[i]!;
      const temporary = temporaries.length + added.length;
      const copy: Place = { kind: "temporary", temporary, offset: 0, slices, bytes };
      added.push({ bytes, first: out.length, last: itself });
      const all: readonly Slice[] = [];
      const copying = { kind: "copy", name: "copy", bytes } as const;
      out.push({ work: copying, gate, depth, places: [places[i]!, copy].map((p) => ({ ...p, slices: all })) });
      copied.set(i, copy);
    }
    itselfs.push(itself);
    out.push(reads.length === 0 ? launch : { ...launch, places: places.map((p, i) => copied.get(i) ?? p) });
  }
  firsts.push(out.length);
  const moved = temporaries.map((t) => ({ ...t, first: firsts[t.first]!, last: itselfs[t.last]! }));
  const renumber = (at: number): number => firsts[at]!;
  return { launches: out, temporaries: [...moved, ...added], nodes: renumbered(nodes, renumber), gates };
}

/** Whether argument `i` is read only, and is a part of what another one writes elsewhere. */
function readsBesideWrite({ work, places }: PlacedLaunch, i: number): boolean {
  const p = places[i]!;
  if (p.kind !== "temporary" || argumentAccess(work, i) !== "read") return false;
  const others = places
    .map((q, j) => [q, j] as const)
    .filter(([q]) => q.kind === "temporary" && q.temporary === p.temporary);
  const at = (q: Place): number => (q.kind === "temporary" ? q.offset : -1);
  const written = others.filter(([, j]) => argumentAccess(work, j) !== "read");
  return written.some(([q]) => at(q) !== p.offset) && !written.some(([q]) => at(q) === p.offset);
}

function whole(f: Found): Found {
  while (f.partOf) f = f.partOf;
  return f;
}

interface Written {
  readonly from: number;
  readonly to: number;
  readonly by: Found;
}

/** Follows the launches: for every byte of the arena, the temporary that was written there last. */
class Finder {
  /** Sorted, without overlaps. */
  private readonly written: Written[] = [];

  /** The temporary of each argument in the arena. */
  launch({ work, args }: FlatLaunch, at: number): readonly (Found | undefined)[] {
    const found: (Found | undefined)[] = args.map(() => undefined);
    // Reads first: what a launch writes over a value that it reads is that value.
    for (const pass of ["read", "write"] as const) {
      args.forEach(({ ref, bytes, joins }, i) => {
        if (ref.kind !== "arena" || (argumentAccess(work, i) === "read") !== (pass === "read")) return;
        if (bytes === 0) {
          // Nothing lies there, whatever else does.
          found[i] = { from: ref.offset, to: ref.offset, first: at, last: at, partOf: undefined };
          return;
        }
        const range = { from: ref.offset, to: ref.offset + bytes };
        const inPlace = args.some(
          ({ ref: other }, j) => j !== i && found[j] && other.kind === "arena" && other.offset === ref.offset,
        );
        found[i] = overwrites(work, i) && !inPlace && !joins ? this.fresh(range, at) : this.continued(range, at);
      });
    }
    return found;
  }

  private fresh({ from, to }: { readonly from: number; readonly to: number }, at: number): Found {
    const f: Found = { from, to, first: at, last: at, partOf: undefined };
    this.cover(from, to, f);
    return f;
  }

  /** Of a read, or a write that may leave something as it was: whatever lies there is one temporary with it. */
  private continued({ from, to }: { readonly from: number; readonly to: number }, at: number): Found {
    const parts = new Set<Found>();
    for (let k = this.search(from); k < this.written.length && this.written[k]!.from < to; k++) {
      parts.add(whole(this.written[k]!.by));
    }
    const [only] = parts;
    if (parts.size === 1 && only!.from <= from && to <= only!.to) {
      only!.last = at;
      this.cover(from, to, only!);
      return only!;
    }
    const f = this.fresh({ from, to }, at);
    for (const part of parts) {
      f.from = Math.min(f.from, part.from);
      f.to = Math.max(f.to, part.to);
      f.first = Math.min(f.first, part.first);
      part.partOf = f;
    }
    return f;
  }

  private cover(from: number, to: number, by: Found): void {
    const start = this.search(from);
    let end = start;
    const rest: Written[] = [];
    for (; end < this.written.length && this.written[end]!.from < to; end++) {
      const w = this.written[end]!;
      if (w.from < from) rest.push({ ...w, to: from });
      if (end === start) rest.push({ from, to, by });
      if (w.to > to) rest.push({ ...w, from: to });
    }
    if (rest.length === 0) rest.push({ from, to, by });
    this.written.splice(start, end - start, ...rest);
  }

  /** The first range that ends behind `from`. */
  private search(from: number): number {
    let [lo, hi] = [0, this.written.length];
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (this.written[mid]!.to <= from) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }
}
