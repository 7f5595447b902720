import type { NDArray } from "../../core/array.js";
import { formatAval, sizeOf, strengthen } from "../../core/aval.js";
import { isOptions, signature } from "../../core/calling.js";
import { type CheckCategory, checkedResults } from "../../core/checks.js";
import { getEngine } from "../../core/engine.js";
import { ArgumentError, DTypeError, ShapeError } from "../../core/errors.js";
import { type ArrayLike, asArray, describeValue } from "../../core/literal.js";
import { stage } from "../../core/staging.js";
import { flatten, unflatten } from "../../core/tree.js";
import type { ArraysOf, Ins, Structure } from "../../core/types.js";
import { not, reshape } from "../../primitives/all.js";
import { flattenArrays, nameOf, requireFunction } from "../arguments.js";
import { checkArguments, type FormatArguments, formatTemplate, parseTemplate, wantsOf } from "../callbacks/format.js";
import { stopGradient } from "../stop-gradient.js";
import { evalChecked } from "./checked-jaxpr.js";
import { anyFailed, raise } from "./primitive.js";
import { CheckResult } from "./result.js";
import { Collected } from "./state.js";

/** Sets of what is checked; put together as `[...floatChecks, ...indexChecks]`. */
export type CheckSet = Iterable<CheckCategory>;
const setOf = (...categories: readonly CheckCategory[]): ReadonlySet<CheckCategory> => new Set(categories);

export interface CheckifyOptions {
  /** What is checked; default: `checkify.userChecks`. */
  readonly errors?: CheckSet;
}

type AnyFunction = (...args: never[]) => unknown;
const checkifyParams = signature<{ readonly f: AnyFunction } & CheckifyOptions>("checkify", 1, ["f", "errors"]);
const known: ReadonlySet<unknown> = setOf("user", "nan", "division", "index");

function checkifyFunction(...given: unknown[]): (...args: unknown[]) => unknown {
  const { f, errors = ["user"] } = checkifyParams(given);
  requireFunction(f, "checkify");
  const categories = new Set(errors);
  for (const c of categories) {
    if (known.has(c)) continue;
    throw new ArgumentError({
      code: "checkify-errors",
      message: `checkify: ${describeValue(c)} is nothing that can be checked`,
      hint: "errors is one of checkify.userChecks, nanChecks, divChecks, indexChecks, floatChecks, automaticChecks, allChecks, or a list of what is in them",
    });
  }
  const name = nameOf(f);
  const call = (...args: unknown[]): unknown => {
    const [leaves, def] = flatten(args);
    const arrays = leaves.map((x) => (typeof x === "number" || typeof x === "boolean" ? asArray(x) : x));
    let outDef = def;
    // arguments are closed over, so that what is known of them stays known
    const { jaxpr, consts } = stage(
      () => {
        const out = flattenArrays(f(...(unflatten(def, arrays) as never[])), `the result of ${name}`);
        outDef = out.def;
        return out.leaves;
      },
      [],
      { kind: `checkify of ${name}` },
    );
    const { outs, state } = evalChecked(jaxpr, consts, categories);
    return [CheckResult.of(state), unflatten(outDef, outs)];
  };
  return Object.defineProperty(call, "name", { value: name });
}

/** Trees of arrays among the values that a message shows. */
export type CheckValues = ArrayLike | readonly CheckValues[] | { readonly [key: string]: CheckValues } | null;

function check(pred: ArrayLike, message: string, ...values: readonly CheckValues[]): void {
  const holds = asArray(pred, "checkify.check", "pred");
  if (holds.dtype !== "bool")
    throw new DTypeError({
      code: "check-predicate",
      message: "checkify.check takes a bool scalar",
      details: [["pred", formatAval(holds.aval)]],
      hint: "compare: x.greater(0)",
    });
  if (holds.ndim !== 0)
    throw new ShapeError({
      code: "check-predicate",
      message: "checkify.check takes a bool scalar",
      details: [["pred", formatAval(holds.aval)]],
      hint: "np.all and np.any make one predicate of many",
    });
  if (typeof message !== "string")
    throw new ArgumentError({
      code: "check-message",
      message: `checkify.check takes a message, not ${describeValue(message)}`,
    });
  const last = values.at(-1);
  const template = parseTemplate(message, "checkify.check");
  const wants = wantsOf(template);
  const byName = isOptions(last) && (wants.named || values.length > wants.positional);
  const given = { positional: byName ? values.slice(0, -1) : values, named: byName ? last : {} };
  checkArguments(template, given);
  const { leaves, def } = flattenArrays(given, "checkify.check: value ");
  const shown = leaves.map((x) => stopGradient(x));
  const found = new Collected();
  found.add(
    {
      category: "user",
      shows: shown.map((x) => strengthen(x.aval)),
      message(data) {
        const arrays = getEngine().onHost(() => data.map((x) => getEngine().fromHost(x)));
        return `${formatTemplate(template, unflatten(def, arrays) as FormatArguments)} (\`check\` failed)`;
      },
    },
    not(holds),
    shown,
  );
  raise(found.state()!);
}

