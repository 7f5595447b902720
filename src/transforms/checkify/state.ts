import type { NDArray } from "../../core/array.js";
import type { Aval } from "../../core/aval.js";
import {
  type CheckState,
  type CheckStateType,
  type Failure,
  type Site,
  Sites,
  type Slots,
  slotOf,
} from "../../core/checks.js";
import { lit } from "../../core/literal.js";
import { add, broadcastInDim, convertElementType, eq, select } from "../../primitives/all.js";

/** A scalar condition for whole arrays. */
const chosenBy = (holds: NDArray, a: NDArray, b: NDArray): NDArray =>
  select(a.ndim === 0 ? holds : broadcastInDim(holds, a.shape, []), a, b);

/** The code of a program among whose sites it stands after `offset` others. */
export const shiftedCode = (code: NDArray, offset: number): NDArray =>
  offset === 0 ? code : select(eq(code, lit(0, "int32")), code, add(code, lit(offset, "int32")));

/** What failed first of two things that run one after another; both of sites in one numbering. */
export function earlier(a: Failure, b: Failure): Failure {
  const none = eq(a.code, lit(0, "int32"));
  const slots = new Map(a.slots);
  for (const [key, values] of b.slots) {
    const before = a.slots.get(key);
    slots.set(key, before ? values.map((x, i) => chosenBy(none, x, before[i]!)) : values);
  }
  return { code: select(none, b.code, a.code), slots };
}

/** The places of several programs that run in one. */
export function slotsOfAll(all: readonly Pick<CheckStateType, "slots">[]): Slots<Aval> {
  const slots = new Map<string, readonly Aval[]>();
  for (const of of all) for (const [key, avals] of of.slots) slots.set(key, avals);
  return sorted(slots);
}
const sorted = <T>(slots: Slots<T>): Slots<T> => new Map([...slots].sort(([a], [b]) => (a < b ? -1 : 1)));

/** The checks of a program, collected in the order in which it does them. */
export class Collected {
  private readonly entries: (Site | Sites)[] = [];
  private count = 0;
  private now: Failure | undefined;

  /** A check at a site of its own; `failed` is a bool scalar. */
  add(site: Site, failed: NDArray, values: readonly NDArray[]): void {
    const slot = slotOf(site.shows);
    const strong = values.map((x) => (x.aval.weakType ? convertElementType(x, x.dtype) : x));
    const slots: Slots<NDArray> = new Map(slot === "" ? [] : [[slot, strong]]);
    this.append(site, 1, { code: select(failed, lit(this.count + 1, "int32"), lit(0, "int32")), slots });
  }

  /** What a program that was called found. */
  merge({ sites, code, slots }: CheckState): void {
    this.append(sites, sites.count, { code: shiftedCode(code, this.count), slots });
  }

  private append(entry: Site | Sites, count: number, next: Failure): void {
    this.entries.push(entry);
    this.count += count;
    this.now = this.now ? earlier(this.now, next) : next;
  }

  state(): CheckState | undefined {
    return this.now && { sites: new Sites(this.entries), code: this.now.code, slots: sorted(this.now.slots) };
  }
}
