// Installs the libraries to compare with (once), builds, and runs the benchmarks. An argument picks problems by name.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

function run(command, args, options = {}) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: "inherit", ...options });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(`${root}bench/node_modules`)) {
  run("npm", ["ci", "--prefix", "bench"], { shell: process.platform === "win32" });
}
run(process.execPath, ["node_modules/typescript/bin/tsc", "-p", "tsconfig.build.json"]);
run(process.execPath, ["--import", "tsx", "bench/main.ts", ...process.argv.slice(2)], {
  env: { ...process.env, TSX_TSCONFIG_PATH: `${root}tsconfig.build.json` },
});
