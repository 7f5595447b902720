import type { NDArray } from "./array.js";
import { type Aval, formatAval, type HostArray, strengthen } from "./aval.js";
import { InternalError } from "./errors.js";
import type { Jaxpr } from "./jaxpr.js";

/** What a check is about: what a user demands, NaN, division by zero, an index out of bounds. */
export type CheckCategory = "user" | "nan" | "division" | "index";

/** A place in a program where a check may fail. */
export interface Site {
  readonly category: CheckCategory;
  /** Types of the values that its message shows. */
  readonly shows: readonly Aval[];
  message(values: readonly HostArray[]): string;
}

/** The sites of a program, numbered from 1 in its order; those of a program that it calls stand in the place of the call. */
export class Sites {
  readonly count: number;
  readonly categories: ReadonlySet<CheckCategory>;
  constructor(private readonly entries: readonly (Site | Sites)[]) {
    this.count = entries.reduce((n, e) => n + (e instanceof Sites ? e.count : 1), 0);
    this.categories = new Set(entries.flatMap((e) => (e instanceof Sites ? [...e.categories] : [e.category])));
  }
  at(number: number): Site {
    let first = 1;
    for (const e of this.entries) {
      const count = e instanceof Sites ? e.count : 1;
      if (number < first + count) return e instanceof Sites ? e.at(number - first + 1) : e;
      first += count;
    }
    throw new InternalError(`there is no check ${number}`);
  }
}

const noSites = new Sites([]);

/** Values that messages show are kept by their types: sites of the same types share a place. */
export type Slots<T> = ReadonlyMap<string, readonly T[]>;
export const slotOf = (shows: readonly Aval[]): string => shows.map((a) => formatAval(strengthen(a))).join(";");

/** Which of some sites failed first, and what its message shows. */
export interface Failure {
  /** An int32 scalar: the number of the site; 0: none failed. */
  readonly code: NDArray;
  readonly slots: Slots<NDArray>;
}

/** The failure of a program that ran, with the sites that it has. */
export interface CheckState extends Failure {
  readonly sites: Sites;
}

/** What the state of a program's checks consists of. */
export interface CheckStateType {
  readonly sites: Sites;
  readonly slots: Slots<Aval>;
}
export const noChecks: CheckStateType = { sites: noSites, slots: new Map() };
export const stateTypeOf = ({ sites, slots }: CheckState): CheckStateType => ({
  sites,
  slots: new Map([...slots].map(([key, values]) => [key, values.map((x) => x.aval)])),
});

/** A jaxpr that does its checks: it gives their state, code first, before its results; no state where it has no sites. */
export interface CheckedJaxpr extends CheckStateType {
  readonly jaxpr: Jaxpr;
}

/** What a checked operation gives. */
export interface CheckedResults {
  readonly outs: readonly NDArray[];
  /** undefined: nothing in it is checked. */
  readonly state: CheckState | undefined;
}

/** Number of values that the state of a checked jaxpr consists of. */
export function stateSize({ sites, slots }: CheckStateType): number {
  if (sites.count === 0) return 0;
  let size = 1;
  for (const values of slots.values()) size += values.length;
  return size;
}

/** The types of those values. */
export const stateTypes = ({ sites, slots }: CheckStateType): Aval[] =>
  sites.count === 0 ? [] : [codeType, ...[...slots.values()].flat()];
const codeType: Aval = { shape: [], dtype: "int32", weakType: false };

/** Takes the values that a checked jaxpr gives apart: those of the state, if there is one, then its results. */
export function checkedResults(of: CheckStateType, values: readonly NDArray[]): CheckedResults {
  if (of.sites.count === 0) return { outs: values, state: undefined };
  let at = 1;
  const slots = new Map<string, readonly NDArray[]>();
  for (const [key, avals] of of.slots) slots.set(key, values.slice(at, (at += avals.length)));
  return { outs: values.slice(at), state: { sites: of.sites, code: values[0]!, slots } };
}

/** The state as values, in the order in which checked jaxprs give it. */
export const stateValues = (state: Failure | undefined): NDArray[] =>
  state === undefined ? [] : [state.code, ...[...state.slots.values()].flat()];

/** The rule of operations that do nothing but run the jaxpr among their params on their operands. */
export const checkedCall =
  <P extends { readonly jaxpr: Jaxpr }>(
    call: (inputs: readonly NDArray[], params: P) => readonly NDArray[],
  ): CheckedRule<P> =>
  (inputs, params, check) => {
    const inner = check(params.jaxpr);
    return checkedResults(inner, call(inputs, { ...params, jaxpr: inner.jaxpr }));
  };

/** How an operation with inner jaxprs is checked: `check` gives these checked. */
export type CheckedRule<P> = (
  inputs: readonly NDArray[],
  params: P,
  check: (jaxpr: Jaxpr) => CheckedJaxpr,
  categories: ReadonlySet<CheckCategory>,
) => CheckedResults;

/** The windows of operand 0 that an operation reads or writes where other operands say. */
export interface IndexedWindows {
  /** Operand of index vectors (along its last axis), or the first of scalar operands, one an axis. */
  readonly indices: number;
  readonly scalars: boolean;
  /** Entry k of an index vector counts along axis axes[k] of operand 0, where a window has sizes[k] elements. */
  readonly axes: readonly number[];
  readonly sizes: readonly number[];
}

/** What can go wrong with an operation, as `checkify` looks for it. */
export interface Hazards<P> {
  /** Its results may have a NaN that its operands have not. */
  readonly nan?: boolean;
  /** The operand that it divides by. */
  readonly divisor?: number;
  readonly windows?: (avals: readonly Aval[], params: P) => IndexedWindows;
}
