import { ConcreteArray, NDArray } from "../core/array.js";
import { type Aval, formatAval, sameAval } from "../core/aval.js";
import { signature } from "../core/calling.js";
import { config } from "../core/config.js";
import { debug } from "../core/debug.js";
import { getEngine, type MemoryAnalysis, type Prepared } from "../core/engine.js";
import { ArgumentError, ShapeError } from "../core/errors.js";
import type { ClosedJaxpr } from "../core/jaxpr.js";
import { axisNamesIn } from "../core/named-axes.js";
import { describeValue } from "../core/literal.js";
import { printJaxpr } from "../core/printer.js";
import { stage } from "../core/staging.js";
import { bind, boundAxesKey, currentStaging, Tracer } from "../core/trace.js";
import { identityOf } from "../core/structural-key.js";
import { type TreeDef, unflatten } from "../core/tree.js";
import type { ArraysOf, Ins, Structure } from "../core/types.js";
import { flattenArrays, nameOf, requireFunction } from "./arguments.js";
import { explainMiss, type Traced } from "./cache-misses.js";
import { merged } from "./custom/call.js";
import { type Explanation, explanationOf } from "./explanation.js";
import { jitPrimitive } from "./jit-primitive.js";

export interface JitOptions {
  /** Arguments that are not traced: another value traces again. They may be anything; objects are compared by identity. */
  readonly staticArgnums?: number | readonly number[];
  /** Arguments whose arrays may be overwritten: they are deleted by the call. */
  readonly donateArgnums?: number | readonly number[];
}

/** A function as `jit` returns it. */
export interface Jitted<A extends readonly unknown[], R> {
  (...args: Ins<A>): R;
  /** How many times the function has been traced so far, through any of its jit wrappers. */
  readonly traceCount: number;
  /** Traces for the given arguments, without running. */
  lower(...args: Ins<A>): Lowered<A, R>;
}

/** A traced function that can be looked at and compiled. */
export interface Lowered<A extends readonly unknown[], R> {
  readonly jaxpr: ClosedJaxpr;
  /** The jaxpr in JAX's notation. */
  asText(): string;
  compile(): Compiled<A, R>;
  /** What would run, from the jaxpr to the emitted code; see `explain`. */
  explain(): Explanation;
}

/** A compiled function of arguments of exactly the types that it was lowered for. */
export interface Compiled<A extends readonly unknown[], R> {
  (...args: Ins<A>): R;
  /** The emitted code, for people. */
  asText(): string;
  /** What a run takes of memory, as planned: arguments, results, temporaries. */
  memoryAnalysis(): MemoryAnalysis;
  /** Resolves when the device's code is compiled: on a GPU that goes on in the background, and a call before it waits there. */
  ready(): Promise<void>;
}

/** One specialisation of a function: by structure, types and static values of its arguments. */
interface Entry extends Traced {
  readonly closed: ClosedJaxpr;
  readonly outDef: TreeDef;
}

/** What a call of a jitted function comes to. */
interface Specialized {
  readonly entry: Entry;
  readonly leaves: readonly NDArray[];
  readonly donated: readonly boolean[] | undefined;
}

/** A jitted function's name, and the arguments that its options name. */
interface Named {
  readonly name: string;
  readonly statics: readonly number[];
  readonly donates: readonly number[];
}

/** Specialisations of one user function, shared by all of its jit wrappers. */
class FunctionCache {
  readonly entries = new Map<string, Entry>();
  traces = 0;
}

type AnyFunction = (...args: never[]) => unknown;

const caches = new WeakMap<AnyFunction, FunctionCache>();
/** Specialisations kept of one function; the oldest goes. */
const maxEntries = 1024;

function cacheOf(f: AnyFunction): FunctionCache {
  let cache = caches.get(f);
  if (!cache) caches.set(f, (cache = new FunctionCache()));
  return cache;
}

const jitParams = signature<{ readonly f: AnyFunction } & JitOptions>("jit", 1, ["f"], {
  byName: ["staticArgnums", "donateArgnums"],
});

/**
 * Compiles a function: it is traced once for each combination of argument types and runs as one fused program from then on.
 *
 * Control flow on values needs `np.where`; shapes, dtypes and static arguments are ordinary JavaScript values.
 * Arrays that the function captures are operands of the program: they are never baked into it.
 * @throws TracerError `tracer-read` where the function reads a traced value; ArgumentError `argnums`, `static-array`.
 * @example
 * const f = jit((x) => np.tanh(x).mul(2));
 * f(np.array([0, Infinity])); // [0, 2]
 * const power = jit((x, n) => x.pow(n), { staticArgnums: 1 });
 * power(np.array([1, 2]), 3); // [1, 8]
 */
