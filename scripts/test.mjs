// Runs everything a change must pass (build, lint, format, types, tests) and closes with `N passed, N failed`.
// Arguments are handed to vitest: `npm test -- tests/numpy`. With --all (`npm run test:all`), what else takes a sample of recorded
// cases takes all of them.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name) => join(root, "node_modules", name);
const totals = { passed: 0, failed: 0 };
const args = process.argv.slice(2).filter((argument) => argument !== "--all");
if (process.argv.includes("--all")) process.env.ORACLE = "all";

function node(script, args, { quiet = false } = {}) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      stdio: ["ignore", quiet ? "pipe" : "inherit", quiet ? "pipe" : "inherit"],
    });
    const chunks = [];
    child.stdout?.on("data", (chunk) => chunks.push(chunk));
    child.stderr?.on("data", (chunk) => chunks.push(chunk));
    child.on("close", (code) =>
      resolve({
        code: code ?? 1,
        output: Buffer.concat(chunks).toString(),
        seconds: ((performance.now() - started) / 1000).toFixed(1),
      }),
    );
  });
}

async function step(name, script, args) {
  const { code, output, seconds } = await node(script, args, { quiet: true });
  totals[code === 0 ? "passed" : "failed"] += 1;
  console.log(`${code === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (code !== 0) console.log(output);
}

async function vitest(given) {
  const folder = mkdtempSync(join(tmpdir(), "tsax-test-"));
  const file = join(folder, "result.json");
  const { code } = await node(bin("vitest/vitest.mjs"), [
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${file}`,
    ...given,
  ]);
  let failed = 0;
  try {
    const result = JSON.parse(readFileSync(file, "utf8"));
    totals.passed += result.numPassedTests;
    // A file that does not load has no tests of its own to count as failed.
    const unloaded = result.testResults.filter((one) => one.status === "failed" && one.assertionResults.length === 0);
    failed = result.numFailedTests + unloaded.length;
  } catch {
    console.log("vitest left no result");
  }
  rmSync(folder, { recursive: true, force: true });
  totals.failed += code !== 0 && failed === 0 ? 1 : failed;
}

// The build comes first: typechecking and some tests look at dist.
await step("build", join(root, "scripts/build.mjs"), []);
await Promise.all([
  step("typecheck", bin("typescript/bin/tsc"), ["-p", "tsconfig.json"]),
  step("lint", bin("eslint/bin/eslint.js"), [".", "--max-warnings=0"]).then(() =>
    step("format", bin("prettier/bin/prettier.cjs"), ["--check", "--log-level=warn", "."]),
  ),
]);
await vitest(args);

console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed === 0 && totals.passed > 0 ? 0 : 1;
