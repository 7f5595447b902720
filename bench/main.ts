import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { LIBRARY_NAMES, type LibraryName } from "./libraries.js";
import { runRounds } from "./rounds.js";
import { ROWS, type Row, type RowName } from "./rows.js";

/** A line of the results: a time or a number of bytes of each library, lower is better; null where it cannot. */
type Result = { readonly name: RowName; readonly unit: Row["unit"] } & Readonly<Record<LibraryName, number | null>>;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "string" },
    only: { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
    clock: { type: "string", default: "processor" },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(`npm run bench -- [options] [REGEX]
  --json FILE     also write the rows as JSON
  --only REGEX    only rows whose names match; the same as REGEX alone
  --rounds N      rounds of each warm row (default 15)
  --quick         fewer and shorter rounds
  --device webgpu  instead: counts and times of warm steps on WebGPU
  --clock CLOCK   of warm rows: "processor" (default: time of the process's own threads) or "wall"`);
  process.exit(0);
}
const rounds = Number(options.rounds ?? (options.quick ? 5 : 15));
const aloneRounds = Math.max(1, Math.min(rounds, options.quick ? 3 : 9));
const memoryRounds = options.quick ? 1 : Math.min(rounds, 3);
const sampleMs = options.quick ? 15 : 40;

function child(script: string, args: readonly string[]): unknown {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const { stdout, status } = spawnSync(process.execPath, [path, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${script} ${args.join(" ")} ended with status ${status}`);
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as unknown;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const perUnit = { ms: 1e3, µs: 1e6, bytes: 1 } as const;

async function measure(name: RowName): Promise<Result> {
  const row: Row = ROWS[name];
  let samples: ReadonlyMap<LibraryName, readonly number[]>;
  if (row.kind === "warm") {
    samples = await runRounds(name, { rounds, sampleMs, clock: options.clock === "wall" ? "wall" : "processor" });
  } else {
    const figures = new Map<LibraryName, number[]>(LIBRARY_NAMES.map((which) => [which, []]));
    samples = figures;
    for (let round = 0; round < (row.kind === "memory" ? memoryRounds : aloneRounds); round++)
      for (const which of LIBRARY_NAMES) {
        const figure = child("alone.js", [which, name]) as number | null;
        if (figure !== null) figures.get(which)!.push(figure);
      }
  }
  const figure = (which: LibraryName): number | null => {
    const list = samples.get(which) ?? [];
    return list.length === 0 ? null : median(list) * perUnit[row.unit];
  };
  const figures = Object.fromEntries(LIBRARY_NAMES.map((which) => [which, figure(which)]));
  return { name, unit: row.unit, ...(figures as Record<LibraryName, number | null>) };
}

function format(value: number | null, unit: Row["unit"]): string {
  if (value === null) return "—";
  return unit === "bytes" ? `${(value / 1e6).toFixed(0)} MB` : `${value >= 1000 ? value.toFixed(0) : value.toPrecision(3)} ${unit}`; // prettier-ignore
}

const ratio = (peer: number | null, ours: number | null): string =>
  peer === null || ours === null ? "—" : `${(peer / ours).toPrecision(3)}×`;

const pattern = new RegExp(options.only ?? positionals[0] ?? "", "i");
const results: Result[] = [];
console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}, ${cpus().length} cores; medians\n`);
const others = LIBRARY_NAMES.slice(1);
const titles = { ours: "tsax", jaxjs: "jax-js", tfjs: "TensorFlow.js (wasm)", plain: "plain JS", eager: "tsax, eager" };
const heads = [...LIBRARY_NAMES.map((which) => titles[which]), ...others.map((which) => `${titles[which]} / tsax`)];
console.log(`| | ${heads.join(" | ")} |`);
console.log(`|${"---|".repeat(heads.length + 1)}`);
for (const name of (Object.keys(ROWS) as RowName[]).filter((one) => pattern.test(one))) {
  const result = await measure(name);
  const cells = LIBRARY_NAMES.map((which) => format(result[which], result.unit));
  console.log(`| ${[name, ...cells, ...others.map((which) => ratio(result[which], result.ours))].join(" | ")} |`);
  results.push(result);
}
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 2)}\n`);
