// Installs the libraries to compare with (once), builds the package and the benchmark, and runs it; `--help` lists its options.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (status !== 0) process.exit(status ?? 1);
}

// What shaders of products count: nothing to install or build.
if (process.argv.includes("--dot-webgpu")) {
  run(process.execPath, ["--import", "tsx", "bench/dot-webgpu.ts", ...process.argv.slice(2)]);
  process.exit(0);
}

const peers = ["@jax-js/jax", "@tensorflow/tfjs", "@tensorflow/tfjs-backend-wasm", "@tensorflow/tfjs-backend-webgpu"];
if (!peers.every((name) => existsSync(`${root}bench/node_modules/${name}/package.json`))) {
  run("npm", ["ci", "--prefix", "bench"], { shell: process.platform === "win32" });
}
run(process.execPath, ["scripts/build.mjs"]);
run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "bench/tsconfig.json"]);
// Where the caller stands, for paths among the options.
const args = process.argv.slice(2);
const onGpu = args.includes("--device=webgpu") || args[args.indexOf("--device") + 1] === "webgpu";
run(process.execPath, [`${root}bench/dist/${onGpu ? "gpu" : "main"}.js`, ...args], { cwd: process.cwd() });
