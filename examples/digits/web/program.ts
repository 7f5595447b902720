import { numpy as np } from "tsax";
import { trainStep, type DeviceExamples, type Params } from "../model.js";

/** The step's program in one of its forms. */
export interface View {
  readonly name: string;
  readonly text: string;
}

/** The forms of the program that one step of training runs: the jaxpr that was traced, and the code made of it. */
export function stepProgram(params: Params, examples: DeviceExamples, batch: number, device: string): readonly View[] {
  const indices = np.zeros([batch], { dtype: "int32" });
  const lowered = trainStep.lower(params, np.zeros([]), examples, indices, 0.1);
  return [
    { name: "jaxpr", text: lowered.asText() },
    { name: device === "webgpu" ? "WGSL" : "Wasm", text: lowered.compile().asText() },
  ];
}
