import {
  checkpoint,
  customJvp,
  customVjp,
  jit,
  jvp,
  lax,
  type NDArray,
  numpy as np,
  vjp,
  vmap,
} from "../../src/index.js";
import type { Applied, Operation, Scope } from "./operations.js";
import { type Choices, isBool, isExact, isFloat, isInt, sizeOf, type Value } from "./values.js";

/** Operations with functions inside: branches, loops, and calls with or without rules of their own. */

/** Values that loops carry are no larger. */
const largestCarry = 60;

/** A value as a parameter of a function, known less well than where it came from. */
const parameter = (scope: Scope, x: NDArray, like: Value, bound = like.bound, error = like.error): Value => ({
  x,
  name: scope.fresh(),
  bound,
  error,
  finite: like.finite,
});

/** What a function sees: the latest values around it, and its parameters. */
const seen = (pool: readonly Value[], parameters: readonly Value[]): Value[] => [...pool.slice(-3), ...parameters];

/** The latest value of a dtype, brought to a shape. */
function fitted(values: readonly Value[], like: Value): Applied {
  const v = values.findLast((o) => o.x.dtype === like.x.dtype)!;
  const { shape } = like.x;
  if (String(v.x.shape) === String(shape)) return { ...v, text: v.name };
  const text = `[${shape.join(", ")}]`;
  const n = Math.max(1, v.x.size);
  if (isBool(v))
    return { ...v, x: np.broadcastTo(np.any(v.x), shape), text: `np.broadcastTo(np.any(${v.name}), ${text})` };
  if (isInt(v))
    return {
      x: np.broadcastTo(np.sum(v.x), shape),
      text: `np.broadcastTo(np.sum(${v.name}), ${text})`,
      bound: v.bound * n,
      error: 0,
    };
  if (v.x.size === 0) return { ...like, text: like.name };
  return {
    x: np.broadcastTo(np.mean(v.x), shape),
    text: `np.broadcastTo(np.mean(${v.name}), ${text})`,
    bound: v.bound,
    error: v.error + (n + 2) * v.bound,
  };
}

/** Keeps what goes round and round small. */
function tamed(v: Applied): Applied {
  if (v.x.dtype === "bool") return v;
  if (v.x.dtype === "int32") return { ...v, bound: 2 ** 31, error: 0 };
  if (v.bound <= 4) return v;
  return { x: np.tanh(v.x), text: `np.tanh(${v.text})`, bound: 1, error: v.error + 4 };
}

/** Error after so many rounds, where a round makes `after` of `before`. */
const grown = (before: number, after: number, rounds: number): number =>
  after * Math.max(1, after / Math.max(before, 1)) ** Math.max(0, rounds - 1);

const block = (parameters: readonly Value[], lines: readonly string[], result: string): string =>
  [
    `(${parameters.map((p) => p.name).join(", ")}) => {`,
    ...lines.map((l) => `  ${l}`),
    `  return ${result};`,
    "}",
  ].join("\n");

const anyPredicate = (pool: readonly Value[], choose: Choices): readonly [x: NDArray, text: string] | undefined => {
  const v = choose.among(pool.filter((o) => isExact(o) && o.finite && o.x.size > 0));
  if (!v) return undefined;
  if (isBool(v)) return [np.any(v.x), `np.any(${v.name})`];
  return [np.less(np.max(v.x), 2), `np.less(np.max(${v.name}), 2)`];
};

const wholeIndex = (pool: readonly Value[], choose: Choices): readonly [x: NDArray, text: string] | undefined => {
  const v = choose.among(pool.filter((o) => isInt(o) && o.x.size > 0));
  return v && [np.max(v.x), `np.max(${v.name})`];
};

