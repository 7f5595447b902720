import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string): string => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests and examples under test name the package as its users do, and get the sources.
    alias: [
      { find: /^tsax$/, replacement: source("index.ts") },
      { find: /^tsax\/(.+)$/, replacement: source("entries/$1.ts") },
    ],
  },
  test: {
    include: ["tests/**/*.test.ts"],
    setupFiles: ["tests/setup.ts"],
    pool: "forks",
    maxWorkers: 2,
    // Generous: machines that others share are slow at times.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    execArgv: ["--expose-gc"],
  },
});
