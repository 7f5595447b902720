import { expect, test } from "vitest";
import { lowerNest } from "../../../src/backends/webgpu/nest/lower.js";
import { constant, load, op } from "../../../src/kernel-ir/scalar.js";
import { flatten } from "../../../src/kernel-ir/index-expr.js";
import { launchOf } from "../../gpu/run-code.js";
import { cumsumKernel, softmaxKernel } from "../../kernel-ir/kernels.js";
import type { NestKernel } from "../../../src/kernel-ir/kernel.js";
import { axes, buffer, nest, phase, store } from "../wasm/build.js";

/** What the kernels of this file are lowered to, for people to look at when it changes. */
const text = (kernel: NestKernel): string =>
  lowerNest(kernel, launchOf(kernel))
    .dispatches.map((d) => `// ${d.label}, ${d.workgroups.join(" x ")} workgroups\n${d.wgsl}`)
    .join("\n");

test("elementwise, with a row broadcast", () => {
  const [i, j] = axes([100, 64]);
  const at = flatten([i!, j!], [64, 1]);
  const kernel = nest("scaled", {
    buffers: [buffer("f32", "read", 6400), buffer("f32", "read", 64), buffer("f32", "write", 6400)],
    parallel: [100, 64],
    phases: [
      phase([store(2, at, op("mul", [op("add", [load("f32", 0, at), load("f32", 1, j!)]), constant("f32", 2)]))]),
    ],
  });
  expect(text(kernel)).toMatchInlineSnapshot(`
    "// scaled, 25 x 1 x 1 workgroups
    @group(0) @binding(0) var<storage, read> b0: array<vec4f>;
    @group(0) @binding(1) var<storage, read> b1: array<vec4f>;
    @group(0) @binding(2) var<storage, read_write> b2: array<vec4f>;
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) place: u32) {
      let group = i32(wid.x);
      let lid = i32(place);
      let id = group * 64 + lid;
      let row = id;
      let i0 = (row % 16) * 4;
      let i1 = row / 16;
      let v0 = i1 * 64 + i0;
      let v1 = b0[v0 >> 2u];
      let v2 = b1[i0 >> 2u];
      b2[v0 >> 2u] = (v1 + v2) * vec4f(2f);
    }
    "
  `);
});

