import { describe, expect, test } from "vitest";
import { allowRelaxedSimd } from "../../../src/backends/wasm/engine.js";
import { createWasmBackend } from "../../../src/backends/wasm/index.js";
import { compile } from "../../../src/compiler/index.js";
import { withDebug } from "../../../src/core/debug.js";
import type { TypedArray } from "../../../src/core/dtype.js";
import {
  config,
  devicePut,
  grad,
  jit,
  lax,
  makeJaxpr,
  numpy as np,
  random,
  type NDArray,
  vmap,
} from "../../../src/index.js";
import type { Program } from "../../../src/kernel-ir/program.js";

type F = (...args: NDArray[]) => unknown;

const backend = createWasmBackend();
const f32 = (...values: number[]): NDArray => np.array(values, { dtype: "float32" });
const f64 = (...values: number[]): NDArray => np.array(values, { dtype: "float64" });
const i32 = (...values: number[]): NDArray => np.array(values, { dtype: "int32" });
const scalar = (x: NDArray): NDArray => x.reshape([]);
const int = (value: number): NDArray => np.array(value, { dtype: "int32" });

function programOf(f: F, args: readonly NDArray[], donated: readonly boolean[] = []): Program {
  return compile(makeJaxpr(f)(...args).jaxpr, { name: "main", traits: backend.traits, donated });
}

/** What a program gives, word by word, and its code. Generic programs are those whose loops call functions. */
function run(
  program: Program,
  args: readonly NDArray[],
  generic: boolean,
): { readonly words: readonly (readonly string[])[]; readonly text: string } {
  const executable = backend.compile(program, { generic });
  const main = program.functions[0]!;
  const inputs = args.map((x) => {
    const data = x.dataSync() as TypedArray;
    const buffer = backend.allocate(data.byteLength);
    backend.write(buffer, data);
    return buffer;
  });
  const outputs = main.outputs.map((o) => backend.allocate(o.bytes));
  executable.run(inputs, outputs);
  const words = main.outputs.map((o, k) => {
    // what is an operand is not written
    if (main.outputIsInput[k] != null) return ["operand"];
    const data: TypedArray = o.dtype === "float64" ? new Float64Array(o.bytes / 8) : o.dtype === "float32" ? new Float32Array(o.bytes / 4) : new Int32Array(o.bytes / 4); // prettier-ignore
    backend.readSync!(outputs[k]!, data);
    return Array.from(data, (x) => (Object.is(x, -0) ? "-0" : String(x)));
  });
  for (const b of [...inputs, ...outputs]) backend.free(b);
  return { words, text: executable.text() };
}