function branches(
  count: number,
  choice: (fs: readonly ((...xs: NDArray[]) => NDArray)[], ...xs: NDArray[]) => NDArray,
) {
  return (pool: readonly Value[], choose: Choices, scope: Scope, head: string): Applied | undefined => {
    const like = choose.among(pool.filter((v) => v.x.size <= 500));
    const operand = choose.among(pool);
    if (!like || !operand) return undefined;
    const results: Applied[] = [];
    const texts: string[] = [];
    const fs = Array.from({ length: count }, (_, k) => (x: NDArray, y: NDArray): NDArray => {
      const parameters = [parameter(scope, x, operand), parameter(scope, y, like)];
      const { values, lines } = scope.body(k, seen(pool, parameters));
      const result = fitted(values, parameters[1]!);
      results.push(result);
      texts.push(block(parameters, lines, result.text));
      return result.x;
    });
    const x = choice(fs, operand.x, like.x);
    return {
      x,
      text: `${head}${texts.join(", ")}, ${operand.name}, ${like.name})`,
      bound: Math.max(...results.map((r) => r.bound)),
      error: Math.max(...results.map((r) => r.error)),
    };
  };
}

const cond: Operation = (pool, choose, scope) => {
  const predicate = anyPredicate(pool, choose);
  if (!predicate) return undefined;
  const [p, text] = predicate;
  return branches(2, ([f, g], ...xs) => lax.cond(p, f!, g!, ...xs))(pool, choose, scope, `lax.cond(${text}, `);
};

const switched: Operation = (pool, choose, scope) => {
  const index = wholeIndex(pool, choose);
  if (!index) return undefined;
  const [i, text] = index;
  return branches(3, (fs, ...xs) => lax.switch(i, fs, ...xs))(pool, choose, scope, `lax.switch(${text}, `);
};

/** Begins of carries, and what the body makes of them. */
interface Carrying {
  readonly init: readonly Applied[];
  /** The values of the carry in the body. */
  readonly inside: (xs: readonly NDArray[]) => readonly Value[];
  /** The next carry, given what the body computed. */
  readonly next: (values: readonly Value[], parameters: readonly Value[]) => readonly Applied[];
  /** The last carry. */
  readonly out: (xs: readonly NDArray[], after: readonly Applied[], rounds: number) => readonly Applied[];
}

function carrying(pool: readonly Value[], choose: Choices, scope: Scope): Carrying | undefined {
  const small = pool.filter((v) => v.x.size <= largestCarry);
  if (small.length === 0) return undefined;
  const kept = Array.from({ length: 1 + choose.below(2) }, () => choose.among(small)!);
  const init = kept.map((v) => tamed({ ...v, text: v.name }));
  const before = init.map((v, k) => (isFloat(kept[k]!) ? Math.max(4, v.error) : 0));
  const bounds = init.map((v, k) => (isFloat(kept[k]!) ? 4 : isBool(kept[k]!) ? 1 : 2 ** 31));
  return {
    init,
    inside: (xs) => xs.map((x, k) => parameter(scope, x, kept[k]!, bounds[k], before[k])),
    next: (values, parameters) => parameters.map((p) => tamed(fitted(values, p))),
    out: (xs, after, rounds) =>
      xs.map((x, k) => {
        const { error } = after[k]!;
        return {
          x,
          text: `[${k}]`,
          bound: bounds[k]!,
          error: isFloat(kept[k]!) ? grown(before[k]!, error, rounds) : 0,
        };
      }),
  };
}

