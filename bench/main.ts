import { spawnSync } from "node:child_process";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { CASES } from "./cases.js";
import type { Measured } from "./measure.js";

/** The order of the columns; the first is what the others are compared with. */
const LIBRARIES = ["tsax", "jax-js", "tfjs"] as const;

function measureIn(library: string, pattern: string): Map<string, Measured> {
  const script = fileURLToPath(new URL("measure.ts", import.meta.url));
  const { stdout, status } = spawnSync(process.execPath, [...process.execArgv, script, library, pattern], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) console.log(`${library} ended with status ${status}; what it did not reach is blank`);
  const lines = stdout.split("\n").filter((line) => line.startsWith('{"name"'));
  return new Map(lines.map((line) => JSON.parse(line) as Measured).map((measured) => [measured.name, measured]));
}

function format(ms: number): string {
  if (ms < 1) return `${(1000 * ms).toPrecision(3)} µs`;
  return `${ms.toPrecision(3)} ms`;
}

/** Whether two libraries computed the same, to the accuracy that float32 polynomials of all of them have. */
function agree(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((x, i) => Math.abs(x - (b[i] ?? NaN)) <= 1e-3 * Math.abs(x) + 1e-5);
}

const pattern = process.argv[2] ?? "";
console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores; medians (first call)\n`,
);
const results = LIBRARIES.map((library) => [library, measureIn(library, pattern)] as const);
console.log(`| | ${LIBRARIES.join(" | ")} |`);
console.log(`|---|${LIBRARIES.map(() => "---|").join("")}`);
for (const name of Object.keys(CASES).filter((one) => one.includes(pattern))) {
  const ours = results[0]?.[1].get(name);
  const cells = results.map(([, measured]) => {
    const one = measured.get(name);
    if (one === undefined) return "—";
    const doubt = ours !== undefined && !agree(ours.check, one.check) ? " differs!" : "";
    return `${format(one.median)} (${format(one.first)})${doubt}`;
  });
  console.log(`| ${name} | ${cells.join(" | ")} |`);
}
