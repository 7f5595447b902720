import { explain, numpy as np } from "tsax";
import { trainStep, type DeviceExamples, type Params } from "../model.js";

/** The step's program in one of its forms. */
export interface View {
  readonly name: string;
  readonly text: string;
}

/** The forms of the program that one step of training runs, from what was traced to the code of the device. */
export function stepProgram(params: Params, examples: DeviceExamples, batch: number, device: string): readonly View[] {
  const indices = np.zeros([batch], { dtype: "int32" });
  const { jaxpr, plan, kernels, code } = explain(trainStep)(params, np.zeros([]), examples, indices, 0.1);
  return [
    { name: "jaxpr", text: jaxpr },
    { name: "Kernels", text: `${plan}\n\n${kernels}` },
    { name: device === "webgpu" ? "WGSL" : "Wasm", text: code },
  ];
}
