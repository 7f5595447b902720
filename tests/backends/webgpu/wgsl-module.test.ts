import { afterAll, describe, expect, test } from "vitest";
import type { TypedArray } from "../../../src/core/dtype.js";
import { defaultLimits, type LaunchContext } from "../../../src/backends/webgpu/dispatch.js";
import { Code } from "../../../src/backends/webgpu/wgsl/code.js";
import { foldGroups, type FinishedModule, ModuleBuilder } from "../../../src/backends/webgpu/wgsl/module.js";
import { combination } from "../../../src/backends/webgpu/wgsl/operations.js";
import type { BufferArg } from "../../../src/kernel-ir/kernel.js";
import { pipelineOf, runCode, sharedDevice } from "../../gpu/run-code.js";

const device = await sharedDevice();
afterAll(() => device?.destroy());

const arg = (type: BufferArg["type"], access: BufferArg["access"], length: number): BufferArg => ({
  type,
  access,
  length,
});
const launch = (sameAs: readonly number[], limits = defaultLimits): LaunchContext => ({ limits, sameAs });
const cost = { flops: 0, loadBytes: 0, storeBytes: 0, workgroupBytes: 0 };

function run(
  modules: readonly FinishedModule[],
  buffers: readonly TypedArray[],
  sameAs?: readonly number[],
  scratch: readonly number[] = [],
) {
  const dispatches = modules.map(({ wgsl, bindings, workgroups }) => ({
    label: "test",
    wgsl,
    bindings,
    workgroups,
    cost,
  }));
  return runCode(device!, { dispatches, scratch }, buffers, sameAs);
}