export function jit<A extends readonly unknown[] = readonly NDArray[], R extends Structure = unknown>(
  f: (...args: A) => R,
  options?: JitOptions,
): Jitted<A, ArraysOf<R>>;
export function jit(...given: unknown[]): unknown {
  const { f, staticArgnums, donateArgnums } = jitParams(given);
  requireFunction(f, "jit");
  const name = nameOf(f);
  const named: Named = {
    name,
    statics: argnumList(staticArgnums, "staticArgnums"),
    donates: argnumList(donateArgnums, "donateArgnums"),
  };
  const { statics } = named;
  const cache = cacheOf(f);
  let last: Entry | undefined;

  const specialize = (args: readonly unknown[]): Specialized => {
    const staticPositions = resolve(statics, args.length, name);
    const dynamic = staticPositions.length === 0 ? args : args.filter((_, i) => !staticPositions.includes(i));
    const { leaves, def } = flattenArrays(dynamic, `jit(${name}): argument `, staticHint);
    const donated = donatedOf(args, named);
    const device = getEngine().defaultDevice();
    const axes = boundAxesKey();
    if (
      last &&
      staticPositions.length === 0 &&
      last.device === device &&
      last.axes === axes &&
      last.x64 === config.enableX64 &&
      last.def.key === def.key &&
      fits(leaves, last.avals)
    )
      return { entry: last, leaves, donated };
    const given = staticPositions.map((position) => ({
      position,
      key: staticKey(args[position]),
      value: args[position],
    }));
    const now: Traced = {
      def,
      avals: leaves.map((x) => x.aval),
      statics: given,
      device,
      axes,
      x64: config.enableX64,
    };
    const key = `${keyOf(now)}|${statics.join(",")}`;
    let entry = cache.entries.get(key);
    if (!entry) {
      if (config.explainCacheMisses) config.log(explainMiss(f, name, now, cache.entries.values(), cache.traces));
      entry = trace(f, args, now, name);
      cache.traces++;
      // what captures a tracer of an enclosing transformation belongs to that transformation's run only
      if (!entry.closed.consts.some((x) => x instanceof Tracer)) {
        if (cache.entries.size >= maxEntries) cache.entries.delete(cache.entries.keys().next().value!);
        cache.entries.set(key, entry);
        last = entry;
      }
    } else last = entry;
    return { entry, leaves, donated };
  };

  const jitted = (...args: unknown[]): unknown => {
    if (config.disableJit) return asWritten(f, args, resolve(statics, args.length, name), name);
    const { entry, leaves, donated } = specialize(args);
    return unflatten(entry.outDef, run(entry, leaves, donated, name));
  };
  Object.defineProperty(jitted, "name", { value: `jit(${name})` });
  Object.defineProperty(jitted, "traceCount", { get: () => cache.traces });
  return Object.assign(jitted, { lower: (...args: unknown[]) => lowered(specialize(args), named) });
}

/** What a specialisation is found by. */
const keyOf = ({ def, avals, statics, device, axes, x64 }: Traced): string =>
  [
    def.key,
    avals.map(formatAval).join(";"),
    statics.map((s) => `${s.position}=${s.key}`).join(";"),
    String(x64),
    device,
    axes,
  ].join("|");

/** A specialisation that can be looked at and compiled. */
function lowered({ entry, leaves, donated }: Specialized, named: Named): Lowered<readonly unknown[], unknown> {
  const { name } = named;
  const text = (): string => printJaxpr(entry.closed.jaxpr, entry.closed.consts.length);
  const prepared = (): Prepared => prepare(entry, leaves, donated);
  return {
    jaxpr: entry.closed,
    asText: text,
    explain: () => explanationOf(`jit(${name})`, text(), prepared()),
    compile() {
      const program = prepared();
      return Object.assign((...args: unknown[]) => runCompiled(entry, args, named), {
        asText: () => program.code(),
        memoryAnalysis: () => program.memory(),
        ready: () => program.ready(),
      });
    },
  };
}

/** A call of a compiled function: its arguments have to be of the types that it was lowered for. */
function runCompiled(entry: Entry, args: readonly unknown[], named: Named): unknown {
  const { name, statics } = named;
  const { leaves, def } = flattenArrays(dropStatics(args, statics, name), `jit(${name}): argument `, staticHint);
  if (def.key !== entry.def.key || !fits(leaves, entry.avals)) {
    throw new ShapeError({
      code: "compiled-types",
      message: `the compiled ${name} was called with other types than it was lowered for`,
      details: [
        ["lowered", entry.avals.map(formatAval).join(", ")],
        ["called", leaves.map((x) => formatAval(x.aval)).join(", ")],
      ],
      hint: "lower it again for these, or call the jitted function itself",
    });
  }
  return unflatten(entry.outDef, run(entry, leaves, donatedOf(args, named), name));
}

/** Calls the function itself, on arrays as a traced one is called. */
function asWritten(f: AnyFunction, args: readonly unknown[], statics: readonly number[], name: string): unknown {
  const dynamic = args.filter((_, i) => !statics.includes(i));
  const { leaves, def } = flattenArrays(dynamic, `jit(${name}): argument `, staticHint);
  const out = flattenArrays(
    f(...(merged(args, statics, unflatten(def, leaves) as unknown[]) as never[])),
    `the result of ${name}`,
  );
  return unflatten(out.def, out.leaves);
}