test("softmax of rows", () => {
  expect(text(softmaxKernel(3, 40))).toMatchInlineSnapshot(`
    "// softmax: points, 3 x 1 x 1 workgroups
    @group(0) @binding(0) var<storage, read> b0: array<f32>;
    @group(0) @binding(1) var<storage, read_write> b1: array<f32>;
    var<workgroup> shared_f32_0: array<f32, 64>;
    var<workgroup> parts_f32_0: array<f32, 8>;
    fn max_f(x: f32, y: f32) -> f32 {
      let a = bitcast<u32>(x);
      let b = bitcast<u32>(y);
      let m = select(max(x, y), bitcast<f32>(a & b), ((a | b) << 1u) == 0u);
      return select(m, x + y, max(a & 0x7fffffffu, b & 0x7fffffffu) > 0x7f800000u);
    }
    fn divide(x: f32, y: f32, zero: u32) -> f32 {
      let s = select(1.0f, 0.25f, abs(y) > 8.507059e37f);
      let a = x * s;
      let b = y * s;
      let z = u32(zero);
      let q = bitcast<f32>(bitcast<u32>(a / b) ^ z);
      let q1 = bitcast<f32>(bitcast<u32>(q) & 0xfffff000u);
      let q2 = bitcast<f32>(bitcast<u32>(q - q1) ^ z);
      let b1 = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
      let b2 = bitcast<f32>(bitcast<u32>(b - b1) ^ z);
      let c = (((a - q1 * b1) - q1 * b2) - q2 * b1 - q2 * b2) / b;
      return select(q, q + c, abs(c) < abs(q) * 0.000001f);
    }
    @compute @workgroup_size(64)
    fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) place: u32) {
      let group = i32(wid.x);
      let lid = i32(place);
      let zero = wid.z;
      let k0 = bitcast<f32>(zero | 0xff800000u);
      let k1 = bitcast<f32>(zero | 0xc2d00000u);
      let k2 = bitcast<f32>(zero | 0x42b20000u);
      let lane = lid;
      let row = group;
      var keep0_0: f32;
      var keep1_0: f32;
      var a0: f32 = k0;
      if (lane < 40) {
        let v0 = b0[row * 40 + lane];
        keep1_0 = v0;
        a0 = max_f(a0, v0);
      }
      shared_f32_0[lid] = a0;
      workgroupBarrier();
      if (lane < 8) {
        var c0: f32 = shared_f32_0[lane];
        for (var i = 1; i < 8; i++) {
          c0 = max_f(c0, shared_f32_0[(lane + i * 8)]);
        }
        parts_f32_0[lane] = c0;
      }
      workgroupBarrier();
      var c1: f32 = parts_f32_0[0];
      for (var i = 1; i < 8; i++) {
        c1 = max_f(c1, parts_f32_0[i]);
      }
      var a1: f32 = 0f;
      if (lane < 40) {
        let v1 = keep1_0;
        let v2 = v1 - c1;
        let v3 = select(v2, k1, (v2 < (-104f)));
        let v4 = select(v3, k2, (89f < v3));
        let v5 = round(v4 * 1.442695f);
        let v6 = fma(v5, 0.00021219444f, fma(v5, -0.6933594f, v4));
        let v7 = fma(fma(fma(fma(0.0013822664f, v6, 0.00836884f), v6, 0.041668247f), v6, 0.1666652f), v6, 0.49999994f);
        let v8 = bitcast<i32>(v5 + 12583166f);
        let v9 = (v8 << 22u) & 2139095040;
        let v10 = fma(fma(v7, v6, 1f), v6, 1f) * bitcast<f32>(v9);
        let v11 = v10 * bitcast<f32>(((v8 << 23u) - v9));
        keep0_0 = v11;
        a1 = a1 + v11;
      }
      shared_f32_0[lid] = a1;
      workgroupBarrier();
      if (lane < 8) {
        var c2: f32 = shared_f32_0[lane];
        for (var i = 1; i < 8; i++) {
          c2 = c2 + shared_f32_0[(lane + i * 8)];
        }
        parts_f32_0[lane] = c2;
      }
      workgroupBarrier();
      var c3: f32 = parts_f32_0[0];
      for (var i = 1; i < 8; i++) {
        c3 = c3 + parts_f32_0[i];
      }
      if (lane < 40) {
        let v12 = row * 40 + lane;
        let v13 = keep0_0;
        b1[v12] = divide(v13, c3, zero);
      }
    }
    "
  `);
});