describe("modules", () => {
  test("bindings are numbered as they are used; what is not used is not bound", () => {
    const module = new ModuleBuilder(
      [arg("f32", "read", 4), arg("i32", "read", 4), arg("f32", "write", 4)],
      launch([0, 1, 2]),
    );
    const body = new Code();
    body.line(module.store(2, "id", module.load(0, "id")));
    const { wgsl, bindings } = module.finish({ workgroupSize: 4, groups: 1, body });
    expect(bindings).toEqual([
      { kind: "arg", arg: 0, access: "read" },
      { kind: "arg", arg: 2, access: "read_write" },
    ]);
    expect(wgsl).toBe(`@group(0) @binding(0) var<storage, read> b0: array<f32>;
@group(0) @binding(1) var<storage, read_write> b1: array<f32>;
@compute @workgroup_size(4)
fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) place: u32) {
  let group = i32(wid.x);
  let lid = i32(place);
  let id = group * 4 + lid;
  b1[id] = b0[id];
}
`);
  });

  test("arguments in one storage share its binding, by the name of the first; other types are bitcast", () => {
    const buffers = [arg("f32", "read", 4), arg("u32", "read", 4), arg("i32", "write", 4), arg("bool", "read", 4)];
    const module = new ModuleBuilder(buffers, launch([0, 1, 0, 1]));
    const body = new Code();
    body.line(`let x = ${module.load(0, "id")} + f32(${module.load(1, "id")});`);
    body.line(module.store(2, "id", `select(i32(x), 7, ${module.load(3, "id")})`));
    const { wgsl, bindings } = module.finish({ workgroupSize: 4, groups: 1, body });
    expect(bindings).toEqual([
      { kind: "arg", arg: 0, access: "read_write" },
      { kind: "arg", arg: 1, access: "read" },
    ]);
    expect(wgsl).toContain("b0[id] = bitcast<f32>(select(i32(x), 7, (b1[id] != u32(0u))));");
  });

  test("an argument that is only read in a dispatch is bound for reading, whatever it is in others", () => {
    const module = new ModuleBuilder([arg("f32", "readwrite", 4)], launch([0]));
    expect(module.load(0, "0")).toBe("b0[0]");
    expect(module.bindings).toEqual([{ kind: "arg", arg: 0, access: "read" }]);
    module.store(0, "0", "1f");
    expect(module.bindings).toEqual([{ kind: "arg", arg: 0, access: "read_write" }]);
  });

  test("text depends on what is computed, not on the order in which helpers were asked for", () => {
    const text = (order: readonly ("max" | "min")[]): string => {
      const module = new ModuleBuilder([], launch([]));
      for (const name of order) combination(module, name, "f32", "x", "y");
      return module.finish({ workgroupSize: 1, groups: 1, body: new Code() }).wgsl;
    };
    expect(text(["max", "min", "max"])).toBe(text(["min", "max"]));
    expect(text(["max"]).match(/^fn /gm)).toHaveLength(2);
  });

  test("only what the body names of its place is there", () => {
    const finish = (line: string): string => {
      const body = new Code();
      body.line(line);
      return new ModuleBuilder([], launch([])).finish({ workgroupSize: [8, 2, 1], groups: 5, body }).wgsl;
    };
    expect(finish("let x = 1;")).toContain("@workgroup_size(8, 2, 1)\nfn main() {\n  let x = 1;\n}");
    expect(finish("let x = lid;")).toContain("fn main(@builtin(local_invocation_index) place: u32)");
    expect(finish("let x = group;")).not.toContain("place");
    expect(finish("let x = id;")).toContain("let id = group * 16 + lid;");
  });

  test("more workgroups than a dimension holds go into a second", () => {
    expect(foldGroups(65535, 65535)).toEqual([65535, 1, 1]);
    expect(foldGroups(65536, 65535)).toEqual([32768, 2, 1]);
    expect(foldGroups(0, 65535)).toEqual([1, 1, 1]);
    for (const n of [9, 10, 21, 63, 64]) {
      const [x, y] = foldGroups(n, 8);
      expect(x).toBeLessThanOrEqual(8);
      expect(y).toBeLessThanOrEqual(8);
      expect(x * y).toBeGreaterThanOrEqual(n);
    }
    expect(() => foldGroups(65, 8)).toThrow("65 workgroups");
  });

  test("mistakes of lowerings are told", () => {
    const module = new ModuleBuilder([arg("f32", "read", 8), arg("f64", "read", 8)], launch([0, 1]));
    module.load(0, "0");
    expect(() => module.load4(0, "0")).toThrow("in fours and one by one");
    expect(() => module.inFours(0)).toThrow("one by one");
    expect(() => module.load(1, "0")).toThrow("WGSL has no f64");
    expect(() => module.load(2, "0")).toThrow("has no buffer 2");
    module.scratch(0, "f32", "read_write");
    expect(() => module.scratch(0, "u32", "read")).toThrow("scratch 0 is of f32 and of u32");
  });

  test("more buffers than a device binds are refused here, not by the device", () => {
    const buffers = Array.from({ length: 9 }, () => arg("f32", "read", 4));
    const module = new ModuleBuilder(buffers, launch(buffers.map((_, i) => i)));
    buffers.forEach((_, i) => module.load(i, "0"));
    expect(() => module.finish({ workgroupSize: 1, groups: 1, body: new Code() })).toThrow("9 storage buffers");
  });

  test("what workgroups hold is counted", () => {
    const module = new ModuleBuilder([], launch([]));
    expect(module.workgroupArray("tile", "vec4f", 64)).toBe("tile");
    module.workgroupArray("flags", "u32", 3);
    expect(module.finish({ workgroupSize: 1, groups: 1, body: new Code() }).workgroupBytes).toBe(1036);
  });
});

