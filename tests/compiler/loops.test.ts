import { describe, expect, it } from "vitest";
import { InterpreterBackend } from "../../src/backends/reference/interpreter.js";
import { compile } from "../../src/compiler/index.js";
import { devicePut, grad, jit, lax, makeJaxpr, numpy as np, tree, type NDArray, vmap } from "../../src/index.js";
import type { Program, ProgramFunction, Step } from "../../src/kernel-ir/program.js";
import { verifyProgram } from "../../src/kernel-ir/verifier.js";

type F = (...args: NDArray[]) => unknown;

const { traits } = new InterpreterBackend();

function program(f: F, ...args: NDArray[]): Program {
  const p = compile(makeJaxpr(f)(...args).jaxpr, { name: "main", traits });
  verifyProgram(p);
  return p;
}
const bodyOf = (p: Program): ProgramFunction => {
  const step = p.functions[0]!.steps.find((s) => s.kind === "scan" || s.kind === "loop") as Extract<
    Step,
    { kind: "scan" | "loop" }
  >;
  return p.functions[step.body]!;
};
/** How many arrays among the results of the body may lie where the state lies that they come after. */
const inPlace = (p: Program): number => {
  const { outputs, outputReusesInput } = bodyOf(p);
  return outputs.filter(({ bytes }, k) => bytes > 4 && outputReusesInput[k] !== null).length;
};

/** Compiled for wasm, and evaluated plainly. */
function agrees(f: F, ...args: NDArray[]): void {
  const values = (out: unknown): unknown[] => tree.leaves(out).map((x) => (x as NDArray).js());
  const plain = values(jit((...xs: NDArray[]) => f(...xs))(...args.map((x) => devicePut(x, "reference"))));
  expect(values(jit((...xs: NDArray[]) => f(...xs))(...args))).toEqual(plain);
}

const x = np.arange(7, { dtype: "float32" });
const ones = np.ones([2]);

describe("state of a loop that lies where it lay", () => {
  const cases: [string, F][] = [
    ["one element set a round", (v) => lax.foriLoop(0, 5, (i, a) => a.at(i).set(i.mul(2)), v!)],
    ["a slice written a round", (v) => lax.foriLoop(0, 5, (i, a) => lax.dynamicUpdateSlice(a, ones.mul(i), [i]), v!)],
    ["added to elementwise", (v) => lax.foriLoop(0, 5, (i, a) => a.mul(0.5).add(i), v!)],
    ["read before it is written", (v) => lax.foriLoop(0, 5, (i, a) => a.at(i).set(np.take(a, i.add(1)).mul(2)), v!)],
    [
      "written twice",
      (v) =>
        lax.scan((a, i) => [a.at(i).set(-1).at(i.add(1)).add(5), a.at(i).get()], v!, np.arange(5), { reverse: true }),
    ],
    [
      "a while loop",
      (v) =>
        lax.whileLoop(
          ([i]: readonly NDArray[]) => i!.less(5),
          ([i, a]: readonly NDArray[]) => [i!.add(1), a!.at(i!).mul(3)],
          [np.array(0, { dtype: "int32" }), v!],
        ),
    ],
    ["a loop in a loop", (v) => lax.foriLoop(0, 3, (i, a) => lax.foriLoop(0, 4, (k, b) => b.at(k).add(i), a), v!)],
  ];
  it.each(cases)("%s", (_, f) => {
    const p = program(f, x);
    expect(inPlace(p)).toBe(1);
    agrees(f, x);
  });

  it("copies where the old state is read after the new one is begun", () => {
    const old: F = (v) => lax.foriLoop(0, 5, (i, a) => a.at(i).set(7).add(np.flip(a)), v!);
    agrees(old, x);
    const pair: F = (v) => lax.foriLoop(0, 5, (i, s) => [s[1]!.at(i).set(9), s[0]!], [v!, v!.mul(2)]);
    agrees(pair, x);
    const reversed: F = (v) => lax.foriLoop(0, 5, (_, a) => np.flip(a).mul(1.5), v!);
    expect(inPlace(program(reversed, x))).toBe(0);
    agrees(reversed, x);
    const beside: F = (v) => lax.scan((a, i) => [a.at(i).set(3), a], v!, np.arange(4));
    agrees(beside, x);
  });

  it("does no copy for an array that is updated where it lies", () => {
    const p = program((v) => lax.foriLoop(0, 5, (i, a) => a.at(i).set(1), v!), x);
    // the copy from input to output is one of a place to itself
    const body = bodyOf(p);
    const carried = body.outputReusesInput.indexOf(1);
    expect(body.steps.filter((s) => s.kind === "copy" && s.bytes > 4)).toEqual([
      { kind: "copy", from: { kind: "input", index: 1 }, to: { kind: "output", index: carried }, bytes: 28 },
    ]);
  });
});

