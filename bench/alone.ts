import { prepare, verify, type LibraryName } from "./libraries.js";
import { ROWS, type RowName } from "./rows.js";

/**
 * One row of one library in a process of its own. Prints a line of JSON: the seconds of the first run, or the peak memory of
 * the process in bytes; null where the library cannot do the row.
 */
const [which, name] = process.argv.slice(2) as [LibraryName, RowName];
const prepared = await prepare(which, name);
let figure: number | null = null;
if (prepared) {
  const start = performance.now();
  await prepared.run();
  figure = (performance.now() - start) / 1000;
  if (ROWS[name].kind === "memory") figure = process.resourceUsage().maxRSS * 1024;
  if (!(await verify(which, name, prepared))) figure = null;
}
console.log(JSON.stringify(figure));
process.exit(0);
