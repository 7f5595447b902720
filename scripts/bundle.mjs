// Bundles what tsc has written to dist/: dist/node/, what Node loads, and dist/browser/, what a page loads without a bundler.
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const entries = readdirSync(`${root}dist/entries`).filter((file) => file.endsWith(".js"));

const common = {
  absWorkingDir: root,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  // A file beyond ASCII takes V8 twice the memory and time to read.
  charset: "ascii",
  external: ["webgpu"],
  metafile: true,
  logLevel: "warning",
};

const results = await Promise.all([
  // A dozen files rather than hundreds load in a fifth of the time. All entries share them, so there is one core. What is shared lies
  // in a folder of its own, so that the library's frames in a stack are told from its user's by their folder (core/staging.ts).
  build({
    ...common,
    platform: "node",
    entryPoints: ["dist/index.js", ...entries.map((file) => `dist/entries/${file}`)],
    outbase: "dist",
    outdir: "dist/node",
    chunkNames: "core/[hash]",
  }),
  build({
    ...common,
    platform: "browser",
    entryPoints: { tsax: "dist/index.js" },
    outdir: "dist/browser",
    chunkNames: "core/[name]-[hash]",
    minify: true,
  }),
]);

// Chunks are named by what is in them: those of earlier builds go once the new ones stand, so that a process that is loading the
// package meanwhile finds one or the other.
const written = new Set(
  results.flatMap(({ metafile }) => Object.keys(metafile.outputs).map((file) => join(root, file))),
);
for (const folder of ["dist/node", "dist/browser"]) {
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
    const file = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && !written.has(file)) rmSync(file);
  }
}
