import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { requestDevice } from "../../src/backends/webgpu/adapter.js";
import { WebgpuDevice } from "../../src/backends/webgpu/device.js";
import { lowerKernel } from "../../src/backends/webgpu/lower.js";
import { createWasmBackend } from "../../src/backends/wasm/index.js";
import { compile } from "../../src/compiler/index.js";
import {
  config,
  debug,
  defaultDevice,
  devicePutAsync,
  effectsBarrier,
  explain,
  ioCallback,
  jit,
  lax,
  type NDArray,
  numpy as np,
  pureCallback,
  setDefaultDevice,
  vmap,
} from "../../src/index.js";
import { CompiledDevice } from "../../src/runtime/compiled-device.js";
import { registerDevice } from "../../src/runtime/devices.js";
import recorded from "../debugging/callbacks.data.json" with { type: "json" };
import { scenarios } from "../debugging/scenarios.js";
import { webgpu } from "./webgpu.js";

const printed = recorded.printed as Readonly<Record<string, readonly string[]>>;
/** Those that read results at once, to print them themselves. */
const reading = /^(pure_callback_(eager|vmap)|io_callback_(results|vmap|same)|grad_of_integers)/;
const home = { device: defaultDevice(), warn: config.warn };
const said: string[] = [];

beforeAll(() => {
  if (webgpu) setDefaultDevice("webgpu");
  config.update("warn", (message) => said.push(message));
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => {
  setDefaultDevice(home.device);
  config.update("warn", home.warn);
});

const f32 = { shape: [], dtype: "float32" } as const;

describe.skipIf(!webgpu)("callbacks on webgpu run in their turn", () => {
  test.each(Object.keys(printed).filter((name) => !reading.test(name)))("%s", async (name) => {
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((...parts: unknown[]) => {
      lines.push(...parts.map(String).join(" ").split("\n"));
    });
    scenarios[name]!();
    await effectsBarrier();
    expect(lines).toEqual(printed[name]);
  });

  test("with arrays that can be read at once, and where such are made", async () => {
    const f = jit((x: NDArray) => {
      const y = pureCallback(
        (v: NDArray) => {
          expect([v.device, np.ones([2]).device, defaultDevice()]).toEqual(["wasm", "wasm", "wasm"]);
          return v.mul(np.ones([3])).add(v.js<number[]>().length);
        },
        { shape: [3], dtype: "float32" },
        np.sin(x),
      );
      return np.sum(y.mul(2));
    });
    const y = f(np.zeros([3]));
    expect([y.device, defaultDevice()]).toEqual(["webgpu", "webgpu"]);
    expect(await y.jsAsync()).toBe(18);
    const each = vmap((x: NDArray) =>
      pureCallback((v: NDArray) => v.item() * 10, f32, x, { vmapMethod: "sequential" }),
    );
    expect(await each(np.array([1, 2])).jsAsync()).toEqual([10, 20]);
  });

  test("and exactly once, though what was computed on no device's behalf is computed again where it is needed", async () => {
    let calls = 0;
    const x = ioCallback(() => ++calls, f32);
    const there = await devicePutAsync(x, "wasm");
    expect(there.item()).toBe(1);
    expect(calls).toBe(1);
  });

  test("what fails there shows where a result is read, and at the barrier", async () => {
    const fails = jit((x: NDArray) => pureCallback((): number => JSON.parse("{") as number, f32, x).add(1));
    await expect(fails(1).data()).rejects.toThrow(/threw SyntaxError/);
    await expect(effectsBarrier()).rejects.toThrow(/threw SyntaxError/);
    await effectsBarrier();
    debug.callback(() => {
      throw new Error("nobody sees this");
    });
    await expect(effectsBarrier()).rejects.toThrow(/debug.callback: the function threw Error: nobody sees this/);
    expect(said.filter((m) => m.includes("nobody sees this"))).toHaveLength(1);
    const g = jit((x: NDArray) => lax.foriLoop(0, 3, (_: NDArray, c: NDArray) => c.mul(2), x));
    expect(await g(1).jsAsync()).toBe(8);
  });

  test("once it is said what travels for them, explain says it of each; what only calls back needs no such words", async () => {
    const device = new WebgpuDevice(await requestDevice(), { lower: lowerKernel });
    registerDevice(new CompiledDevice(device, compile, { helper: createWasmBackend() }), false);
    setDefaultDevice("webgpu");
    said.length = 0;
    vi.spyOn(console, "log").mockImplementation(() => undefined);
    const x = np.zeros([3]);
    debug.print("{}", x);
    await effectsBarrier();
    expect(said).toEqual([]);
    const f = (v: NDArray): NDArray => {
      debug.print("{}", v);
      return np.sum(v);
    };
    for (let k = 0; k < 2; k++) await jit((v: NDArray) => f(v))(x).data();
    const traffic = `12 bytes of operands are read from "webgpu" in each call, and 4 bytes of results are written to it`;
    expect(said).toEqual([
      `device "webgpu" has no kernels for callbacks into JavaScript: programs with them are computed on "wasm" as a whole. For main, ${traffic}. This is said once; explain(f)(...args) tells it of any program`,
    ]);
    expect(String(explain(f)(x))).toContain(
      `// main has callbacks into JavaScript, so that all of it is computed on "wasm": ${traffic}`,
    );
    device.dispose();
  });
});
