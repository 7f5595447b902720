import fc from "fast-check";
import { type NDArray, numpy as np } from "../../src/index.js";
import { moving } from "./movements.js";
import { type Applied, computing, type Operation, type Scope } from "./operations.js";
import { nesting } from "./regions.js";
import { Choices, sizeOf, type Value } from "./values.js";

/** Random programs of array functions: data that can be shrunk, evaluated on any arrays, and read. */

type InputType = "float" | "int32" | "bool";

export interface Input {
  readonly shape: readonly number[];
  readonly type: InputType;
  readonly seed: number;
}

interface Step {
  readonly kind: number;
  readonly numbers: readonly number[];
  /** Steps of the functions inside: no other steps look at them. */
  readonly bodies?: readonly (readonly Step[])[];
}

/** The derivatives that will be taken of a program: a while loop has no reverse mode, a function with its own vjp no forward mode. */
type Derivatives = "none" | "forward" | "reverse" | "both";

export interface Program {
  readonly float: "float32" | "float64";
  readonly inputs: readonly Input[];
  readonly steps: readonly Step[];
  /** Elements of float inputs: whole numbers, whose sums are exact, or any. */
  readonly whole: boolean;
  /** Some elements of float inputs are NaN, infinite or −0. */
  readonly special: boolean;
  readonly derivatives?: Derivatives;
}

const flat = Object.values({ ...computing, ...moving });
const operations: readonly Operation[] = [...flat, ...Object.values(nesting)];

const specials = [NaN, Infinity, -Infinity, -0];

/** Elements of an input; `variant` gives others of the same kind. */
export function makeInput({ float, whole, special }: Program, { shape, type, seed }: Input, variant = 0): NDArray {
  let state = (seed * 2654435761 + variant * 40503 + 12345) >>> 0;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 4294967296;
  };
  const element = (): number => {
    if (special && type === "float" && next() < 0.2) return specials[Math.floor(specials.length * next())]!;
    return type === "float" && !whole ? 4 * next() - 2 : Math.floor(9 * next()) - 4;
  };
  const data = Array.from({ length: sizeOf(shape) }, element);
  if (type === "bool")
    return np.array(
      data.map((x) => x > 0),
      { shape },
    );
  return np.array(data, { shape, dtype: type === "float" ? float : "int32" });
}

export const makeInputs = (program: Program, variant = 0): NDArray[] =>
  program.inputs.map((input) => makeInput(program, input, variant));

export interface Evaluated {
  /** The last few values, whether others are made of them or not. */
  readonly results: readonly Value[];
  readonly lines: readonly string[];
}

type Function = (...xs: NDArray[]) => NDArray[];

/**
 * Runs a program; the same choices are made wherever shapes and dtypes are the same. `inner` wraps its first half; `plain` leaves out
 * what wraps functions inside.
 */
export function evaluate(
  program: Program,
  args: readonly NDArray[],
  inner?: (f: Function) => Function,
  plain = false,
): Evaluated {
  const lines: string[] = [];
  let names = 0;
  const { derivatives = "none" } = program;
  const context: Context = {
    plain,
    forward: derivatives === "forward" || derivatives === "both",
    reverse: derivatives === "reverse" || derivatives === "both",
    fresh: () => `v${names++}`,
  };
  let pool: readonly Value[] = args.map((x, k) => {
    const { type, shape } = program.inputs[k]!;
    const dtype = type === "float" ? program.float : type;
    lines.push(`const x${k} = …; // ${dtype}[${shape.join(",")}]`);
    const error = type === "float" && !program.whole ? 1 : 0;
    return { x, name: `x${k}`, bound: type === "bool" ? 1 : 4, error, finite: !program.special };
  });
  const half = inner === undefined ? 0 : Math.ceil(program.steps.length / 2);
  if (inner !== undefined) {
    const before = pool;
    const first: Function = (...xs) => {
      pool = extend(
        before.map((v, k) => ({ ...v, x: xs[k]! })),
        program.steps.slice(0, half),
        lines,
        context,
      );
      return pool.map((v) => v.x);
    };
    const outs = inner(first)(...args);
    pool = pool.map((v, k) => ({ ...v, x: outs[k]! }));
  }
  const results = extend(pool, program.steps.slice(half), lines, context).slice(-4);
  lines.push(`return [${results.map((v) => v.name).join(", ")}];`);
  return { results, lines };
}

type Context = Omit<Scope, "body">;

