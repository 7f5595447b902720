import { config } from "../core/config.js";
import type { CallbackError } from "../core/errors.js";
import { allDevices } from "./devices.js";

/** What callbacks threw while no caller was there to catch it. */
const unseen: CallbackError[] = [];

/** Keeps the error of a callback that ran after its caller had gone on, for `effectsDone`, and reports it. */
export function noteCallbackError(e: CallbackError): void {
  unseen.push(e);
  config.warn(e.message);
}

/** Resolves when every device has done what it was given; rejects with the first error that was noted, and forgets them all. */
export async function effectsDone(): Promise<void> {
  await Promise.all(allDevices().map((d) => d.settled()));
  const [first] = unseen.splice(0);
  if (first) throw first;
}
