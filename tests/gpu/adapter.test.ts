import { expect, test } from "vitest";
import { testGpuDevice } from "./adapter.js";

test("a device of the software driver computes", async ({ skip }) => {
  const device = await testGpuDevice();
  if (!device) return skip("no WebGPU adapter on this machine");
  const code =
    "@group(0) @binding(0) var<storage, read_write> b0: array<f32>;\n@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3<u32>) { b0[id.x] = b0[id.x] * 2.0; }";
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code }) },
  });
  const buffer = device.createBuffer({
    size: 16,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, new Float32Array([1, 2, 3, 4]));
  const into = device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries: [{ binding: 0, resource: { buffer } }] }),
  );
  pass.dispatchWorkgroups(1);
  pass.end();
  encoder.copyBufferToBuffer(buffer, 0, into, 0, 16);
  device.queue.submit([encoder.finish()]);
  await into.mapAsync(GPUMapMode.READ);
  expect([...new Float32Array(into.getMappedRange())]).toEqual([2, 4, 6, 8]);
  device.destroy();
});
