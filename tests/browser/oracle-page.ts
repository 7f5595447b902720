import { init, setDefaultDevice } from "../../src/index.js";
import { type Case, failure, findFunction, modesOf } from "../oracle/cases.js";

export interface Outcome {
  readonly id: string;
  readonly mode: string;
  /** What is wrong; undefined where nothing is. */
  readonly wrong: string | undefined;
}

/** Runs recorded cases in all of their modes on a device of this page. */
export async function runCases(cases: readonly Case[], device: string): Promise<Outcome[]> {
  await init(device);
  setDefaultDevice(device);
  const outcomes: Outcome[] = [];
  for (const c of cases) {
    const f = findFunction(c.fn);
    if (!f) throw new Error(`${c.fn} does not exist`);
    for (const mode of modesOf(c)) outcomes.push({ id: c.id, mode, wrong: await failure(c, f, mode) });
  }
  return outcomes;
}
