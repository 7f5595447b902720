import { readFileSync } from "node:fs";

/** What is known not to work. Everything listed here must fail: what passes has to be taken off the list. */
export interface Expected {
  /** Functions of the recorded cases that do not exist. */
  readonly missingFunctions: readonly string[];
  /** Dtypes that arrays cannot have: cases with such arrays are left out. */
  readonly missingDtypes: readonly string[];
  /** Programs that use something that does not exist. */
  readonly missingPrograms: readonly string[];
  readonly failures: readonly KnownFailure[];
}

export interface KnownFailure {
  /** The id of a case, with `x64:` before it in the float64 set; or the name of a program. */
  readonly id: string;
  /** The modes that fail; for a program there are none. */
  readonly modes?: readonly string[];
  /** The devices that fail; without it, all of them. */
  readonly devices?: readonly string[];
  readonly reason: string;
}

export const expected = JSON.parse(readFileSync(new URL("expected.json", import.meta.url), "utf8")) as Expected;

/** Whether a case or program is listed as failing, in a mode, on a device. */
export function isKnownFailure(id: string, mode: string, device: string): boolean {
  return expected.failures.some(
    (known) => known.id === id && (known.modes?.includes(mode) ?? true) && (known.devices?.includes(device) ?? true),
  );
}
