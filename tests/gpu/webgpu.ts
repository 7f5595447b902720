import { config, init } from "../../src/index.js";
import { hasSoftwareDriver, useSoftwareDriver } from "../../scripts/software-gpu.mjs";

/**
 * Prepares device "webgpu" for the tests of a file, on the machine's adapter or the software driver; false, with a line that
 * says so, where there is neither. Where the software driver runs, a device that cannot be prepared is an error.
 */
async function prepare(): Promise<boolean> {
  useSoftwareDriver();
  try {
    await init("webgpu");
    return true;
  } catch (e) {
    if (hasSoftwareDriver) throw e;
    console.log(`tests on webgpu are skipped: ${e instanceof Error ? e.message.split("\n")[0] : String(e)}`);
    return false;
  }
}

// Programs that the device lacks kernels for are computed elsewhere, and say so: here that is no news.
const { warn } = config;
config.update("warn", (message) => {
  if (!message.includes("has no kernels for")) warn(message);
});

export const webgpu = await prepare();
