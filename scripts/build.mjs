// Builds the package: tsc writes one file a module (for bundlers) and the types, esbuild the bundles.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
for (const script of ["node_modules/typescript/bin/tsc -p tsconfig.build.json", "scripts/bundle.mjs"]) {
  const { status } = spawnSync(process.execPath, script.split(" "), { cwd: root, stdio: "inherit" });
  if (status !== 0) process.exit(status ?? 1);
}
