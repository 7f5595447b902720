import type { NDArray } from "../../core/array.js";
import type { Aval } from "../../core/aval.js";
import {
  type CheckedJaxpr,
  checkedResults,
  type CheckState,
  type CheckStateType,
  type Failure,
  Sites,
  type Slots,
  stateSize,
  stateTypes,
  stateValues,
} from "../../core/checks.js";
import { evalJaxpr } from "../../core/interpreter.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { identityOf } from "../../core/structural-key.js";
import { zerosOf } from "../../primitives/all.js";
import { earlier, shiftedCode, slotsOfAll } from "../checkify/state.js";
import { partOf, stageClosed, widen } from "./shared.js";

/** The bodies, conditions and branches that control flow runs when it is checked, memoised by the checked jaxprs they are made of. */

function memoizeChecked<K extends CheckedJaxpr, R>(
  make: (parts: readonly K[], consts: number) => R,
): (parts: readonly K[], consts: number) => R {
  const cache = new WeakMap<K, Map<string, R>>();
  return (parts, consts) => {
    const first = parts[0]!;
    const known = cache.get(first) ?? new Map<string, R>();
    cache.set(first, known);
    const key = `${parts.map(identityOf).join(",")}|${consts}`;
    let result = known.get(key);
    if (result === undefined) known.set(key, (result = make(parts, consts)));
    return result;
  };
}

/** The body of a scan whose carry begins with the state of its checks. */
export const checkedBody = (body: CheckedJaxpr, consts: number): Jaxpr => bodies([body], consts);
const bodies = memoizeChecked(([body]: readonly CheckedJaxpr[], consts): Jaxpr => {
  const { jaxpr } = body!;
  const avals = jaxpr.inVars.map((v) => v.aval);
  const state = stateTypes(body!);
  return stageClosed(
    (args) => {
      const before = checkedResults(body!, args.slice(consts, consts + state.length)).state!;
      const { outs, after } = runChecked(body!, [...args.slice(0, consts), ...args.slice(consts + state.length)]);
      return [...stateValues(earlier(before, after!)), ...outs];
    },
    [...avals.slice(0, consts), ...state, ...avals.slice(consts)],
    "checkify of scan",
  );
});

function runChecked(of: CheckedJaxpr, args: readonly NDArray[]) {
  const { outs, state } = checkedResults(of, evalJaxpr(of.jaxpr, args));
  return { outs, after: state };
}

/** Values of all slots, of which a state has some. */
const spread = (slots: Slots<Aval>, state: CheckState | undefined): Slots<NDArray> =>
  new Map([...slots].map(([key, avals]) => [key, state?.slots.get(key) ?? avals.map(zerosOf)]));

export interface CheckedBranches extends CheckStateType {
  readonly jaxprs: readonly Jaxpr[];
}

/** Branches that give one state, of the checks of all of them. */
export const checkedBranches = (branches: readonly CheckedJaxpr[]): CheckedBranches => aligned(branches, 0);
const aligned = memoizeChecked((branches: readonly CheckedJaxpr[]): CheckedBranches => {
  const sites = new Sites(branches.map((b) => b.sites));
  const slots = slotsOfAll(branches);
  if (sites.count === 0) return { jaxprs: branches.map((b) => b.jaxpr), sites, slots };
  let offset = 0;
  const jaxprs = branches.map((b) => {
    const before = offset;
    offset += b.sites.count;
    return stageClosed(
      (args) => {
        const { outs, after } = runChecked(b, args);
        const code = after ? shiftedCode(after.code, before) : zerosOf({ shape: [], dtype: "int32", weakType: false });
        return [...stateValues({ code, slots: spread(slots, after) }), ...outs];
      },
      b.jaxpr.inVars.map((v) => v.aval),
      "checkify of cond",
    );
  });
  return { jaxprs, sites, slots };
});

/** The part of a checked jaxpr that gives the state. */
export const stateOf = (of: CheckedJaxpr): CheckedJaxpr => ({
  ...of,
  jaxpr: partOf(of.jaxpr, of.jaxpr.inVars, of.jaxpr.outs.slice(0, stateSize(of))),
});

export interface CheckedLoop extends CheckStateType {
  readonly condition: Jaxpr;
  /** Behind the constants the state of the checks, then that of the loop. */
  readonly body: Jaxpr;
}

/** A while loop that carries the state of its checks: after each round those of the condition are done. */
export const checkedLoop = (condition: CheckedJaxpr, body: CheckedJaxpr, consts: number): CheckedLoop =>
  loops([condition, body], consts);
const loops = memoizeChecked(([condition, body]: readonly CheckedJaxpr[], consts): CheckedLoop => {
  const sites = new Sites([body!.sites, condition!.sites]);
  const slots = slotsOfAll([body!, condition!]);
  const state = stateTypes({ sites, slots });
  const avals = body!.jaxpr.inVars.map((v) => v.aval);
  const watched = stateOf(condition!);
  const step = stageClosed(
    (args) => {
      const fixed = args.slice(0, consts);
      const before = checkedResults({ sites, slots }, args.slice(consts, consts + state.length)).state!;
      const round = runChecked(body!, [...fixed, ...args.slice(consts + state.length)]);
      const { after } = runChecked(watched, [...fixed, ...round.outs]);
      let now: Failure = before;
      if (round.after) now = earlier(now, round.after);
      if (after) now = earlier(now, { code: shiftedCode(after.code, body!.sites.count), slots: after.slots });
      return [
        ...stateValues({ code: now.code, slots: new Map([...slots.keys()].map((k) => [k, now.slots.get(k)!])) }),
        ...round.outs,
      ];
    },
    [...avals.slice(0, consts), ...state, ...avals.slice(consts)],
    "checkify of while",
  );
  const plain: Jaxpr = { ...condition!.jaxpr, outs: condition!.jaxpr.outs.slice(stateSize(condition!)) };
  const own = avals.map(() => null);
  return {
    condition: widen(plain, [...own.slice(0, consts), ...state, ...own.slice(consts)]),
    body: step,
    sites,
    slots,
  };
});
