import { LIBRARY_NAMES, prepare, verify, type LibraryName } from "./libraries.js";
import { ROWS, type RowName } from "./rows.js";
import { Sampler, type Clock } from "./sample.js";

/**
 * One row in one process: the libraries run in turn, round after round, so that whatever else the machine does meets all of
 * them alike. Prints a line of JSON: the samples of each library, in seconds.
 */
const [name, rounds, sampleMs, clock] = process.argv.slice(2) as [RowName, string, string, Clock];
const row = ROWS[name];
const samplers: [LibraryName, Sampler, number[]][] = [];
for (const which of LIBRARY_NAMES) {
  const prepared = await prepare(which, name);
  if (!prepared || !verify(which, name, () => prepared.result())) continue;
  const sampler = new Sampler(prepared, { sampleMs: Number(sampleMs), once: "once" in row, clock });
  samplers.push([which, sampler, []]);
}
for (const [, sampler] of samplers) await sampler.warmUp(10 * Number(sampleMs));
for (let round = -1; round < Number(rounds); round++) {
  for (let k = 0; k < samplers.length; k++) {
    const [, sampler, samples] = samplers[(k + round + 1) % samplers.length]!;
    const seconds = await sampler.sample();
    // The first round finds how many runs fill a sample.
    if (round >= 0) samples.push(seconds);
    // Between samples timers turn, as they do in any program: finalizers run, and code that was compiled aside is taken over.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
console.log(JSON.stringify(Object.fromEntries(samplers.map(([which, , samples]) => [which, samples]))));
process.exit(0);