function checkError(err: CheckResult): void {
  if (!(err instanceof CheckResult))
    throw new ArgumentError({
      code: "check-error",
      message: `checkify.checkError takes what checkify gave, not ${describeValue(err)}`,
      hint: "const [err, y] = checkify(f)(x); checkify.checkError(err)",
    });
  const [values, type] = CheckResult.parts(err);
  const [code] = values;
  if (!code) return;
  const count = sizeOf(code.shape);
  const flat = values.map((x) => reshape(x, [count, ...x.shape.slice(code.ndim)]));
  raise(checkedResults(type, code.ndim === 0 ? values : anyFailed(count, flat)).state!);
}

export interface Checkify {
  /**
   * Makes errors of a function values: it gives `[err, result]`, where `err.get()` is the message of what went wrong first, or
   * null, and `err.throw()` throws it. In programs, where nothing can be thrown, this is how a check works.
   *
   * `errors` says what is looked for: what the function demands with `checkify.check` (the default), NaN, division by zero,
   * indices out of bounds.
   * @throws ArgumentError `checkify-errors`.
   * @example
   * const logOfSum = (x) => {
   *   const total = np.sum(x);
   *   checkify.check(total.greater(0), "the sum must be positive, got {}", total);
   *   return np.log(total);
   * };
   * const [err, y] = jit(checkify(logOfSum))(np.array([1, -3]));
   * err.get(); // "the sum must be positive, got -2.0 (`check` failed)"
   */
  <A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
    f: (...args: A) => R,
    errors?: CheckSet | CheckifyOptions,
  ): (...args: Ins<A>) => [err: CheckResult, out: ArraysOf<R>];
  /**
   * Demands that a bool scalar holds. Outside of jit it throws if it does not; in what is jitted, or runs in `lax.scan` and its
   * family, `checkify` must stand around it. `{}` in the message shows the next value, `{name}` one of a trailing object.
   * @throws CheckError `check-failed`, `check-staged` where a program is compiled with it, ArgumentError `debug-format`,
   * ShapeError and DTypeError `check-predicate`.
   * @example
   * const half = (x) => {
   *   checkify.check(x.greater(0), "{x} is not positive", { x });
   *   return x.div(2);
   * };
   * half(np.array(3)); // 1.5
   */
  check(pred: ArrayLike, message: string, ...values: readonly CheckValues[]): void;
  /**
   * Throws what an `err` says, as `err.throw()` does, but may stand in functions that are traced: a `checkify` further out finds
   * it. @throws as check.
   * @example
   * const checked = (x) => {
   *   const [err, y] = jit(checkify((x) => np.log(x), checkify.nanChecks))(x);
   *   checkify.checkError(err);
   *   return y;
   * };
   */
  checkError(err: CheckResult): void;
  readonly userChecks: ReadonlySet<CheckCategory>;
  readonly nanChecks: ReadonlySet<CheckCategory>;
  readonly divChecks: ReadonlySet<CheckCategory>;
  readonly indexChecks: ReadonlySet<CheckCategory>;
  /** NaN and division by zero. */
  readonly floatChecks: ReadonlySet<CheckCategory>;
  /** All but what users demand. */
  readonly automaticChecks: ReadonlySet<CheckCategory>;
  readonly allChecks: ReadonlySet<CheckCategory>;
}

/** Checks as results of functions; see `Checkify`. */
export const checkify: Checkify = /* @__PURE__ */ Object.assign(checkifyFunction as Checkify, {
  check,
  checkError,
  userChecks: setOf("user"),
  nanChecks: setOf("nan"),
  divChecks: setOf("division"),
  indexChecks: setOf("index"),
  floatChecks: setOf("nan", "division"),
  automaticChecks: setOf("nan", "division", "index"),
  allChecks: setOf("nan", "division", "index", "user"),
});
