import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import {
  config,
  defaultDevice,
  jit,
  jvp,
  listDevices,
  type NDArray,
  numpy as np,
  setDefaultDevice,
  vjp,
  vmap,
} from "../../src/index.js";
import { disagreements } from "./agreement.js";
import { asFunction, evaluate, makeInputs, type Program, programs } from "./programs.js";
import { runs, timeout } from "./runs.js";

const home = { device: defaultDevice(), unreadPredicate: config.unreadPredicate };
// Programs make booleans that nothing uses.
beforeAll(() => config.update("unreadPredicate", "ignore"));
afterAll(() => {
  setDefaultDevice(home.device);
  config.update("unreadPredicate", home.unreadPredicate);
});

/** Throws where mapping a program over examples disagrees with running it for each. */
function checkVmap(program: Program, mapped: readonly boolean[]): void {
  const size = 3;
  const examples = Array.from({ length: size }, (_, variant) => makeInputs(program, variant));
  const isMapped = (k: number): boolean => k === 0 || mapped[k % mapped.length] === true;
  const shared = examples[0]!;
  const args = shared.map((x, k) =>
    isMapped(k)
      ? np.stack(
          examples.map((e) => e[k]!),
          k % (x.ndim + 1),
        )
      : x,
  );
  const inAxes = shared.map((x, k) => (isMapped(k) ? k % (x.ndim + 1) : null));
  const batched = vmap(asFunction(program), { inAxes });
  const nested = vmap(asFunction(program, jit), { inAxes });
  const loop = examples.map(
    (e) =>
      evaluate(
        program,
        e.map((x, k) => (isMapped(k) ? x : shared[k]!)),
      ).results,
  );
  for (const [how, results] of [
    ["vmap", batched(...args)],
    ["jit of vmap", jit(batched)(...args)],
    ["vmap of nested jit", nested(...args)],
  ] as const) {
    for (let i = 0; i < size; i++) {
      const wrong = disagreements(
        loop[i]!,
        results.map((y) => y.slice(i)),
      );
      if (wrong !== undefined) throw new Error(`${how}, example ${i}: ${wrong}`);
    }
  }
}

const floatsOf = (xs: readonly NDArray[]): NDArray[] => xs.filter((x) => x.dtype === "float64");
const dot = (xs: readonly NDArray[], ys: readonly NDArray[]): [sum: number, size: number] => {
  let sum = 0;
  let size = 0;
  xs.forEach((x, k) => {
    const [a, b] = [x.dataSync(), ys[k]!.dataSync()];
    a.forEach((p, i) => {
      sum += p * b[i]!;
      size += Math.abs(p * b[i]!);
    });
  });
  return [sum, size];
};

/** A program of floats as a function with float results only; its first half may be compiled on its own. */
const smoothFunction = (program: Program, inner?: typeof jit) => {
  const f = asFunction(program, inner);
  return (...xs: NDArray[]): NDArray[] => floatsOf(f(...xs));
};

const directions = (program: Program): NDArray[] => makeInputs(program, 1);

/** Throws where forward derivatives disagree with central differences. */
function checkJvp(program: Program): void {
  const f = smoothFunction(program);
  const xs = makeInputs(program);
  const ts = directions(program);
  const at = (h: number): Float64Array[] =>
    f(...xs.map((x, k) => x.add(ts[k]!.mul(h)))).map((y) => y.dataSync() as Float64Array);
  const pushed = jvp(f, xs, ts)[1];
  const difference = (h: number): number[][] => {
    const [plus, minus] = [at(h), at(-h)];
    return plus.map((p, o) => Array.from(p, (y, i) => (y - minus[o]![i]!) / (2 * h)));
  };
  const [coarse, fine] = [difference(1e-4), difference(1e-5)];
  pushed.forEach((t, o) => {
    t.dataSync().forEach((got, i) => {
      const [c, e] = [coarse[o]![i]!, fine[o]![i]!];
      // Where the two differences differ there is a kink or a step between the points.
      if (Math.abs(c - e) > 1e-4 * (1 + Math.abs(e))) return;
      if (Math.abs(got - e) > 1e-3 * (1 + Math.abs(e)))
        throw new Error(`result ${o}[${i}]: jvp ${got}, differences ${e}`);
    });
  });
}

