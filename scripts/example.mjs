// Builds the library (incrementally) and runs an example on it: `node scripts/example.mjs digits/main.ts [arguments]`.
import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [program, ...args] = process.argv.slice(2);
const build = spawnSync(process.execPath, ["scripts/build.mjs"], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
if (build.status !== 0) {
  console.error("the build failed");
  process.exit(build.status ?? 1);
}

// The build's tsconfig has no path mappings, so that "tsax" is the built package, as its users get it.
const example = spawn(
  process.execPath,
  [
    "--import",
    "tsx",
    "--enable-source-maps",
    fileURLToPath(new URL(`../examples/${program}`, import.meta.url)),
    ...args,
  ],
  { stdio: "inherit", env: { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.build.json` } },
);
// Ctrl-C reaches the example too (same terminal); it saves its work and decides when to end.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => example.kill("SIGTERM"));
example.on("close", (code, signal) => process.exit(code ?? (signal === null ? 1 : 130)));