test("running sums of one long row", () => {
  expect(text(cumsumKernel(1, 100_000))).toMatchInlineSnapshot(`
    "// cumsum: totals of chunks, 12 x 1 x 1 workgroups
    @group(0) @binding(0) var<storage, read> b0: array<vec4f>;
    @group(0) @binding(1) var<storage, read_write> b1: array<u32>;
    var<workgroup> shared_f32_0: array<f32, 256>;
    var<workgroup> parts_f32_0: array<f32, 16>;
    @compute @workgroup_size(256)
    fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) place: u32) {
      let group = i32(wid.x);
      let lid = i32(place);
      let chunk = group % 12;
      let lane = lid;
      let row = group / 12;
      var a0: vec4f = vec4f(0f);
      let end0 = min((chunk + 1) * 2084, 25000);
      for (var e0 = chunk * 2084 + lane; e0 < end0; e0 += 256) {
        let i0 = e0 * 4;
        let v0 = b0[i0 >> 2u];
        a0 = a0 + v0;
      }
      let t0 = (a0.x + a0.y) + (a0.z + a0.w);
      shared_f32_0[lid] = t0;
      workgroupBarrier();
      if (lane < 16) {
        var c0: f32 = shared_f32_0[lane];
        for (var i = 1; i < 16; i++) {
          c0 = c0 + shared_f32_0[(lane + i * 16)];
        }
        parts_f32_0[lane] = c0;
      }
      workgroupBarrier();
      var c1: f32 = parts_f32_0[0];
      for (var i = 1; i < 16; i++) {
        c1 = c1 + parts_f32_0[i];
      }
      if (lane == 0) {
        b1[0 + row * 12 + chunk] = bitcast<u32>(c1);
      }
    }

    // cumsum: scan of chunks, 12 x 1 x 1 workgroups
    @group(0) @binding(0) var<storage, read> b0: array<u32>;
    @group(0) @binding(1) var<storage, read> b1: array<vec4f>;
    @group(0) @binding(2) var<storage, read_write> b2: array<vec4f>;
    var<workgroup> shared_f32_0: array<f32, 256>;
    var<workgroup> parts_f32_0: array<f32, 16>;
    @compute @workgroup_size(256)
    fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) place: u32) {
      let group = i32(wid.x);
      let lid = i32(place);
      let zero = wid.z;
      let k0 = bitcast<f32>(zero | 0x80000000u);
      let chunk = group % 12;
      let lane = lid;
      let row = group / 12;
      var a0: f32 = 0f;
      for (var i = 0; i < chunk; i++) {
        a0 = a0 + bitcast<f32>(b0[0 + row * 12 + i]);
      }
      var carry0: f32 = a0;
      let end0 = min(chunk * 8336 + 8336, 100000);
      for (var tile0 = 0; tile0 < 9; tile0++) {
        let e0 = chunk * 8336 + (tile0 * 256 + lane) * 4;
        let here0 = e0 < end0;
        let e1 = min(e0, end0 - 4) / 4;
        let i0 = e1 * 4;
        let v0 = b1[i0 >> 2u];
        let x0 = v0;
        let p0 = select(k0, x0.x, here0);
        let p1 = p0 + select(k0, x0.y, here0);
        let p2 = p1 + select(k0, x0.z, here0);
        let p3 = p2 + select(k0, x0.w, here0);
        workgroupBarrier();
        shared_f32_0[lid] = p3;
        workgroupBarrier();
        if (lane < 16) {
          var c0: f32 = k0;
          for (var i = 0; i < 16; i++) {
            let x1 = shared_f32_0[(lane * 16 + i)];
            shared_f32_0[(lane * 16 + i)] = c0;
            c0 = c0 + x1;
          }
          parts_f32_0[lane] = c0;
        }
        workgroupBarrier();
        var c1: f32 = k0;
        var c2: f32 = k0;
        for (var i = 0; i < 16; i++) {
          if (i == (lane / 16)) {
            c1 = c2;
          }
          c2 = c2 + parts_f32_0[i];
        }
        let c3 = c1 + shared_f32_0[lane];
        let before0 = carry0 + c3;
        let s0 = before0 + p0;
        let s1 = before0 + p1;
        let s2 = before0 + p2;
        let s3 = before0 + p3;
        carry0 = carry0 + c2;
        let s4 = vec4f(s0, s1, s2, s3);
        if (here0) {
          b2[i0 >> 2u] = s4;
        }
      }
    }

    // cumsum: after chunks, 1 x 1 x 1 workgroups
    @group(0) @binding(0) var<storage, read> b0: array<u32>;
    @group(0) @binding(1) var<storage, read_write> b1: array<f32>;
    @compute @workgroup_size(256)
    fn main(@builtin(workgroup_id) wid: vec3u, @builtin(local_invocation_index) place: u32) {
      let group = i32(wid.x);
      let lid = i32(place);
      let lane = lid;
      let row = group;
      var a0: f32 = 0f;
      for (var i = 0; i < 12; i++) {
        a0 = a0 + bitcast<f32>(b0[0 + row * 12 + i]);
      }
      if (lane == 0) {
        b1[0] = a0;
      }
    }
    "
  `);
});