const functionsOf = (text: string): string[] => [...text.matchAll(/^func (.*) \(/gm)].map(([, name]) => name!);

/** The results of a function whose loop becomes one kernel without calls, which are those of loops that call functions. */
function inOnePiece(f: F, ...args: NDArray[]): readonly (readonly string[])[] {
  const program = programOf(f, args);
  const piece = run(program, args, false);
  expect(functionsOf(piece.text).filter((name) => name.startsWith("program"))).toEqual(["program main"]);
  expect(
    piece.text
      .split("\n\n")
      .filter((code) => /^func (scan|while) /.test(code))
      .join(),
  ).not.toMatch(/ call /);
  const usual = run(program, args, true);
  expect(functionsOf(usual.text).filter((name) => name.startsWith("program")).length).toBeGreaterThan(1);
  expect(piece.words).toEqual(usual.words);
  return piece.words;
}

const isDeclined = (f: F, ...args: NDArray[]): boolean =>
  functionsOf(run(programOf(f, args), args, false).text).some((name) => /^program (scan|while|loop)/.test(name));

/** Values whose roundings and signs tell. */
const awkward = [0, -0, 1, -1.5, 0.1, 1e-40, 3e38, Infinity, -Infinity, NaN];

describe("loops over a few scalars are one stretch of code", () => {
  test("a scan: what is carried lies in locals, what does not change is computed before the loop", () => {
    const f: F = (a, x, b) =>
      lax.scan((y: NDArray) => [np.matmul(a!.mul(a!), y).add(b!), null], x!, null, { length: 7 })[0];
    const args = [np.array([[0.1, -0.2], [0.3, -0.4]]), f32(1, -0), f32(0.5, 0)]; // prettier-ignore
    inOnePiece(f, ...args);
    const plain: F = (a, x, b) => lax.scan((y: NDArray) => [y.mul(a!).add(b!), null], x!, null, { length: 7 })[0];
    const numbers = [f32(2, 3), f32(1, 1), f32(0.5, 0.25)];
    const { text } = run(programOf(plain, numbers), numbers, false);
    expect(text.split("\n\n")[0]).toMatchInlineSnapshot(`
      "func scan body (i32 i32 i32 i32 i32 i32)
        local.get 2
        f32.load
        local.set 9
        local.get 3
        f32.load
        local.set 10
        local.get 2
        f32.load offset=4
        local.set 12
        local.get 3
        f32.load offset=4
        local.set 13
        local.get 4
        f32.load
        local.set 6
        local.get 4
        f32.load offset=4
        local.set 7
        block
          loop
            local.get 6
            local.get 9
            f32.mul
            local.get 10
            f32.add
            local.set 8
            local.get 7
            local.get 12
            f32.mul
            local.get 13
            f32.add
            local.set 11
            local.get 8
            local.set 6
            local.get 11
            local.set 7
            local.get 0
            i32.const 1
            i32.add
            local.tee 0
            local.get 1
            i32.lt_u
            br_if 0
          end
        end
        local.get 4
        local.get 6
        f32.store
        local.get 4
        local.get 7
        f32.store offset=4"
    `);
  });

  test.each(["float32", "float64", "int32", "uint32"] as const)("carries, elements and results of %s", (dtype) => {
    const values = dtype.startsWith("float") ? awkward : [0, 1, 7, 2 ** 31 - 1, 3];
    const xs = np.array(values, { dtype });
    const f: F = (x, v) => lax.scan((c: NDArray, y: NDArray) => [c.mul(y).add(y), c.sub(y)], scalar(x!), v!);
    for (const start of values.slice(0, 4)) inOnePiece(f, np.array([start], { dtype }), xs);
    const reversed: F = (x, v) =>
      lax.scan((c: NDArray, y: NDArray) => [c.mul(y).add(y), [y, c]], scalar(x!), v!, { reverse: true });
    inOnePiece(reversed, np.array([1], { dtype }), xs);
  });

  test("booleans, with what is not a number", () => {
    const xs = f32(...awkward, 2, 5);
    const f: F = (v) =>
      lax.scan(
        ([b, c]: readonly NDArray[], x: NDArray) => {
          const next = np.logicalXor(b!, x.greater(0.5));
          return [
            [next, np.where(next, c!, x)],
            [np.logicalOr(b!, np.isnan(x)), c!],
          ];
        },
        [np.array(true), np.array(0.5)],
        v!,
      );
    const [, , ors] = inOnePiece(f, xs);
    expect(ors!.every((w) => w === "0" || w === "1")).toBe(true);
    const wide: F = (v) =>
      lax.scan(([b, c]: readonly NDArray[], x: NDArray) => [[x.less(c!), np.where(b!, x, c!)], b!], [np.array(false), np.array(0.5, { dtype: "float64" })], v!); // prettier-ignore
    inOnePiece(wide, f64(...awkward, 0.25, 0.75));
  });

  test.each([1, 2, 3, 8, 1000])("%i rounds, forwards and backwards", (length) => {
    const xs = np.linspace(-1, 1, length);
    for (const reverse of [false, true]) {
      const f: F = (v) =>
        lax.scan((c: NDArray, x: NDArray) => [np.sin(c.add(x)), [c, x.mul(c)]], np.array(0.25), v!, { reverse });
      inOnePiece(f, xs);
    }
  });

  test("no rounds give the first carry and empty results", () => {
    const f: F = (x, v) => lax.scan((c: NDArray, y: NDArray) => [c.add(y), c], scalar(x!), v!);
    const program = programOf(f, [f32(3), np.zeros([0])]);
    expect(run(program, [f32(3), np.zeros([0])], false).words[0]).toEqual(["3"]);
  });

  test("carries that change places, that stay, that come from others", () => {
    const swap: F = (a, b) => lax.foriLoop(0, 5, (_, [x, y]) => [y!, x!], [scalar(a!), scalar(b!)]);
    expect(inOnePiece(swap, f32(1), f32(2))).toEqual([["2"], ["1"]]);
    const turn: F = (v) => lax.scan((c: NDArray) => [np.roll(c, 1), c.at(0).get()], v!, null, { length: 4 });
    expect(inOnePiece(turn, f32(1, 2, 3))).toEqual([["3", "1", "2"], ["1", "3", "2", "1"]]); // prettier-ignore
    const late: F = (a, b) =>
      lax.whileLoop(
        ([k]: readonly NDArray[]) => k!.less(4),
        ([k, x, y, z]: readonly NDArray[]) => [k!.add(1), y!, x!.add(z!), z!],
        [int(0), scalar(a!), scalar(b!), scalar(a!).mul(10)],
      );
    inOnePiece(late, f32(1), f32(2));
  });

  test("results that are operands, and operands that are given away", () => {
    const f: F = (x, v) => {
      const [c, ys] = lax.scan((a: NDArray, y: NDArray) => [a.mul(0.5).add(y), a], scalar(x!), v!);
      return [c, ys, v!, x!];
    };
    inOnePiece(f, f32(2), f32(1, 2, 3));
    const g: F = (x) => lax.foriLoop(0, 9, (i, a) => a.mul(a).sub(i), x!);
    const args = [f32(0.5, -0.25, 1)];
    const donated = run(programOf(g, args, [true]), args, false);
    expect(donated.words).toEqual(inOnePiece(g, ...args));
  });

  test("a condition is looked at before every round, also over several calls", () => {
    const f: F = (n) =>
      lax.whileLoop(
        ([k]: readonly NDArray[]) => k!.less(scalar(n!)),
        ([k, x]: readonly NDArray[]) => [k!.add(1), np.sin(x!).add(1)],
        [int(0), np.array(0.5)],
      );
    for (const n of [-1, 0, 1, 2, 100, 20_000]) {
      const [count] = inOnePiece(f, i32(n));
      expect(count).toEqual([String(Math.max(0, n))]);
    }
  });

  test("divisions of integers beside multiply-adds", () => {
    const f: F = (n) =>
      lax.scan(
        ([k, y]: readonly NDArray[]) => [[np.where(k!.mod(2).equal(0), k!.floorDivide(2), k!.mul(3).add(1)), np.exp(y!.mul(-0.1))], k!],
        [scalar(n!), np.array(1)],
        null,
        { length: 30 },
      ); // prettier-ignore
    inOnePiece(f, i32(27));
    inOnePiece(f, i32(-5));
  });

  test("without relaxed SIMD", () => {
    allowRelaxedSimd(false);
    try {
      const f: F = (x) => lax.foriLoop(0, 20, (_, a) => np.sin(a).add(0.1), x!);
      inOnePiece(f, f32(0.5));
    } finally {
      allowRelaxedSimd(true);
    }
  });

  test("elements of arrays that are found by what is carried", () => {
    const f: F = (v) => lax.foriLoop(0, 50, (i, a) => a.mul(0.5).add(np.take(v!, i.mod(7))), np.array(0));
    inOnePiece(f, np.linspace(0, 1, 7));
    const walk: F = (next) => lax.scan((at: NDArray) => [np.take(next!, at), at], int(0), null, { length: 9 })[1];
    expect(inOnePiece(walk, i32(3, 0, 1, 2))).toEqual([["0", "3", "2", "1", "0", "3", "2", "1", "0"]]);
  });

  test("elements of what is carried, found by what is carried", () => {
    const f: F = (v) =>
      lax.foriLoop(
        0,
        25,
        (i, a) =>
          a
            .at(i.mod(5))
            .set(a.at(i.mul(3).mod(5)).get().add(i))
            .at(i.mod(2))
            .mul(0.5),
        v!,
      );
    inOnePiece(f, f32(1, 2, 3, 4, 5));
    // beyond the ends: writes are dropped, reads are of the last or give NaN
    const beyond: F = (v) =>
      lax.foriLoop(
        0,
        9,
        (i, a) =>
          a
            .at(i.sub(2))
            .add(np.take(a, i, undefined, { mode: "clip" }))
            .add(0.5),
        v!,
      );
    inOnePiece(beyond, f32(1, 2, 3));
    const filled: F = (v) => lax.foriLoop(0, 9, (i, a) => a.add(a.at(i).get({ mode: "fill" })), v!);
    inOnePiece(filled, f32(1, 2, 3));
  });

  test("keys and random bits", () => {
    const f: F = (v) =>
      lax.scan((c: NDArray, k: NDArray) => [c.add(random.bits(k)), null], np.array(0, { dtype: "uint32" }), random.wrapKeyData(v!))[0]; // prettier-ignore
    inOnePiece(f, np.array([[1, 2], [3, 4], [5, 6]], { dtype: "uint32" })); // prettier-ignore
  });
});

describe("branches and loops in it", () => {
  const steps =
    (body: (i: NDArray, x: NDArray) => NDArray): F =>
    (x) =>
      lax.foriLoop(0, 40, body, scalar(x!));

  test("a cond is a branch where its sides are long, a select where they are short", () => {
    const long = steps((_, x) => lax.cond(x.greater(0.5), (u: NDArray) => np.sin(u.mul(3)), (u: NDArray) => np.tanh(u.add(0.7)), x)); // prettier-ignore
    for (const x of awkward) inOnePiece(long, f32(x));
    const program = programOf(long, [f32(1)]);
    expect(run(program, [f32(1)], false).text.match(/^ +if$/gm)!.length).toBeGreaterThan(1);
    const short = steps((_, x) =>
      lax.cond(
        x.greater(0.5),
        (u: NDArray) => u.mul(0.5),
        (u: NDArray) => u.mul(3),
        x,
      ),
    );
    inOnePiece(short, f32(0.2));
    expect(run(programOf(short, [f32(1)]), [f32(1)], false).text).toMatch(/^ +select$/m);
  });

  test("a switch takes the first or the last branch beyond its ends", () => {
    const branches = [(u: NDArray) => u.mul(2), (u: NDArray) => np.sin(u), (u: NDArray) => np.exp(u.mul(-1))];
    inOnePiece(
      steps((i, x) => lax.switch(i.sub(20).floorDivide(5), branches, x)),
      f32(0.3),
    );
    const two = steps((i, x) => lax.switch(i.sub(3), branches.slice(0, 2), x));
    inOnePiece(two, f32(0.3));
  });

  test("a branch in a branch, of values that others need too", () => {
    const inner = (u: NDArray): NDArray =>
      lax.cond(u.greater(0.25), (v: NDArray) => np.tanh(v).add(np.cos(v)), (v: NDArray) => np.sin(v).sub(np.exp(v)), u); // prettier-ignore
    const f = steps((i, x) => {
      const s = np.sin(x);
      return lax.cond(i.mod(2).equal(0), (u: NDArray) => inner(u).add(s), (u: NDArray) => inner(u.mul(2)).mul(s), x).add(s.mul(0.1)); // prettier-ignore
    });
    for (const x of [0.1, 0.4, -3, NaN]) inOnePiece(f, f32(x));
  });

  test("loops in loops, of known and unknown length, one after another and in one another", () => {
    const roots: F = (xs) =>
      lax.scan(
        (c: NDArray, x: NDArray) => {
          const y = lax.whileLoop(
            (y: NDArray) => np.abs(y.mul(y).sub(x)).greater(1e-4),
            (y: NDArray) => y.add(x.div(y)).mul(0.5),
            x,
          );
          return [c.add(y), y];
        },
        np.array(0),
        xs!,
      );
    inOnePiece(roots, np.linspace(1, 2, 20));
    // some of these loops have no round at all
    inOnePiece(roots, f32(1, 4, 1, 0));
    const nested: F = (x, table) =>
      lax.foriLoop(
        0,
        6,
        (i, a) => {
          const b = lax.foriLoop(0, 5, (j, s) => np.sin(s).add(np.take(table!, i.add(j))), a);
          const [c] = lax.scan((s: NDArray, t: NDArray) => [lax.foriLoop(0, 3, (_, u) => u.mul(0.9).add(t), s), null], b.add(a), table!); // prettier-ignore
          return c.mul(0.1).add(b);
        },
        scalar(x!),
      );
    inOnePiece(nested, f32(0.3), np.linspace(0, 1, 12));
    const swap = (a: NDArray, b: NDArray): [NDArray, NDArray] =>
      lax.foriLoop(0, 3, (_, [c, d]) => [d, c.add(d)] as [NDArray, NDArray], [a, b] as [NDArray, NDArray]);
    const swapping: F = (x, y) =>
      lax.foriLoop(0, 4, (_, [a, b]) => swap(a, b), [scalar(x!), scalar(y!)] as [NDArray, NDArray]);
    inOnePiece(swapping, i32(0), i32(1));
  });

  test("short scans over what is carried, with results", () => {
    const f: F = (v) =>
      lax.foriLoop(
        0,
        9,
        (_, a) => {
          const [last, all] = lax.scan((c: NDArray, x: NDArray) => [c.mul(0.5).add(x), c.sub(x)], np.array(0), a, { reverse: true }); // prettier-ignore
          return all.mul(0.9).add(last);
        },
        v!,
      );
    inOnePiece(f, f32(0.1, 0.2, 0.4));
  });

  test("a reverse pass over stored residuals", () => {
    const loss = (x: NDArray): NDArray =>
      lax.scan((s: NDArray) => [np.sin(s).mul(1.1), null], scalar(x), null, { length: 50 })[0];
    inOnePiece(grad(loss) as F, f32(0.7));
  });
});

describe("sums have the bits of kernels that sum in vectors", () => {
  /** Rounds in a loop, and each as a program of its own. */
  function sameBits(body: (x: NDArray) => NDArray, x: NDArray): void {
    const rounds = 4;
    const loop: F = (v) => lax.foriLoop(0, rounds, (_, y) => body(y), v!);
    expect(isDeclined(loop, x)).toBe(false);
    let y = x;
    for (let k = 0; k < rounds; k++) {
      const program = programOf(body as F, [y]);
      const [words] = run(program, [y], false).words;
      y = np.array(words!.map(Number), { dtype: x.dtype }).reshape(x.shape);
    }
    expect(run(programOf(loop, [x]), [x], false).words).toEqual([
      Array.from(y.dataSync() as Float32Array, (v) => (Object.is(v, -0) ? "-0" : String(v))),
    ]);
  }
  const inputs = (shape: number[], dtype: "float32" | "float64"): NDArray =>
    random.uniform(random.key(shape.length), shape, { dtype, minval: -1, maxval: 1 });
  const bodies: Record<string, (x: NDArray) => NDArray> = {
    sum: (x) => x.mul(0.7).add(np.sum(x).mul(0.1)),
    "sum of squares": (x) => x.div(np.sqrt(np.sum(x.mul(x)))),
    "sum of other products": (x) => x.sub(np.sum(x.mul(np.flip(x))).mul(0.3)),
    "sum of shared products": (x) => {
      const squares = x.mul(x);
      return squares.add(np.sum(squares).mul(0.1)).mul(0.3);
    },
    product: (x) => x.add(np.prod(x.add(1.5))).mul(0.1),
    "two sums": (x) => x.sub(np.mean(x)).div(np.std(x).add(1)),
    softmax: (x) => np.exp(x).div(np.sum(np.exp(x))),
    extremes: (x) => x.sub(np.max(x)).add(np.min(x)).mul(0.5),
    cumulative: (x) => np.cumsum(x).mul(0.4),
  };
  describe.each(["float32", "float64"] as const)("%s", (dtype) => {
    test.each([1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16])("of %i elements", (n) => {
      for (const [name, body] of Object.entries(bodies)) {
        // one that computes much in vectors is none of these
        if (name === "softmax" && n > 3) continue;
        sameBits(body, inputs([n], dtype));
      }
      const zeros = np.full([n], -0, { dtype });
      sameBits((x) => x.add(np.sum(x)), zeros);
    });

    test.each([
      [2, 3],
      [3, 4],
      [4, 3],
      [5, 2],
      [4, 4],
    ])("along rows and columns of %i by %i", (m, n) => {
      for (const axis of [0, 1]) {
        sameBits((x) => x.add(np.sum(x, axis, { keepdims: true }).mul(0.1)), inputs([m, n], dtype));
        sameBits((x) => x.sub(np.sum(x.mul(x), axis, { keepdims: true }).mul(0.1)), inputs([m, n], dtype));
        sameBits((x) => np.cumsum(x, axis).mul(0.5), inputs([m, n], dtype));
      }
    });
  });
});

describe("what is more than that goes the usual way", () => {
  test("large carries, many elements, sorts, places that only values tell among many", () => {
    const declined = (body: (i: NDArray, x: NDArray) => NDArray, n: number): boolean =>
      isDeclined((x) => lax.foriLoop(0, 3, body, x!), np.ones([n]));
    expect(declined((_, x) => x.mul(2), 33)).toBe(true);
    expect(declined((_, x) => np.sin(x), 32)).toBe(true);
    expect(declined((_, x) => np.sort(x), 4)).toBe(true);
    expect(declined((i, x) => x.at(i).set(2), 12)).toBe(true);
    expect(declined((_, x) => x.mul(2), 8)).toBe(false);
  });

  test("bodies of many operations", () => {
    const f: F = (x) =>
      lax.foriLoop(
        0,
        3,
        (_, y) => {
          let z = y;
          for (let k = 0; k < 60; k++) z = np.sin(z.add(k));
          return z;
        },
        scalar(x!),
      );
    expect(isDeclined(f, f32(1))).toBe(true);
  });

  test("the debug ladder says why", () => {
    const lines: string[] = [];
    const { log } = config;
    config.log = (line) => lines.push(String(line));
    try {
      withDebug(4, () => isDeclined((x) => lax.foriLoop(0, 3, (_, y) => np.sort(y), x!), np.ones([4])));
    } finally {
      config.log = log;
    }
    expect(lines.join("\n")).toContain("main: a scan calls functions, for it sorts");
  });

  test("lanes of a vmap", () => {
    const f: F = (xs) => vmap((x: NDArray) => lax.foriLoop(0, 3, (_, y) => np.sin(y), x))(xs!);
    expect(isDeclined(f, np.ones([100]))).toBe(true);
  });
});

test("loops of one structure are one kernel", () => {
  const f: F = (x) => {
    const g = (y: NDArray): NDArray => lax.foriLoop(0, 30, (_, a) => a.mul(0.5).add(1), y);
    return [g(scalar(x!)), g(scalar(x!).mul(3))];
  };
  const { text, words } = run(programOf(f, [f32(1)]), [f32(1)], false);
  expect(functionsOf(text).filter((name) => name === "scan body")).toHaveLength(1);
  expect(
    words
      .flat()
      .map(Number)
      .every((x) => Math.abs(x - 2) < 1e-5),
  ).toBe(true);
});

test("results are those of the reference, up to roundings", () => {
  const f = (x: NDArray, v: NDArray): readonly [NDArray, NDArray] =>
    lax.scan((s: NDArray, y: NDArray) => [np.tanh(s).add(y), s.mul(y)], x, v);
  const args = [np.array(0.5), np.linspace(-1, 1, 12)] as const;
  const [onWasm, onReference] = ["wasm", "reference"].map((device) =>
    jit(f)(...(args.map((x) => devicePut(x, device)) as [NDArray, NDArray])).flatMap((x) => [
      ...(x.dataSync() as Float32Array),
    ]),
  );
  expect(onWasm).toHaveLength(13);
  onWasm!.forEach((x, k) => expect(Math.abs(x - onReference![k]!)).toBeLessThan(1e-5));
});
