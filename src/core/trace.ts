import type { ConcreteArray } from "./array.js";
import { NDArray } from "./array.js";
import { formatAval } from "./aval.js";
import { debug } from "./debug.js";
import { getEngine } from "./engine.js";
import { ArgumentError, TracerError } from "./errors.js";
import { axisNamesOf, type NamedAxis, unboundAxis } from "./named-axes.js";
import type { AnyPrimitive, Primitive } from "./primitive.js";
import { currentSource, lineHere, recordsSources, withSource } from "./source.js";

/**
 * Interpreters of primitives, on a stack. A value of a trace is a tracer; an operation goes to the highest trace among its
 * operands' and the current staging trace, and that trace's rules bind operations of lower traces.
 */
export abstract class Trace {
  /** False once the function it traced has returned or thrown: its tracers may not be used any more. */
  alive = true;
  /** The axis that it maps over, where that has a name: operations on the name go to this trace even without operands of it. */
  readonly axis: NamedAxis | undefined = undefined;
  constructor(readonly level: number) {}
  /** What it is called in errors. */
  abstract readonly kind: string;
  /** Takes in a value of a lower trace. */
  abstract lift(x: NDArray): Tracer;
  abstract process(primitive: AnyPrimitive, inputs: readonly Tracer[], params: unknown): readonly NDArray[];
}

/** A value that a trace follows. */
export abstract class Tracer extends NDArray {
  constructor(readonly tracedBy: Trace) {
    super();
  }
  /** How errors describe the value. */
  describe(): string {
    return `traced ${formatAval(this.aval)} (under ${this.tracedBy.kind})`;
  }
}

const stack: Trace[] = [];
let staging: Trace | undefined;

/** Number of traces that are running; 0 when nothing is traced. */
export const traceDepth = (): number => stack.length;

/** The staging trace that records everything bound now, if any. */
export const currentStaging = (): Trace | undefined => staging;

/** The named axes that are mapped over here, innermost first; an inner one hides an outer one of its name. */
export function boundAxes(): readonly NamedAxis[] {
  const axes = new Map<string, NamedAxis>();
  for (let i = stack.length - 1; i >= 0; i--) {
    const axis = stack[i]!.axis;
    if (axis !== undefined && !axes.has(axis.name)) axes.set(axis.name, axis);
  }
  return [...axes.values()];
}

/** The size of the axis of a name. @throws ArgumentError `axis-unbound`. */
export function axisSizeOf(name: string, op: string): number {
  const trace = mapperOf(name);
  if (trace === undefined) throw unboundAxis(op, name, boundAxes());
  return trace.axis!.size;
}

/** What a trace of a function depends on besides its arguments: the names that are bound, with their sizes; what is recorded. */
export function boundAxesKey(): string {
  let key = recordsSources() ? "sources," : "";
  if (stack.length > 0) for (const { name, size } of boundAxes()) key += `${JSON.stringify(name)}=${size},`;
  return key;
}

/** The innermost trace that maps over an axis of this name. */
function mapperOf(name: string): Trace | undefined {
  for (let i = stack.length - 1; i >= 0; i--) if (stack[i]!.axis?.name === name) return stack[i];
  return undefined;
}

/**
 * Runs `body` with a new trace above all others, and releases it whatever happens.
 * `stage`: the trace also records operations that have no traced operand.
 */
export function withTrace<T extends Trace, R>(make: (level: number) => T, stage: boolean, body: (trace: T) => R): R {
  const trace = make(stack.length + 1);
  const outer = staging;
  stack.push(trace);
  if (stage) staging = trace;
  try {
    const result = body(trace);
    refusePromise(result, `the result of the function under ${trace.kind}`);
    return result;
  } finally {
    stack.length = trace.level - 1;
    staging = outer;
    trace.alive = false;
  }
}

/** A traced function must return its result, not a promise of it. */
export function refusePromise(result: unknown, what: string): void {
  if (typeof result === "object" && result !== null && typeof (result as { then?: unknown }).then === "function") {
    (result as Promise<unknown>).then(undefined, () => undefined);
    throw new ArgumentError({
      code: "async-function",
      message: `${what} is a promise`,
      hint: "transformations trace synchronous functions; await data before, and pass it as an argument",
    });
  }
}

/** Runs `body` without the current staging trace: what it binds on concrete arrays is computed now. */
export function outsideStaging<R>(body: () => R): R {
  const outer = staging;
  staging = undefined;
  try {
    return body();
  } finally {
    staging = outer;
  }
}

/** Applies a primitive: the one way in which anything is computed. */
export function bind<P>(primitive: Primitive<P>, inputs: readonly NDArray[], params: P): readonly NDArray[] {
  debug(5, () => `bind ${primitive.name} ${inputs.map((x) => formatAval(x.aval)).join(" ")}`);
  let top = staging;
  for (const x of inputs) {
    if (x instanceof Tracer) {
      if (!x.tracedBy.alive) throw leaked(x, primitive.name);
      if (top === undefined || x.tracedBy.level > top.level) top = x.tracedBy;
    }
  }
  if (primitive.axisNames !== undefined || primitive.jaxprs !== undefined) top = aboveNamed(primitive, params, top);
  if (top === undefined) return getEngine().evaluate(primitive, inputs as readonly ConcreteArray[], params);
  const trace = top;
  const lifted = inputs.map((x) => (x instanceof Tracer && x.tracedBy === trace ? x : trace.lift(x)));
  if (!recordsSources() || currentSource() !== undefined) return trace.process(primitive, lifted, params);
  return withSource({ line: lineHere(), op: primitive.name }, () => trace.process(primitive, lifted, params));
}

/** The higher one of `top` and the traces of the named axes that an operation runs over. */
function aboveNamed(primitive: AnyPrimitive, params: unknown, top: Trace | undefined): Trace | undefined {
  const names = axisNamesOf(primitive, params);
  for (const name of names) {
    const mapper = mapperOf(name);
    if (mapper !== undefined && (top === undefined || mapper.level > top.level)) top = mapper;
  }
  // What is recorded may be mapped later; what would be computed now has to be mapped already.
  if (top === undefined && names.length > 0) throw unboundAxis(primitive.name, names[0]!, boundAxes());
  return top;
}

/** `bind` for primitives with one result. */
export function bind1<P>(primitive: Primitive<P>, inputs: readonly NDArray[], params: P): NDArray {
  return bind(primitive, inputs, params)[0]!;
}

function leaked(x: Tracer, op: string): TracerError {
  return new TracerError({
    code: "leaked-tracer",
    message: `${op} was given a value that escaped from a transformation that has ended`,
    details: [["value", x.describe()]],
    hint: "return values from the transformed function instead of storing them in outer variables",
  });
}