const scan: Operation = (pool, choose, scope) => {
  const carry = carrying(pool, choose, scope);
  if (!carry) return undefined;
  const first = choose.among(pool.filter((v) => v.x.ndim > 0 && v.x.shape[0]! <= 5));
  const n = first?.x.shape[0] ?? 1 + choose.below(4);
  const second = choose.flag() ? choose.among(pool.filter((v) => v.x.ndim > 0 && v.x.shape[0] === n)) : undefined;
  const xs = [first, second].filter((v) => v !== undefined);
  const options = { length: n, reverse: choose.flag(), unroll: choose.among([1, 1, 2, true])! };
  let [after, y, text] = [[] as readonly Applied[], undefined as Applied | undefined, ""];
  const body = (state: readonly NDArray[], elements: readonly NDArray[]): [NDArray[], NDArray] => {
    const [now, slices] = [carry.inside(state), elements.map((x, k) => parameter(scope, x, xs[k]!))];
    const { values, lines } = scope.body(0, seen(pool, [...slices, ...now]));
    after = carry.next(values, now);
    const last = values.at(-1)!;
    y = { ...last, text: last.name };
    const result = `[[${after.map((a) => a.text).join(", ")}], ${y.text}]`;
    const names = (list: readonly Value[]): string => `[${list.map((v) => v.name).join(", ")}]`;
    text = [`([${names(now)}, ${names(slices)}]) => {`, ...lines.map((l) => `  ${l}`), `  return ${result};`, "}"].join(
      "\n",
    );
    return [after.map((a) => a.x), last.x];
  };
  const init = carry.init.map((v) => v.x);
  const [state, ys] = lax.scan(
    body as never,
    init,
    xs.map((v) => v.x),
    options,
  ) as unknown as [NDArray[], NDArray];
  if (sizeOf(ys.shape) > 3000) return undefined;
  const outs = carry.out(state, after, n);
  const call = `lax.scan(${text}, [${carry.init.map((v) => v.text).join(", ")}], [${xs.map((v) => v.name).join(", ")}], ${JSON.stringify(options)})`;
  const worst = Math.max(1, ...after.map((a, k) => outs[k]!.error / Math.max(1, a.error)));
  return [
    ...outs.map((o, k) => ({ ...o, text: `${call}[0][${k}]` })),
    { x: ys, text: "… [1]", bound: y!.bound, error: y!.error * worst },
  ];
};

/** Loops over a counter, by a function that runs them. */
const counted =
  (
    run: (n: number, choose: Choices) => { text: string; loop: (body: Counted, init: NDArray[]) => NDArray[] },
  ): Operation =>
  (pool, choose, scope) => {
    const carry = carrying(pool, choose, scope);
    if (!carry) return undefined;
    const n = choose.below(5);
    const { text: head, loop } = run(n, choose);
    let [after, text] = [[] as readonly Applied[], ""];
    const body: Counted = (i, state) => {
      const now = carry.inside(state);
      const counter: Value = { x: i, name: scope.fresh(), bound: 8, error: 0, finite: true };
      const { values, lines } = scope.body(0, seen(pool, [counter, ...now]));
      after = carry.next(values, now);
      text = block([counter, ...now], lines, `[${after.map((a) => a.text).join(", ")}]`);
      return after.map((a) => a.x);
    };
    const state = loop(
      body,
      carry.init.map((v) => v.x),
    );
    const call = `${head}, ${text}, [${carry.init.map((v) => v.text).join(", ")}])`;
    return carry.out(state, after, 5).map((o, k) => ({ ...o, text: `${call}[${k}]` }));
  };
type Counted = (i: NDArray, state: readonly NDArray[]) => NDArray[];

const foriLoop = counted((n) => ({
  text: `lax.foriLoop(0, ${n}`,
  loop: (body, init) => lax.foriLoop(0, n, body as never, init) as NDArray[],
}));

interface Rounds {
  readonly i: NDArray;
  readonly state: NDArray[];
}
const roundsOf = (body: Counted) => ({
  step: ({ i, state }: Rounds): Rounds => ({ i: i.add(1), state: body(i, state) }),
  below:
    (n: number, choose: Choices) =>
    ({ i, state }: Rounds): NDArray => {
      const whole = state.filter((x) => x.dtype === "int32" && x.size > 0);
      const within = np.less(i, n);
      const x = choose.among(whole);
      return x ? np.logicalAnd(within, np.less(np.min(x), 3)) : within;
    },
});

const boundedWhile = counted((n, choose) => ({
  text: `boundedWhile(${n}`,
  loop: (body, init) => {
    const { step, below } = roundsOf(body);
    const start = { i: np.array(0, { dtype: "int32" }), state: init };
    return lax.boundedWhile(below(n, choose), step, start, { maxSteps: 4 }).state;
  },
}));

const whileLoop: Operation = (pool, choose, scope) =>
  scope.reverse
    ? boundedWhile(pool, choose, scope)
    : counted((n) => ({
        text: `whileLoop(${n}`,
        loop: (body, init) => {
          const { step, below } = roundsOf(body);
          const start = { i: np.array(0, { dtype: "int32" }), state: init };
          return lax.whileLoop(below(n, choose), step, start).state;
        },
      }))(pool, choose, scope);

type Call = (...xs: NDArray[]) => NDArray[];
type Wrapper = (f: Call) => Call;

