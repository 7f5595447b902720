import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { aval } from "../../src/core/aval.js";
import type { ConcreteArray } from "../../src/core/array.js";
import { getEngine } from "../../src/core/engine.js";
import { type Jaxpr, makeEqn, noEffects, Var } from "../../src/core/jaxpr.js";
import { lit, scalarOf } from "../../src/core/literal.js";
import { CompiledDevice } from "../../src/runtime/compiled-device.js";
import {
  defaultDevice,
  init,
  listDevices,
  memoryStats,
  registerDevice,
  setDefaultDevice,
} from "../../src/runtime/devices.js";
import { devicePut } from "../../src/runtime/transfer.js";
import { stage } from "../../src/core/staging.js";
import "../../src/runtime/install.js";
import { FakeBackend, fakeCompile } from "./fake-backend.js";
import { addBy, call, failing, plus } from "./tiny.js";

let backend: FakeBackend;
beforeEach(() => {
  backend = new FakeBackend(2 ** 22);
  registerDevice(new CompiledDevice(backend, fakeCompile), true);
});
afterEach(() => setDefaultDevice("reference"));

const array = (values: number[], device?: string): ConcreteArray =>
  getEngine().fromHost({ aval: aval([values.length], "float32"), data: new Float32Array(values) }, device);

describe("eager operations", () => {
  test("one program for each primitive, params by value, and types", () => {
    call(addBy, [array([1, 2])], { by: 1 });
    call(addBy, [array([3, 4])], { by: 1 });
    expect(backend.compiles).toBe(1);
    call(addBy, [array([1, 2])], { by: -0 });
    call(addBy, [array([1, 2])], { by: 0 });
    call(addBy, [array([1, 2])], { by: NaN });
    call(addBy, [array([1, 2])], { by: Infinity });
    expect(backend.compiles).toBe(5);
    call(addBy, [getEngine().fromHost({ aval: aval([2], "int32"), data: Int32Array.of(1, 2) })], { by: 1 });
    expect(backend.compiles).toBe(6);
    call(addBy, [array([1, 2])], { by: 1 });
    expect(backend.compiles).toBe(6);
  });

  test("scalars of the host go with the call, and another value compiles nothing", () => {
    const x = array([1, 2]);
    const results = [2, 3, 4].map((v) => call(plus, [x, lit(v, "float32")], null).js());
    expect(results).toEqual([
      [3, 4],
      [4, 5],
      [5, 6],
    ]);
    expect(backend.compiles).toBe(1);
  });

  test("elementwise operations compile once for all shapes, where the backend can", () => {
    const make = (shape: number[]): ConcreteArray => {
      const n = shape.reduce((a, b) => a * b, 1);
      return getEngine().fromHost({
        aval: aval(shape, "float32"),
        data: Float32Array.from({ length: n }, (_, i) => i),
      });
    };
    for (const shape of [[2, 3], [40], [1], [0], [3, 1, 7]]) {
      const sum = call(plus, [make(shape), make(shape)], null);
      expect(sum.shape).toEqual(shape);
      expect([...sum.dataSync()]).toEqual([...make(shape).dataSync()].map((v) => 2 * v));
    }
    expect(backend.compiles).toBe(1);
    for (const n of [5, 6]) expect(call(plus, [make([n]), lit(1, "float32")], null).dataSync()[4]).toBe(5);
    expect(backend.compiles).toBe(2);
    expect(call(plus, [lit(1, "float32"), lit(2, "float32")], null).item()).toBe(3);
    expect(backend.compiles).toBe(2);
  });

  test("where the backend cannot, each shape has a program", () => {
    backend.resizes = false;
    for (let repeat = 0; repeat < 2; repeat++) {
      for (const n of [20, 21, 22])
        expect(call(addBy, [array(Array<number>(n).fill(1))], { by: 1 }).dataSync()[19]).toBe(2);
      expect(backend.compiles).toBe(3);
    }
  });

  test("the cache of programs is bounded", () => {
    for (let n = 0; n < 3000; n++) call(addBy, [array([1])], { by: n });
    expect(backend.compiles).toBe(3000);
    call(addBy, [array([1])], { by: 2999 });
    expect(backend.compiles).toBe(3000);
    call(addBy, [array([1])], { by: 0 });
    expect(backend.compiles).toBe(3001);
    expect(memoryStats("fake").programs).toBeLessThanOrEqual(2048);
  });

  test("a failure leaves no storage behind", () => {
    const x = array([1]);
    const before = backend.allocated;
    expect(() => call(failing, [x], null)).toThrowError("boom");
    expect(backend.allocated).toBe(before);
    expect(call(addBy, [x], { by: 1 }).js()).toEqual([2]);
  });
});

