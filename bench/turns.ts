import { prepare, verify, type LibraryName } from "./libraries.js";
import { ROWS, type RowName } from "./rows.js";
import { Sampler, type Clock } from "./sample.js";

/**
 * One row of one library in a process of its own, which takes a sample whenever it is its turn. Says first whether the library
 * can do the row, then, for each message that it gets, the seconds of one run.
 */
const [which, name, sampleMs, clock] = process.argv.slice(2) as [LibraryName, RowName, string, Clock];
const prepared = await prepare(which, name);
const able = prepared !== undefined && (await verify(which, name, prepared));
if (able) {
  const sampler = new Sampler(prepared, { sampleMs: Number(sampleMs), once: "once" in ROWS[name], clock });
  await sampler.warmUp(10 * Number(sampleMs));
  // Finds how many runs fill a sample.
  await sampler.sample();
  process.on("message", () => {
    // Before a sample timers turn, as they do in any program: finalizers run, and code that was compiled aside is taken over.
    setTimeout(() => void sampler.sample().then((seconds) => process.send!(seconds)), 1);
  });
}
process.send!(able);