describe.skipIf(!device)("on a device", () => {
  test("a shader that is no WGSL is refused with its text", async () => {
    await expect(pipelineOf(device!, "fn main() { let x = ; }")).rejects.toThrow(/refuses a shader[^]*1 {2}fn main/);
  });

  test("every workgroup of a folded grid has its own number", async () => {
    const n = 21 * 4;
    const module = new ModuleBuilder(
      [arg("i32", "write", n)],
      launch([0], { ...defaultLimits, maxComputeWorkgroupsPerDimension: 8 }),
    );
    const body = new Code();
    body.block(`if (id < ${n})`, () => body.line(module.store(0, "id", "id * 10 + group")));
    const finished = module.finish({ workgroupSize: 4, groups: 21, body });
    expect(finished.workgroups).toEqual([7, 3, 1]);
    const [got] = await run([finished], [new Int32Array(n)]);
    expect([...got!]).toEqual(Array.from({ length: n }, (_, i) => i * 10 + Math.floor(i / 4)));
  });

  test("arguments in one storage", async () => {
    const buffers = [arg("f32", "read", 4), arg("bool", "read", 4), arg("i32", "write", 4), arg("bool", "write", 4)];
    const sameAs = [0, 1, 0, 1];
    const module = new ModuleBuilder(buffers, launch(sameAs));
    const body = new Code();
    body.line(`let x = ${module.load(0, "id")};`);
    body.line(`let p = ${module.load(1, "id")};`);
    body.line(module.store(2, "id", "select(i32(x * 2), -1, p)"));
    body.line(module.store(3, "id", "!p"));
    const finished = module.finish({ workgroupSize: 4, groups: 1, body });
    const contents = [
      new Float32Array([1, 2, 3, 4.5]),
      new Uint32Array([0, 1, 0, 0]),
      new Int32Array(4),
      new Uint32Array(4),
    ];
    const got = await run([finished], contents, sameAs);
    expect([...got[2]!]).toEqual([2, -1, 6, 9]);
    expect([...got[3]!]).toEqual([1, 0, 1, 1]);
  });

  test("fours, of every type", async () => {
    const types = ["f32", "i32", "u32", "bool"] as const;
    const buffers = types.flatMap((t) => [arg(t, "read", 8), arg(t, "write", 8)]);
    for (let t = 0; t < 4; t++) {
      const module = new ModuleBuilder(buffers, launch(buffers.map((_, i) => i)));
      module.inFours(2 * t);
      module.inFours(2 * t + 1);
      const body = new Code();
      body.line(`let x = ${module.load4(2 * t, "id")};`);
      body.line(module.store4(2 * t + 1, "1 - id", types[t] === "bool" ? "!x" : "x + x"));
      const contents = buffers.map((b) =>
        b.type === "f32" ? new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]) : new Uint32Array([1, 0, 0, 1, 0, 0, 1, 1]),
      );
      const got = await run([module.finish({ workgroupSize: 2, groups: 1, body })], contents);
      const expected =
        types[t] === "f32"
          ? [10, 12, 14, 16, 2, 4, 6, 8]
          : types[t] === "bool"
            ? [1, 1, 0, 0, 0, 1, 1, 0]
            : [0, 0, 2, 2, 2, 0, 0, 2];
      expect([...got[2 * t + 1]!], types[t]).toEqual(expected);
    }
  });

  test("scratch memory between two dispatches, and workgroup memory", async () => {
    const n = 256;
    const buffers = [arg("f32", "read", n), arg("f32", "write", 1)];
    const first = new ModuleBuilder(buffers, launch([0, 1]));
    const second = new ModuleBuilder(buffers, launch([0, 1]));
    const tree = (module: ModuleBuilder, value: string, size: number, store: (sum: string) => string): Code => {
      const body = new Code();
      const tile = module.workgroupArray("tile", "f32", size);
      body.line(`${tile}[lid] = ${value};`);
      for (let step = size / 2; step >= 1; step /= 2) {
        body.line("workgroupBarrier();");
        body.block(`if (lid < ${step})`, () =>
          body.line(`${tile}[lid] = ${combination(module, "max", "f32", `${tile}[lid]`, `${tile}[lid + ${step}]`)};`),
        );
      }
      body.block("if (lid == 0)", () => body.line(store(`${tile}[0]`)));
      return body;
    };
    const partial = first.scratch(0, "f32", "read_write");
    const one = first.finish({
      workgroupSize: 64,
      groups: 4,
      body: tree(first, first.load(0, "id"), 64, (sum) => `${partial}[group] = ${sum};`),
    });
    const parts = second.scratch(0, "f32", "read");
    const two = second.finish({
      workgroupSize: 4,
      groups: 1,
      body: tree(second, `${parts}[lid]`, 4, (sum) => second.store(1, "0", sum)),
    });
    expect(two.bindings).toEqual([
      { kind: "scratch", scratch: 0, access: "read" },
      { kind: "arg", arg: 1, access: "read_write" },
    ]);
    const data = Float32Array.from({ length: n }, (_, i) => -1 - ((i * 37) % n));
    const largest = async (at: number, value: number): Promise<number> => {
      const changed = data.slice();
      changed[at] = value;
      return (await run([one, two], [changed, new Float32Array(1)], undefined, [16]))[1]![0]!;
    };
    expect(await largest(100, 5)).toBe(5);
    expect(await largest(255, -0)).toBe(-0);
    expect(await largest(17, NaN)).toBe(NaN);
    expect(await largest(3, Infinity)).toBe(Infinity);
  });
});
