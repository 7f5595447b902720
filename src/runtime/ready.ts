import type { Aval } from "../core/aval.js";
import type { DeviceBuffer, Executable, ScalarInput } from "../kernel-ir/backend.js";
import { ArrayType } from "./array-type.js";

/** A program that is ready to run, with what a call needs at hand. Without an executable it shares its operand's storage. */
export interface Ready {
  readonly executable: Executable | undefined;
  readonly outTypes: readonly ArrayType[];
  readonly outWords: readonly number[];
  readonly outBytes: readonly number[];
  readonly outputIsInput: readonly (number | null)[];
  readonly outputReusesInput: readonly (number | null)[];
  /** Every result lies in a block of its own, unless operands are donated. */
  readonly plain: boolean;
  /** Scratch lists of a call; a call inside of a call makes its own. */
  readonly args: (DeviceBuffer | ScalarInput)[];
  readonly outs: DeviceBuffer[];
  busy: boolean;
}

export function readyOf(
  operands: number,
  outs: readonly Aval[],
  executable: Executable | undefined,
  outBytes: readonly number[],
  outputIsInput: readonly (number | null)[],
  outputReusesInput: readonly (number | null)[],
): Ready {
  const outTypes = outs.map((a) => ArrayType.of(a));
  return {
    executable,
    outTypes,
    outWords: outTypes.map((t) => ArrayType.words(t)),
    outBytes,
    outputIsInput,
    outputReusesInput,
    plain: executable !== undefined && outputIsInput.every((i) => i === null),
    args: new Array<DeviceBuffer | ScalarInput>(operands),
    outs: new Array<DeviceBuffer>(outs.length),
    busy: false,
  };
}
