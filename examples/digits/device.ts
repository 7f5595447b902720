import { init, setDefaultDevice } from "tsax";
import { hasSoftwareDriver, useSoftwareDriver } from "../../scripts/software-gpu.mjs";

/** Prepares a device and makes it the one that arrays lie on. */
export async function useDevice(name: string): Promise<void> {
  if (name === "webgpu" && hasSoftwareDriver && !(await hasAdapter())) {
    console.log("this machine has no GPU that WebGPU can use: the software driver SwiftShader computes");
    useSoftwareDriver();
  }
  await init(name);
  setDefaultDevice(name);
}

/** Whether there is a GPU; true where the package that would tell is missing, of which `init` then speaks. */
async function hasAdapter(): Promise<boolean> {
  try {
    const { create } = await import("webgpu");
    return (await create([]).requestAdapter()) !== null;
  } catch {
    return true;
  }
}