const zeroed = (x: NDArray): boolean => !x.dtype.startsWith("float");

const wrappers: Readonly<Record<string, Wrapper>> = {
  jit: (f) => jit(f),
  checkpoint: (f) => checkpoint(f),
  "checkpoint(jit)": (f) => checkpoint(jit(f)),
  customJvp: (f) => {
    const wrapped = customJvp(f);
    // the rule derives the function itself
    wrapped.defjvp(((xs: NDArray[], ts: NDArray[]) => {
      const moving = xs.flatMap((x, k) => (zeroed(x) ? [] : [k]));
      const all = (of: readonly NDArray[]): NDArray[] => xs.map((x, k) => of[moving.indexOf(k)] ?? x);
      const only = (list: readonly NDArray[]): NDArray[] => moving.map((k) => list[k]!);
      return jvp((...of: NDArray[]) => f(...all(of)), only(xs), only(ts));
    }) as never);
    return wrapped as Call;
  },
  customVjp: (f) => {
    const wrapped = customVjp(f);
    wrapped.defvjp(
      ((...xs: NDArray[]) => [f(...xs), xs]) as never,
      ((xs: NDArray[], cts: (NDArray | null)[]) => {
        const [ys, pull] = vjp(f, ...xs);
        // results without a cotangent are integers: what stands for it is not looked at
        return pull(ys.map((y, k) => cts[k] ?? y)).map((g, k) => (zeroed(xs[k]!) ? null : g));
      }) as never,
    );
    return wrapped as Call;
  },
};

/** A function of a few values, called through something that must not change what it is. */
const call =
  (name: string): Operation =>
  (pool, choose, scope) => {
    const args = Array.from({ length: 1 + choose.below(3) }, () => choose.among(pool)!);
    if (pool.length === 0) return undefined;
    let [results, text] = [[] as readonly Value[], ""];
    const closed = name.startsWith("custom");
    const f: Call = (...xs) => {
      const parameters = xs.map((x, k) => parameter(scope, x, args[k]!));
      const { values, lines } = scope.body(0, closed ? parameters : seen(pool, parameters));
      results = values.slice(-2);
      text = block(parameters, lines, `[${results.map((v) => v.name).join(", ")}]`);
      return results.map((v) => v.x);
    };
    const wrap = scope.plain || (name === "customVjp" && scope.forward) ? undefined : wrappers[name];
    const outs = (wrap ? wrap(f) : f)(...args.map((v) => v.x));
    return outs.map((x, k) => ({
      x,
      text: `${name}(${text})(${args.map((v) => v.name).join(", ")})[${k}]`,
      bound: results[k]!.bound,
      error: results[k]!.error,
    }));
  };

/** A function of the elements of a leading axis, mapped in one of two ways. */
const mapped: Operation = (pool, choose, scope) => {
  const v = choose.among(pool.filter((o) => o.x.ndim > 0 && o.x.shape[0]! > 0 && o.x.shape[0]! <= 5));
  if (!v) return undefined;
  let [result, text] = [undefined as Value | undefined, ""];
  const f = (x: NDArray): NDArray => {
    const parameters = [parameter(scope, x, v)];
    const { values, lines } = scope.body(0, seen(pool, parameters));
    result = values.at(-1)!;
    text = block(parameters, lines, result.name);
    return result.x;
  };
  const how = choose.below(3);
  const x = how === 0 ? lax.map(f, v.x) : how === 1 ? lax.map(f, v.x, { batchSize: 2 }) : vmap(f)(v.x);
  const name = ["lax.map(", "lax.map({ batchSize: 2 }, ", "vmap("][how]!;
  return x.size > 3000
    ? undefined
    : { x, text: `${name}${text})(${v.name})`, bound: result!.bound, error: result!.error };
};

export const nesting: Readonly<Record<string, Operation>> = {
  cond,
  switched,
  scan,
  scanAgain: scan,
  foriLoop,
  boundedWhile,
  whileLoop,
  mapped,
  jit: call("jit"),
  checkpoint: call("checkpoint"),
  checkpointOfJit: call("checkpoint(jit)"),
  customJvp: call("customJvp"),
  customVjp: call("customVjp"),
};