/** The pool with the results of further steps; writes down what they are. */
function extend(start: readonly Value[], steps: readonly Step[], lines: string[], context: Context): readonly Value[] {
  const pool = [...start];
  const finite = start.every((v) => v.finite);
  for (const { kind, numbers, bodies = [] } of steps) {
    const scope: Scope = {
      ...context,
      body(k, inside) {
        const text: string[] = [];
        return { values: extend(inside, bodies[k] ?? [], text, context), lines: text.flatMap((l) => l.split("\n")) };
      },
    };
    const applied = operations[kind % operations.length]!(pool, new Choices(numbers), scope);
    if (applied === undefined) continue;
    for (const { x, text, bound, error } of "x" in applied ? [applied] : (applied as readonly Applied[])) {
      const name = context.fresh();
      lines.push(`const ${name} = ${text}; // ${x.dtype}[${x.shape.join(",")}]`);
      pool.push({ x, name, bound, error, finite });
    }
  }
  return pool;
}

/** The program as a function of arrays. */
export const asFunction =
  (program: Program, inner?: (f: Function) => Function, plain = false) =>
  (...args: NDArray[]): NDArray[] =>
    evaluate(program, args, inner, plain).results.map((v) => v.x);

const shapesOf = (lengths: readonly number[]): fc.Arbitrary<number[]> =>
  fc.array(fc.constantFrom(...lengths), { maxLength: 3 }).filter((shape) => sizeOf(shape) <= 400);
const usual = [2, 3, 1, 4, 5, 7, 8, 9, 17];
const types = fc.constantFrom<InputType>("float", "float", "float", "int32", "bool");

export interface ProgramOptions {
  readonly float?: "float32" | "float64";
  readonly whole?: boolean;
  readonly maxSteps?: number;
  /** Only floats come in. */
  readonly floats?: boolean;
  /** With NaN, infinities and −0 among the elements, and axes of length 0. */
  readonly special?: boolean;
  /** With functions inside: branches, loops, calls. */
  readonly nested?: boolean;
  readonly derivatives?: Derivatives;
}

const numbers = fc.array(fc.nat(59), { minLength: 1, maxLength: 8 });
const flatStep = fc.record<Step>({ kind: fc.nat(flat.length - 1), numbers });

/** Steps of which some have functions inside, to a depth. */
function steps(depth: number): fc.Arbitrary<Step> {
  if (depth === 0) return flatStep;
  const body = fc.array(steps(depth - 1), { maxLength: 4 });
  const bodies = fc.tuple(body, body, body);
  const kind = fc.integer({ min: flat.length, max: operations.length - 1 });
  return fc.oneof({ arbitrary: flatStep, weight: 2 }, { arbitrary: fc.record({ kind, numbers, bodies }), weight: 1 });
}

/** Programs of 5 to 25 operations; those that nothing fits are left out when they run. */
export function programs({
  float,
  whole,
  maxSteps = 25,
  floats = false,
  special = false,
  nested = false,
  derivatives = "none",
}: ProgramOptions = {}): fc.Arbitrary<Program> {
  const shapes = shapesOf(special ? [...usual, 0] : usual);
  const input = fc.record<Input>({ shape: shapes, type: floats ? fc.constant("float") : types, seed: fc.nat(1000) });
  const first = fc.record<Input>({ shape: shapes, type: fc.constant("float"), seed: fc.nat(1000) });
  return fc
    .record({
      float: float ? fc.constant(float) : fc.constantFrom<Program["float"]>("float32", "float64"),
      whole: whole === undefined ? fc.boolean() : fc.constant(whole),
      first,
      more: fc.array(input, { maxLength: 3 }),
      steps: fc.array(steps(nested ? 2 : 0), { minLength: 5, maxLength: maxSteps, size: "max" }),
    })
    .map(({ float: f, whole: w, first: x0, more, steps }) =>
      printable({ float: f, whole: w, special, derivatives, inputs: [x0, ...more], steps }),
    );
}

/** A program that fast-check shows as code. */
function printable(program: Program): Program {
  return Object.defineProperty({ ...program }, fc.toStringMethod, {
    value: () => {
      try {
        const { lines } = evaluate(program, makeInputs(program));
        return `\n${lines.join("\n")}\n${JSON.stringify(program)}\n`;
      } catch (e) {
        return `${JSON.stringify(program)} (${String(e)})`;
      }
    },
  });
}
