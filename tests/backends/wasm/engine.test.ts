import { execFileSync } from "node:child_process";
import { afterEach, expect, test } from "vitest";
import { allowRelaxedSimd, compileModule, relaxedSimd } from "../../../src/backends/wasm/engine.js";
import { WasmHeap } from "../../../src/backends/wasm/heap.js";
import { createWasmBackend } from "../../../src/backends/wasm/index.js";
import { ModuleBuilder } from "../../../src/backends/wasm/module-builder.js";
import { Op } from "../../../src/backends/wasm/opcodes.js";
import { axisIndex } from "../../../src/kernel-ir/index-expr.js";
import { load, op } from "../../../src/kernel-ir/scalar.js";
import { buffer, nest, numbers, phase, store } from "./build.js";

afterEach(() => allowRelaxedSimd(true));

/** A module of one function of vectors. */
function moduleOf(operation: number): Uint8Array<ArrayBuffer> {
  const m = new ModuleBuilder();
  const f = m.func("f", ["v128", "v128", "v128"], ["v128"]);
  for (let k = 0; k < 3; k++) f.get(k);
  f.op(operation);
  return m.toBytes();
}

test("relaxed SIMD is found, or switched on where the engine has it behind a flag", () => {
  expect(relaxedSimd()).toBe(true);
  expect(WebAssembly.validate(moduleOf(Op.f32x4_relaxed_madd))).toBe(true);
  allowRelaxedSimd(false);
  expect(relaxedSimd()).toBe(false);
});

test("kernels without relaxed SIMD contain none of it", () => {
  const n = 64;
  const i = axisIndex(0, n);
  const fused = nest("fused", {
    buffers: [buffer("f32", "read", n), buffer("f32", "write", n)],
    parallel: [n],
    phases: [phase([store(1, i, op("fma", [load("f32", 0, i), load("f32", 0, i), load("f32", 0, i)]))])],
  });
  const text = (): string =>
    createWasmBackend()
      .compile(
        {
          name: "main",
          kernels: [fused],
          functions: [
            {
              name: "main",
              inputs: [{ dtype: "float32", bytes: 4 * n }],
              outputs: [{ dtype: "float32", bytes: 4 * n }],
              arenaBytes: 0,
              steps: [
                {
                  kind: "launch",
                  kernel: 0,
                  args: [
                    { kind: "input", index: 0 },
                    { kind: "output", index: 0 },
                  ],
                },
              ],
              outputIsInput: [null],
              outputReusesInput: [null],
            },
          ],
        },
        { generic: false },
      )
      .text();
  expect(text()).toContain("relaxed_madd");
  allowRelaxedSimd(false);
  expect(text()).not.toContain("relaxed");
});

test("a module is compiled either way, and an invalid one is refused with the flags restored", () => {
  for (const optimised of [false, true])
    expect(compileModule(moduleOf(Op.v128_bitselect), optimised)).toBeInstanceOf(WebAssembly.Module);
  expect(() => compileModule(new Uint8Array([0, 1, 2, 3]), true)).toThrow(WebAssembly.CompileError);
  expect(compileModule(moduleOf(Op.v128_bitselect), false)).toBeInstanceOf(WebAssembly.Module);
});

test("every opcode of the table is what the engine calls by that name", () => {
  // The engine names an unknown opcode in its complaint; a known one it complains of otherwise (its operands are missing).
  for (const [name, code] of Object.entries(Op)) {
    if (/^(block|loop|if|else|end|br|br_if|br_table|return|call|call_indirect|unreachable|nop|global_)/.test(name))
      continue;
    if (/^(local_|memory_|i32_atomic)|const$/.test(name)) continue;
    const m = new ModuleBuilder();
    const f = m.func("f", []);
    f.op(code);
    if (/load|store/.test(name)) {
      f.code.u8(0);
      f.code.u8(0);
    }
    if (/lane$|lane_|shuffle/.test(name) && !/laneselect/.test(name))
      for (let k = 0; k < (name.includes("shuffle") ? 16 : 1); k++) f.code.u8(0);
    let message = "";
    try {
      new WebAssembly.Module(m.toBytes());
    } catch (e) {
      message = (e as Error).message;
    }
    expect(message).toContain("not enough arguments on the stack");
    // (older engines call relaxed_madd qfma)
    if (!name.includes("relaxed")) expect(message).toContain(name.replace("_", "."));
  }
});

test("blocks beyond 2 GB are written, computed on and read", () => {
  const heap = new WasmHeap(1);
  let low;
  try {
    low = heap.allocate(2.2 * 2 ** 30);
  } catch {
    return; // a machine that has not so much address space
  }
  const n = 37;
  const x = heap.allocate(4 * n);
  expect(x.address).toBeGreaterThan(2 ** 31);
  const data = numbers("f32", n);
  heap.write(x, data);
  const m = new ModuleBuilder();
  const f = m.func("negate", ["i32"]);
  f.get(0);
  f.get(0);
  f.load(Op.v128_load, 4);
  f.op(Op.f32x4_neg);
  f.store(Op.v128_store, 4);
  m.exportFunction("negate", f.index);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(m.toBytes()), { env: { memory: heap.memory } });
  (instance.exports["negate"] as (at: number) => void)(x.address);
  const back = new Float32Array(n);
  heap.read(x, back);
  expect(back).toEqual(data.map((v, k) => (k >= 1 && k < 5 ? -v : v)));
  heap.free(low);
});

test("V8's tiers are left alone where the command line chose them", () => {
  const script = `
    import v8 from "node:v8";
    const set = [];
    v8.setFlagsFromString = (f) => set.push(f);
    process.getBuiltinModule = () => v8;
    const { compileModule } = await import(${JSON.stringify(new URL("../../../src/backends/wasm/engine.ts", import.meta.url).href)});
    compileModule(new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]), true);
    console.log(JSON.stringify(set));
  `;
  const run = (...flags: string[]): string =>
    execFileSync(process.execPath, [...flags, "--import", "tsx", "--input-type=module", "-e", script], {
      encoding: "utf8",
    }).trim();
  expect(JSON.parse(run("--no-liftoff"))).toEqual([]);
  expect(JSON.parse(run())).toEqual(["--no-liftoff --no-wasm-lazy-compilation", "--liftoff --wasm-lazy-compilation"]);
});