const staticHint =
  "jitted functions take pytrees of arrays and numbers; name other arguments in staticArgnums, register classes with registerPytreeNode";

/** Runs a specialisation: compiled at once where nothing is being traced, else as an equation of its own. */
function run(
  entry: Entry,
  leaves: readonly NDArray[],
  donated: readonly boolean[] | undefined,
  name: string,
): readonly NDArray[] {
  const { jaxpr, consts } = entry.closed;
  const inputs = consts.length === 0 ? leaves : [...consts, ...leaves];
  const flags = withConsts(entry, donated);
  const here = currentStaging() === undefined && axisNamesIn(jaxpr).length === 0;
  if (here && inputs.every((x) => x instanceof ConcreteArray)) {
    return getEngine().run(jaxpr, inputs as readonly ConcreteArray[], flags);
  }
  return bind(jitPrimitive, inputs, { name, jaxpr });
}

/** Compiles a specialisation for the device that it would run on. */
function prepare(entry: Entry, leaves: readonly NDArray[], donated: readonly boolean[] | undefined): Prepared {
  const { jaxpr, consts } = entry.closed;
  const operands = [...consts, ...leaves].filter((x): x is ConcreteArray => x instanceof ConcreteArray);
  return getEngine().prepare(jaxpr, operands, withConsts(entry, donated));
}

function trace(f: AnyFunction, args: readonly unknown[], traced: Traced, name: string): Entry {
  const { def, avals, statics } = traced;
  const staticPositions = statics.map((s) => s.position);
  let outDef = def;
  const closed = stage(
    (xs) => {
      const full = merged(args, staticPositions, unflatten(def, xs) as unknown[]);
      const out = flattenArrays(f(...(full as never[])), `the result of ${name}`);
      outDef = out.def;
      return out.leaves;
    },
    avals,
    { kind: `jit(${name})` },
  );
  debug(1, () => `traced ${name} for (${avals.map(formatAval).join(", ")}): ${closed.jaxpr.eqns.length} equations`);
  debug(2, () => `jaxpr of ${name}:\n${printJaxpr(closed.jaxpr, closed.consts.length)}`);
  return { ...traced, closed, outDef };
}

function fits(leaves: readonly NDArray[], avals: readonly Aval[]): boolean {
  if (leaves.length !== avals.length) return false;
  for (let i = 0; i < leaves.length; i++) {
    const a = leaves[i]!.aval;
    if (a !== avals[i] && !sameAval(a, avals[i]!)) return false;
  }
  return true;
}

function argnumList(x: number | readonly number[] | undefined, option: string): readonly number[] {
  const list = x === undefined ? [] : typeof x === "number" ? [x] : x;
  if (!Array.isArray(list) || list.some((i) => !Number.isInteger(i))) {
    throw new ArgumentError({
      code: "argnums",
      message: `jit: ${option} must be a whole number or a list of them, got ${describeValue(x)}`,
    });
  }
  return list;
}

function resolve(argnums: readonly number[], count: number, name: string): number[] {
  return argnums.map((i) => {
    const k = i < 0 ? i + count : i;
    if (k < 0 || k >= count) {
      throw new ArgumentError({
        code: "argnums",
        message: `jit(${name}): argument ${i} is named, but the call has ${count}`,
      });
    }
    return k;
  });
}

const dropStatics = (args: readonly unknown[], statics: readonly number[], name: string): readonly unknown[] => {
  const positions = resolve(statics, args.length, name);
  return args.filter((_, i) => !positions.includes(i));
};

/** Which leaves of a call are donated; undefined where none can be. */
function donatedOf(args: readonly unknown[], { name, statics, donates }: Named): boolean[] | undefined {
  if (donates.length === 0) return undefined;
  const staticPositions = resolve(statics, args.length, name);
  const positions = resolve(donates, args.length, name);
  return args.flatMap((a, i) =>
    staticPositions.includes(i) ? [] : flattenArrays(a, "donated argument ").leaves.map(() => positions.includes(i)),
  );
}

/** The same for the operands of the program, which captured arrays lead. */
const withConsts = (entry: Entry, donated: readonly boolean[] | undefined): readonly boolean[] | undefined =>
  donated && [...entry.closed.consts.map(() => false), ...donated];

/** Static values: primitives by type and value, lists by their entries, other objects and functions by identity. */
function staticKey(x: unknown): string {
  if (x instanceof NDArray) {
    throw new ArgumentError({
      code: "static-array",
      message: "a static argument must not be an array",
      hint: "leave it out of staticArgnums, so that it is traced",
    });
  }
  if (Array.isArray(x)) return `[${x.map(staticKey).join(",")}]`;
  if ((typeof x === "object" && x !== null) || typeof x === "function") return `@${identityOf(x)}`;
  return `${typeof x}:${Object.is(x, -0) ? "-0" : String(x)}`;
}