/** (x, y) → (x + 1, y) */
function program(): Jaxpr {
  const type = aval([2], "float32");
  const [x, y] = [new Var(type), new Var(type)];
  const eqn = makeEqn(addBy, [x], { by: 1 });
  return { inVars: [x, y], eqns: [eqn], outs: [eqn.outs[0]!, y], effects: noEffects };
}

describe("compiled jaxprs", () => {
  test("compile once; results that are operands share their storage", () => {
    const jaxpr = program();
    const [x, y] = [array([1, 2]), array([3, 4])];
    const [a, b] = getEngine().run(jaxpr, [x, y], undefined);
    expect([a!.js(), b!.js()]).toEqual([
      [2, 3],
      [3, 4],
    ]);
    getEngine().run(jaxpr, [x, y], undefined);
    expect(backend.compiles).toBe(1);
    y.dispose();
    expect(b!.js()).toEqual([3, 4]);
  });

  test("donated operands are deleted and their storage is taken over", () => {
    const [x, y] = [array([1, 2]), array([3, 4])];
    const before = backend.allocated;
    const [a] = getEngine().run(program(), [x, y], [true, false]);
    expect(backend.allocated).toBe(before);
    expect([x.disposed, y.disposed]).toEqual([true, false]);
    expect(() => x.js()).toThrowError(/\[array-deleted\]/);
    expect(a!.js()).toEqual([2, 3]);
  });

  test("shared storage is never taken over", () => {
    const x = array([1, 2]);
    const other = getEngine().run(program(), [array([0, 0]), x], undefined)[1]!;
    const [a] = getEngine().run(program(), [x, array([3, 4])], [true, false]);
    expect([a!.js(), other.js()]).toEqual([
      [2, 3],
      [1, 2],
    ]);
  });

  test("one array donated and passed again is refused", () => {
    const x = array([1, 2]);
    expect(() => getEngine().run(program(), [x, x], [true, false])).toThrowError(/\[donate-shared\]/);
    expect(x.js()).toEqual([1, 2]);
  });

  test("a scalar that is returned as it is becomes an array of the device", () => {
    const v = new Var(aval([], "float32", true));
    const [y] = getEngine().run(
      { inVars: [v], eqns: [], outs: [v], effects: noEffects },
      [scalarOf(2.5, v.aval)],
      undefined,
    );
    expect([y!.item(), y!.storage.scalar, y!.weakType]).toEqual([2.5, undefined, true]);
  });
});

describe("devices", () => {
  test("names, default, preparing", async () => {
    expect(listDevices()).toContain("reference");
    expect(defaultDevice()).toBe("fake");
    await init("reference");
    await init({ device: "reference" });
    await init();
    expect(defaultDevice()).toBe("fake");
    await expect(init("tpu")).rejects.toThrowError(
      /there is no device "tpu" \[device-unknown\]\nhint: devices: .*reference/,
    );
    expect(() => setDefaultDevice("tpu")).toThrowError(/\[device-unknown\]/);
  });

  test("operations run where their operands lie; mixing devices is an error", () => {
    const x = array([1, 2], "reference");
    const y = array([3, 4], "fake");
    expect(call(plus, [x, lit(1, "float32")], null)).toMatchObject({ device: "reference" });
    expect(() => call(plus, [x, y], null)).toThrowError(
      /plus was given arrays on different devices: reference and fake \[device-mixed\]/,
    );
    const moved = devicePut(x, "fake");
    expect(moved).toMatchObject({ device: "fake" });
    expect(call(plus, [moved, y], null).js()).toEqual([4, 6]);
    expect(devicePut(moved, "fake")).toBe(moved);
    const tree = devicePut({ w: x, b: [y] }, "reference");
    expect([tree.w, tree.b[0]!.device, tree.b[0]!.js()]).toEqual([x, "reference", [3, 4]]);
    expect(devicePut(2, "fake")).toMatchObject({ device: "fake", weakType: true });
    stage(
      ([t]) => {
        expect(() => devicePut(t!)).toThrowError(/\[tracer-device\]/);
        return [t!];
      },
      [aval([], "float32")],
    );
  });

  test("the reference device keeps a copy of its own", () => {
    const data = new Float32Array([1, 2]);
    const x = getEngine().fromHost({ aval: aval([2], "float32"), data }, "reference");
    data[0] = 9;
    expect(x.js()).toEqual([1, 2]);
  });
});
