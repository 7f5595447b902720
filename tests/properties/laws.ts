import { jit, jvp, type NDArray, numpy as np, setDefaultDevice, vjp, vmap } from "../../src/index.js";
import { disagreements } from "./agreement.js";
import { asFunction, evaluate, makeInputs, type Program } from "./programs.js";

/** What transformations of a program must have in common with the program. */

/** Throws where mapping a program over examples disagrees with running it for each. */
export function checkVmap(program: Program, mapped: readonly boolean[]): void {
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
const smoothFunction = (program: Program, inner?: typeof jit, plain = false) => {
  const f = asFunction(program, inner, plain);
  return (...xs: NDArray[]): NDArray[] => floatsOf(f(...xs));
};

const directions = (program: Program): NDArray[] => makeInputs(program, 1);

const near = (a: number, b: number, scale: number): boolean => Math.abs(a - b) <= 1e-9 * (1 + scale);

/** Throws where float64 values differ by more than rounding makes of the largest of them. */
function requireNear(how: string, direct: readonly NDArray[], others: readonly NDArray[]): void {
  direct.forEach((d, k) => {
    const [a, b] = [d.dataSync(), others[k]!.dataSync()];
    const scale = Array.from(a).reduce((m, p) => Math.max(m, Math.abs(p)), 0);
    if (d.dtype !== others[k]!.dtype || String(d.shape) !== String(others[k]!.shape))
      throw new Error(`${how}, ${k}: ${String(d)} became ${String(others[k])}`);
    a.forEach((p, i) => {
      if (!(p === b[i] || near(p, b[i]!, scale))) throw new Error(`${how}, ${k}[${i}]: ${p} became ${b[i]}`);
    });
  });
}

/** Throws where forward derivatives disagree with central differences. */
export function checkJvp(program: Program): void {
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
export function checkVjp(program: Program): void {
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
  if (!near(forward, backward, Math.max(size, size2)))
    throw new Error(`⟨ct, J·t⟩ = ${forward}, ⟨Jᵀ·ct, t⟩ = ${backward}`);
  const nested = smoothFunction(program, jit);
  const pullNested = (...all: NDArray[]): NDArray[] => {
    const [ys, back] = vjp(nested, ...all);
    return back(ys.map((y) => np.cos(y)));
  };
  const pullCompiled = (...all: NDArray[]): NDArray[] => {
    const [ys, back] = vjp(jit(f), ...all);
    return back(ys.map((y) => np.cos(y)));
  };
  for (const [how, direct, compiled] of [
    ["jit of jvp", pushed, jit(push)(...xs, ...ts)],
    ["jit of vjp", pulled, jit(pull)(...xs)],
    ["jvp of jit", pushed, jvp(jit(f), xs, ts)[1]],
    ["vjp of jit", pulled, pullCompiled(...xs)],
    ["jvp of nested jit", pushed, jvp(nested, xs, ts)[1]],
    ["vjp of nested jit", pulled, pullNested(...xs)],
    ["jit of vjp of nested jit", pulled, jit(pullNested)(...xs)],
  ] as const) {
    requireNear(how, direct, compiled);
  }
}

/** Throws where the Hessian of a program's results, made a scalar, is not symmetric: ⟨u, H·v⟩ = ⟨v, H·u⟩. */
export function checkHessian(program: Program): void {
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

/** Cotangents of a program's inputs where those of its results are their cosines. */
const pulling =
  (f: (...xs: NDArray[]) => NDArray[]) =>
  (...xs: NDArray[]): NDArray[] => {
    const [ys, back] = vjp(f, ...xs);
    return back(ys.map((y) => np.cos(y)));
  };

/** Throws where calls through jit, checkpoint and rules that say what is so are not what the functions in them are, derived or not. */
export function checkPlain(program: Program): void {
  const xs = makeInputs(program);
  const kinds = [smoothFunction(program), smoothFunction(program, undefined, true)] as const;
  const [wrapped, plain] = kinds;
  requireNear("values", plain(...xs), wrapped(...xs));
  const expected = pulling(plain)(...xs);
  requireNear("vjp", expected, pulling(wrapped)(...xs));
  requireNear("jit of vjp", expected, jit(pulling(wrapped))(...xs));
  requireNear("vjp of jit", expected, pulling(jit(wrapped))(...xs));
}

/** Throws where mapping the gradient of a program over examples disagrees with the gradient for each. */
export function checkMappedGradient(program: Program): void {
  const size = 3;
  const examples = Array.from({ length: size }, (_, variant) => makeInputs(program, variant));
  const pull = pulling(smoothFunction(program));
  const batch = examples[0]!.map((_, k) => np.stack(examples.map((e) => e[k]!)));
  const loop = examples.map((e) => pull(...e));
  for (const [how, results] of [
    ["vmap of vjp", vmap(pull)(...batch)],
    ["jit of vmap of vjp", jit(vmap(pull))(...batch)],
    ["vmap of jit of vjp", vmap(jit(pull))(...batch)],
  ] as const)
    loop.forEach((one, i) =>
      requireNear(
        `${how}, example ${i}`,
        one,
        results.map((g) => g.slice(i)),
      ),
    );
}

/** Throws where a device, directly or compiled, disagrees with the reference. */
export function checkDevice(device: string, program: Program): void {
  const direct = asFunction(program);
  const compiled = jit(direct);
  const nested = asFunction(program, jit);
  const compiledNested = jit(nested);
  const donating = jit(direct, { donateArgnums: program.inputs.map((_, k) => k) });
  // The second time other values run through what was compiled for the first.
  for (const variant of [0, 1]) {
    setDefaultDevice("reference");
    const expected = evaluate(program, makeInputs(program, variant)).results;
    setDefaultDevice(device);
    const args = makeInputs(program, variant);
    const ways = { direct, compiled, "compiled, once more": compiled, nested, compiledNested } as const;
    for (const [way, f] of Object.entries(ways)) fail(device, way, disagreements(expected, f(...args)));
    fail(device, "donating", disagreements(expected, donating(...makeInputs(program, variant))));
  }
}

function fail(device: string, way: string, wrong: string | undefined): void {
  if (wrong !== undefined) throw new Error(`${way} on ${device}: ${wrong}`);
}
