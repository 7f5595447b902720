import { InternalError } from "../../core/errors.js";
import { bindingAlignment } from "./constants.js";
import { overLimit } from "./errors.js";

/** A temporary that needs a place: bytes that live from one launch to another. */
export interface Tenant {
  readonly name: string;
  readonly bytes: number;
  readonly first: number;
  readonly last: number;
}

export interface BankPlace {
  readonly bank: number;
  readonly offset: number;
}

export interface BankLayout {
  readonly places: readonly BankPlace[];
  /** Bytes of each bank. */
  readonly bytes: readonly number[];
}

/** For one dispatch, the tenants that it reads only, and those that it writes: they may not lie in one bank. */
export interface Conflict {
  readonly reads: readonly number[];
  readonly writes: readonly number[];
}

const align = (bytes: number): number => Math.max(1, Math.ceil(bytes / bindingAlignment)) * bindingAlignment;

/** A bank while it is laid out: those in it that live now, by their offsets. */
interface Bank {
  bytes: number;
  alive: { readonly offset: number; readonly end: number; readonly last: number }[];
}

/**
 * Lays temporaries out in as few banks (buffers) as it finds, greedily in the order of their birth: the first bank that holds no
 * adversary and has a gap, else the first that may grow.
 */
export function layOutBanks(
  tenants: readonly Tenant[],
  conflicts: readonly Conflict[],
  limit: { readonly name: string; readonly bytes: number },
): BankLayout {
  const adversaries = adversariesOf(tenants, conflicts);
  const places = new Array<BankPlace | undefined>(tenants.length);
  const banks: Bank[] = [];
  const byBirth = tenants.map((_, t) => t).sort((a, b) => tenants[a]!.first - tenants[b]!.first || a - b);
  for (const t of byBirth) {
    const { bytes, first, last, name } = tenants[t]!;
    const size = align(bytes);
    if (size > limit.bytes) throw overLimit(bytes, limit.name, limit.bytes, `a temporary of ${name}`);
    const closed = new Set([...adversaries[t]!].map((a) => places[a]?.bank));
    const best = bestPlace(banks, closed, { size, first, limit: limit.bytes });
    places[t] = best;
    const bank = (banks[best.bank] ??= { bytes: 0, alive: [] });
    const end = best.offset + size;
    bank.bytes = Math.max(bank.bytes, end);
    const next = bank.alive.findIndex((x) => x.offset > best.offset);
    bank.alive.splice(next < 0 ? bank.alive.length : next, 0, { offset: best.offset, end, last });
  }
  return { places: places as readonly BankPlace[], bytes: banks.map((b) => b.bytes) };
}

function bestPlace(
  banks: readonly Bank[],
  closed: ReadonlySet<number | undefined>,
  { size, first, limit }: { readonly size: number; readonly first: number; readonly limit: number },
): BankPlace {
  let growing: BankPlace | undefined;
  for (const [number, bank] of banks.entries()) {
    if (closed.has(number)) continue;
    bank.alive = bank.alive.filter((x) => x.last >= first);
    const offset = firstGap(bank.alive, size);
    if (offset + size <= bank.bytes) return { bank: number, offset };
    if (offset + size <= limit) growing ??= { bank: number, offset };
  }
  return growing ?? { bank: banks.length, offset: 0 };
}

/** The first offset at which `size` bytes lie between those that are alive. */
function firstGap(alive: Bank["alive"], size: number): number {
  let at = 0;
  for (const { offset, end } of alive) {
    if (at + size <= offset) break;
    at = Math.max(at, end);
  }
  return at;
}

function adversariesOf(tenants: readonly Tenant[], conflicts: readonly Conflict[]): readonly ReadonlySet<number>[] {
  const sets = tenants.map(() => new Set<number>());
  for (const { reads, writes } of conflicts) {
    for (const r of reads) {
      for (const w of writes) {
        if (r === w)
          throw new InternalError(`one dispatch reads and writes parts of one temporary of ${tenants[r]!.name}`);
        sets[r]!.add(w);
        sets[w]!.add(r);
      }
    }
  }
  return sets;
}
