import { ofLax } from "./lax.js";
import { ofNumpyAToL } from "./numpy-a-l.js";
import { ofNumpyMToZ } from "./numpy-m-z.js";
import { ofOthers } from "./others.js";

/** Calls that fail, by the public name of the function whose doc comment tells of their errors. */
export const failing: Readonly<Record<string, readonly string[]>> = {
  ...ofNumpyAToL,
  ...ofNumpyMToZ,
  ...ofLax,
  ...ofOthers,
};

/** Errors that need what a test run may lack: a GPU. */
export const elsewhere: Readonly<Record<string, readonly string[]>> = {
  debugInfs: ["DeviceError debug-nans-device"],
  debugNans: ["DeviceError debug-nans-device"],
  devicePut: ["DeviceError async-read"],
};