describe("what loops carry", () => {
  const sizes = (p: Program): [inputs: number, outputs: number] => {
    const { inputs, outputs } = bodyOf(p);
    return [inputs.length, outputs.length];
  };

  it.each<[string, F, NDArray[], [inputs: number, outputs: number]]>([
    ["no counter that nobody reads", (v) => lax.foriLoop(0, 5, (_, a) => a.mul(0.5), v!), [x], [1, 1]],
    ["no state that nobody reads", (v) => lax.scan((s) => [[s[0]!.add(1), s[1]!.mul(s[0]!)], null], [v!, v!], null, { length: 3 })[0][0], [x], [1, 1]], // prettier-ignore
    ["no results that nobody reads", (v) => lax.scan((s, e) => [s.add(1), s.mul(e)], v!, np.arange(3))[0], [x], [1, 1]],
    ["what is handed on as a constant", (v) => lax.scan((s) => [[s[0]!.add(s[1]!), s[1]!], null], [v!, v!.mul(2)], null, { length: 3 })[0], [x], [2, 1]], // prettier-ignore
    ["state of a while loop likewise", (v) => lax.whileLoop((s) => s[0]!.less(9), (s) => [s[0]!.add(2), s[1]!.add(s[0]!), s[2]!], [np.array(1), v!, v!])[0], [x], [1, 1]], // prettier-ignore
    ["state that kept state is made of", (v) => lax.scan((s) => [[s[1]!, s[2]!.add(1), s[0]!], null], [v!, v!, v!], null, { length: 4 })[0][0], [x], [3, 3]], // prettier-ignore
    [
      "residuals that a gradient reads, no others",
      grad((v: NDArray) => np.sum(lax.scan((s) => [np.sin(s).mul(2), s.mul(3)], v, null, { length: 3 })[0])) as F,
      [x],
      [1, 2],
    ],
    [
      "in a loop in a loop",
      (v) =>
        lax.foriLoop(0, 3, (_, s) => lax.foriLoop(0, 2, (__, u) => [u[0]!.add(1), u[1]!.mul(u[0]!)], s), [v!, v!])[0]!,
      [x],
      [1, 1],
    ],
  ])("%s", (_, f, args, expected) => {
    const p = program(f, ...args);
    expect(sizes(p)).toEqual(expected);
    expect(p.functions.length).toBeLessThan(4);
    agrees(f, ...args.map((a) => a.mul(0)));
  });
});

describe("a while loop over examples of examples", () => {
  const rounds = (v: NDArray): NDArray =>
    lax.whileLoop(
      (s) => s[0]!.less(100),
      (s) => [s[0]!.mul(2).add(v), s[1]!.add(1)],
      [v, np.array(0, { dtype: "int32" })],
    )[1]!;
  const f: F = vmap(vmap(rounds)) as F;
  const starts = np.arange(1, 7).astype("float32").reshape([2, 3]);

  it("is one launch a round, of state that lies where it lay", () => {
    const p = program(f, starts);
    const body = bodyOf(p);
    expect(body.steps.map((s) => s.kind)).toEqual(["launch"]);
    expect(body.outputReusesInput.every((k) => k !== null)).toBe(true);
  });

  it("ends for each example when its own condition fails", () => {
    agrees(f, starts);
    agrees(vmap(f as (v: NDArray) => NDArray, 1) as F, np.stack([starts, starts.mul(9)], 1));
    agrees(f, starts.mul(1000));
  });
});

describe("updates of temporaries", () => {
  it("write where the temporary lies", () => {
    const f: F = (v) => np.cumsum(v!).at(2).set(5).at(3).add(1);
    const p = program(f, x);
    expect(p.functions[0]!.steps.filter((s) => s.kind === "copy")).toEqual([]);
    agrees(f, x);
  });

  it("copy what is read again", () => {
    const f: F = (v) => {
      const y = np.cumsum(v!);
      return [y.at(2).set(5), y.at(3).add(1), np.flip(y)];
    };
    agrees(f, x);
  });
});
