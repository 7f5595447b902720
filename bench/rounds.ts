import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { LIBRARY_NAMES, type LibraryName } from "./libraries.js";
import type { RowName } from "./rows.js";
import type { Clock } from "./sample.js";

export interface Rounds {
  readonly rounds: number;
  readonly sampleMs: number;
  readonly clock: Clock;
}

async function answer(child: ChildProcess, what: string): Promise<unknown> {
  const ended = once(child, "exit").then(() => Promise.reject(new Error(`${what} ended before it answered`)));
  const [message] = (await Promise.race([once(child, "message"), ended])) as [unknown];
  return message;
}

/**
 * Runs the libraries in turn, round after round, each in its own process: whatever else the machine does meets all of them
 * alike, and none has to live with another's heap. The samples of each library that can do the row, in seconds.
 */
export async function runRounds(
  name: RowName,
  { rounds, sampleMs, clock }: Rounds,
): Promise<ReadonlyMap<LibraryName, readonly number[]>> {
  const script = fileURLToPath(new URL("turns.js", import.meta.url));
  const samples = new Map<LibraryName, number[]>();
  const children = new Map<LibraryName, ChildProcess>();
  try {
    for (const which of LIBRARY_NAMES) {
      const child = fork(script, [which, name, String(sampleMs), clock]);
      children.set(which, child);
      if (await answer(child, `${which} on "${name}"`)) samples.set(which, []);
    }
    const able = [...samples];
    for (let round = 0; round < rounds; round++)
      for (let k = 0; k < able.length; k++) {
        const [which, list] = able[(k + round) % able.length]!;
        const child = children.get(which)!;
        child.send("sample");
        list.push((await answer(child, `${which} on "${name}"`)) as number);
      }
    return samples;
  } finally {
    for (const child of children.values()) child.kill();
  }
}
