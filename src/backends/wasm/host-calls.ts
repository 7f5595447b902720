import { checkHost, type HostArray, hostZeros } from "../../core/aval.js";
import type { DType, TypedArray } from "../../core/dtype.js";
import type { HostFunction } from "../../kernel-ir/program.js";
import type { WasmHeap } from "./heap.js";

/**
 * What modules import to call functions of the host: (number of the callback, a block with the addresses of its inputs, then of
 * its outputs). The function may allocate, so that the memory grows under its program, and may run programs.
 */
export function hostCaller(
  heap: WasmHeap,
  callbacks: readonly HostFunction[],
): (callback: number, block: number) => void {
  return (callback, block) => {
    const { name, inputs, outputs, call } = callbacks[callback]!;
    const address = (k: number): number => heap.i32[(block >>> 2) + k]! >>> 0;
    const given = inputs.map((type, k): HostArray => {
      const array = hostZeros(type);
      array.data.set(elements(heap, type.dtype, address(k), array.data.length));
      return array;
    });
    const results = call(given);
    outputs.forEach((type, k) => {
      const result = results[k]!;
      checkHost(result, type, name);
      const { data } = result;
      elements(heap, type.dtype, address(inputs.length + k), data.length).set(data);
    });
  };
}

/** Elements of the memory as they are stored. */
function elements(heap: WasmHeap, dtype: DType, address: number, words: number): TypedArray {
  switch (dtype) {
    case "float32":
      return heap.f32.subarray(address / 4, address / 4 + words);
    case "float64":
      return heap.f64.subarray(address / 8, address / 8 + words);
    case "uint32":
    case "key":
      return heap.u32.subarray(address / 4, address / 4 + words);
    case "int32":
    case "bool":
      return heap.i32.subarray(address / 4, address / 4 + words);
  }
}
