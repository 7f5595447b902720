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
  const places: (BankPlace | undefined)[] = tenants.map(() => undefined);
  const members: number[][] = [];
  const bytes: number[] = [];
  const byBirth = tenants.map((_, t) => t).sort((a, b) => tenants[a]!.first - tenants[b]!.first || a - b);
  for (const t of byBirth) {
    const tenant = tenants[t]!;
    const size = align(tenant.bytes);
    if (size > limit.bytes) throw overLimit(tenant.bytes, limit.name, limit.bytes, `a temporary of ${tenant.name}`);
    let best: BankPlace | undefined;
    for (let bank = 0; bank <= members.length; bank++) {
      const others = members[bank] ?? [];
      if (others.some((o) => adversaries[t]!.has(o))) continue;
      const offset = gap(others.filter((o) => tenants[o]!.last >= tenant.first && tenants[o]!.first <= tenant.last));
      if (offset + size > limit.bytes) continue;
      // A bank of its own only where no other will do.
      if (bank === members.length && best) break;
      if (!best) best = { bank, offset };
      if (offset + size <= (bytes[bank] ?? 0)) {
        best = { bank, offset };
        break;
      }
    }
    places[t] = best!;
    (members[best!.bank] ??= []).push(t);
    bytes[best!.bank] = Math.max(bytes[best!.bank] ?? 0, best!.offset + size);

    /** The first offset at which `size` bytes lie between those that live at the same time. */
    function gap(alive: readonly number[]): number {
      const taken = alive
        .map((o) => [places[o]!.offset, places[o]!.offset + align(tenants[o]!.bytes)] as const)
        .sort((a, b) => a[0] - b[0]);
      let at = 0;
      for (const [from, to] of taken) {
        if (at + size <= from) break;
        at = Math.max(at, to);
      }
      return at;
    }
  }
  return { places: places as readonly BankPlace[], bytes };
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