/** Throws where ⟨ct, J·t⟩ and ⟨Jᵀ·ct, t⟩ differ, or compiled derivatives from those computed directly. */
function checkVjp(program: Program): void {
  const f = smoothFunction(program);
  const xs = makeInputs(program);
  const ts = directions(program);
  const push = (...all: NDArray[]): NDArray[] => jvp(f, all.slice(0, xs.length), all.slice(xs.length))[1];
  const pull = (...all: NDArray[]): NDArray[] => {
    const [ys, back] = vjp(f, ...all);
    return back(ys.map((y) => np.cos(y)));
  };
  const cts = f(...xs).map((y) => np.cos(y));
  const pushed = push(...xs, ...ts);
  const pulled = pull(...xs);
  const [forward, size] = dot(cts, pushed);
  const [backward, size2] = dot(pulled, ts);
  const near = (a: number, b: number, scale: number): boolean => Math.abs(a - b) <= 1e-9 * (1 + scale);
  if (!near(forward, backward, Math.max(size, size2)))
    throw new Error(`⟨ct, J·t⟩ = ${forward}, ⟨Jᵀ·ct, t⟩ = ${backward}`);
  const nested = smoothFunction(program, jit);
  const pullNested = (...all: NDArray[]): NDArray[] => {
    const [ys, back] = vjp(nested, ...all);
    return back(ys.map((y) => np.cos(y)));
  };
  for (const [how, direct, compiled] of [
    ["jit of jvp", pushed, jit(push)(...xs, ...ts)],
    ["jit of vjp", pulled, jit(pull)(...xs)],
    ["jvp of nested jit", pushed, jvp(nested, xs, ts)[1]],
    ["vjp of nested jit", pulled, pullNested(...xs)],
    ["jit of vjp of nested jit", pulled, jit(pullNested)(...xs)],
  ] as const) {
    direct.forEach((d, k) => {
      const [a, b] = [d.dataSync(), compiled[k]!.dataSync()];
      const scale = Array.from(a).reduce((m, p) => Math.max(m, Math.abs(p)), 0);
      a.forEach((p, i) => {
        if (!near(p, b[i]!, scale)) throw new Error(`${how}, ${k}[${i}]: ${p} became ${b[i]}`);
      });
    });
  }
}

/** Throws where the Hessian of a program's results, made a scalar, is not symmetric: ⟨u, H·v⟩ = ⟨v, H·u⟩. */
function checkHessian(program: Program): void {
  const f = smoothFunction(program);
  const xs = makeInputs(program);
  const [us, vs] = [1, 2].map((variant) => makeInputs(program, variant)) as [NDArray[], NDArray[]];
  const gradient = (...all: NDArray[]): NDArray[] => {
    const loss = (...zs: NDArray[]): NDArray =>
      f(...zs)
        .map((y) => np.sum(np.cos(y)))
        .reduce((a, b) => a.add(b), np.zeros([], { dtype: "float64" }));
    return vjp(loss, ...all)[1](1);
  };
  const product = jit((...all: NDArray[]) => jvp(gradient, all.slice(0, xs.length), all.slice(xs.length))[1]);
  const [one, size] = dot(us, product(...xs, ...vs));
  const [other, size2] = dot(vs, product(...xs, ...us));
  if (Math.abs(one - other) > 1e-8 * (1 + Math.max(size, size2)))
    throw new Error(`⟨u, H·v⟩ = ${one}, ⟨v, H·u⟩ = ${other}`);
}

describe.each(listDevices())("random programs on %s", (device) => {
  const run = (name: string, arbitrary: fc.Arbitrary<Program>, check: (program: Program) => void): void => {
    it(name, { timeout }, () => {
      setDefaultDevice(device);
      fc.assert(fc.property(arbitrary, check), runs);
    });
  };
  it("mapped over examples give what a loop gives", { timeout }, () => {
    setDefaultDevice(device);
    const flags = fc.array(fc.boolean(), { minLength: 1, maxLength: 4 });
    fc.assert(fc.property(programs({ maxSteps: 15 }), flags, checkVmap), runs);
  });
  const smooth = programs({ float: "float64", whole: false, floats: true, maxSteps: 15 });
  run("have the derivatives of differences", smooth, checkJvp);
  run(
    "have symmetric second derivatives",
    programs({ float: "float64", whole: false, floats: true, maxSteps: 10 }),
    checkHessian,
  );
  run("pull back the transpose of what they push forward", smooth, checkVjp);
});
