import { wholeVectors } from "./constants.js";
import type { KernelCode, Limits } from "./dispatch.js";

/** A copy as a dispatch: one by the command encoder would end the pass. Copies whole vec4s of what is bound, whatever its size. */
export function copyCode(bytes: number, limits: Limits): KernelCode {
  const size = Math.min(256, limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
  const wgsl = `@group(0) @binding(0) var<storage, read> b0: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read_write> b1: array<vec4<u32>>;

@compute @workgroup_size(${size})
fn main(
  @builtin(workgroup_id) wid: vec3<u32>,
  @builtin(num_workgroups) count: vec3<u32>,
  @builtin(local_invocation_index) lid: u32,
) {
  let id = (wid.y * count.x + wid.x) * ${size}u + lid;
  if (id < arrayLength(&b0)) {
    b1[id] = b0[id];
  }
}
`;
  const groups = Math.ceil(wholeVectors(bytes) / 16 / size);
  const x = Math.min(groups, limits.maxComputeWorkgroupsPerDimension);
  return {
    dispatches: [
      {
        label: "copy",
        wgsl,
        bindings: [
          { kind: "arg", arg: 0, access: "read" },
          { kind: "arg", arg: 1, access: "read_write" },
        ],
        workgroups: [x, Math.ceil(groups / x), 1],
        cost: { flops: 0, loadBytes: bytes, storeBytes: bytes, workgroupBytes: 0 },
      },
    ],
    scratch: [],
  };
}
