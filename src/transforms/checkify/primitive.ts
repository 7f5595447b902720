import type { NDArray } from "../../core/array.js";
import type { HostArray } from "../../core/aval.js";
import {
  type CheckCategory,
  checkedResults,
  type CheckState,
  type CheckStateType,
  type Site,
  type Sites,
  slotOf,
  stateTypeOf,
  stateValues,
} from "../../core/checks.js";
import { checkEffect } from "../../core/effects.js";
import { CheckError } from "../../core/errors.js";
import { lit } from "../../core/literal.js";
import { none } from "../../core/primitive.js";
import { bind } from "../../core/trace.js";
import { hostNow } from "../../core/values-now.js";
import {
  argmax,
  convertElementType,
  definePrimitive,
  dynamicSlice,
  eq,
  mul,
  ne,
  or,
  type PrimitiveDefinition,
  reshape,
  select,
  iota,
} from "../../primitives/all.js";
import { topTrace } from "../custom/call.js";
import { moveBatchAxis } from "../vmap.js";

/** Throws what a state says, if something failed; where the state is traced, that is recorded. */
export function raise(state: CheckState): void {
  raiseFlat(stateValues(state), stateTypeOf(state));
}

function raiseFlat(inputs: readonly NDArray[], params: CheckStateType): void {
  if (topTrace(inputs) !== undefined) bind(checkPrimitive, inputs, params);
  else {
    const [code, ...values] = inputs.map((x) => hostNow("checkify.check", x));
    const error = errorOf(params, code!.data[0]!, values);
    if (error) throw error;
  }
}

/** The site of a code and the values of its slot, found among those of all slots; undefined: nothing failed. */
export function failureOf(
  { sites, slots }: CheckStateType,
  code: number,
  values: readonly HostArray[],
): { readonly site: Site; readonly message: string } | undefined {
  if (code === 0) return undefined;
  const site = sites.at(code);
  const wanted = slotOf(site.shows);
  let at = 0;
  for (const [key, avals] of slots) {
    if (key === wanted) break;
    at += avals.length;
  }
  return { site, message: site.message(values.slice(at, at + site.shows.length)) };
}

function errorOf(params: CheckStateType, code: number, values: readonly HostArray[]): CheckError | undefined {
  const failure = failureOf(params, code, values);
  return failure && checkError(failure.site.category, failure.message);
}

const codes = { user: "check-failed", nan: "check-nan", division: "check-division", index: "check-index" } as const;
export const checkError = (category: CheckCategory, message: string): CheckError =>
  new CheckError({ code: codes[category], message });

/** Of many examples one that failed: the last, as in JAX. */
export function anyFailed(size: number, inputs: readonly NDArray[]): NDArray[] {
  const [code] = inputs;
  const failed = convertElementType(ne(code!, lit(0, "int32")), "int32");
  const at = argmax(mul(failed, iota("int32", [size], 0)), 0, "int32");
  return inputs.map((x) => {
    const starts = x.shape.map((_, k) => (k === 0 ? at : lit(0, "int32")));
    return reshape(dynamicSlice(x, starts, [1, ...x.shape.slice(1)]), x.shape.slice(1));
  });
}

/** The code, 0 where it is of a category that is not asked for. */
function codeWithin(code: NDArray, sites: Sites, categories: ReadonlySet<CheckCategory>): NDArray {
  if ([...sites.categories].every((c) => categories.has(c))) return code;
  let kept: NDArray | undefined;
  for (let k = 1; k <= sites.count; k++) {
    if (!categories.has(sites.at(k).category)) continue;
    const is = eq(code, lit(k, "int32"));
    kept = kept ? or(kept, is) : is;
  }
  return kept ? select(kept, code, lit(0, "int32")) : lit(0, "int32");
}

const unchecked = "a check throws, and a program that is compiled cannot: `checkify` makes its result a value";
const notFunctional = (): CheckError =>
  new CheckError({
    code: "check-staged",
    message: "checkify.check was staged (by jit, lax.scan, lax.cond, …) without checkify",
    hint: "wrap the function: const [err, y] = jit(checkify(f))(x); err.throw()",
  });

/** Its operands are a state: the code, then the values of each slot. Throws if a check failed; gives nothing. Stands in programs until `checkify` makes a result of it. */
const checkPrimitive: PrimitiveDefinition<CheckStateType> = definePrimitive<CheckStateType>({
  name: "check",
  abstract: () => [],
  evaluate: none(unchecked, notFunctional),
  jvp(primals, _, params) {
    raiseFlat(primals, params);
    return { outs: [], tangents: [] };
  },
  transpose: none("it has no results"),
  batch(size, inputs, dims, params) {
    const all = inputs.map((x, i) => moveBatchAxis(x, dims[i]!, 0, size));
    raiseFlat(size === 0 ? [lit(0, "int32"), ...all.slice(1)] : anyFailed(size, all), params);
    return { outs: [], dims: [] };
  },
  lower: none(unchecked, notFunctional),
  facts: {},
  effects: () => checkEffect,
  checked([code, ...values], params, _, categories) {
    const { sites } = params;
    if (![...sites.categories].some((c) => categories.has(c))) return { outs: [], state: undefined };
    return checkedResults(params, [codeWithin(code!, sites, categories), ...values]);
  },
  printParams: () => ({}),
});
