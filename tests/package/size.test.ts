import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What a page loads of a program, in KB of 1024 bytes, minified and gzipped. */
interface Size {
  /** Before it does anything. */
  readonly start: number;
  /** Once it has asked for the GPU too. */
  readonly all: number;
}

/**
 * What was reached (docs/decisions/0002-size.md), rounded up. Raise a number only for something that is worth its size, and say so
 * there; lower it when something was won.
 */
const ceilings: Readonly<Record<string, Size & { readonly code: string }>> = {
  everything: { code: 'export * from "tsax";', start: 260, all: 325 },
  "np.add of the entry for numpy": { code: 'export { add } from "tsax/numpy";', start: 146, all: 210 },
  "grad of a function of a few operations": {
    code: 'export { grad, jit, vmap } from "tsax"; export { array, dot, mean, tanh } from "tsax/numpy";',
    start: 151,
    all: 215,
  },
};

describe("a page loads no more than", () => {
  let folder: string;
  beforeAll(() => {
    if (!existsSync(join(root, "dist/index.js"))) throw new Error("these tests bundle dist: npm run build");
    folder = mkdtempSync(join(tmpdir(), "tsax-size-"));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/tsax"), "dir");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function sizeOf(code: string): Promise<Size> {
    const { metafile, outputFiles } = await build({
      stdin: { contents: code, resolveDir: folder },
      absWorkingDir: folder,
      outdir: "out",
      bundle: true,
      splitting: true,
      minify: true,
      write: false,
      metafile: true,
      format: "esm",
      target: "es2022",
      logLevel: "error",
    });
    const zipped = new Map(outputFiles.map(({ path, contents }) => [path, gzipSync(contents, { level: 9 }).length]));
    const bytes = (name: string): number => zipped.get(join(folder, name))!;
    const needed = new Set<string>();
    const need = (name: string): void => {
      if (needed.has(name)) return;
      needed.add(name);
      for (const { path, kind } of metafile.outputs[name]!.imports) if (kind === "import-statement") need(path);
    };
    need("out/stdin.js");
    const sum = (names: Iterable<string>): number => [...names].reduce((total, name) => total + bytes(name), 0) / 1024;
    return { start: sum(needed), all: sum(Object.keys(metafile.outputs)) };
  }

  test.each(Object.entries(ceilings))("its ceiling: %s", async (_, { code, start, all }) => {
    const size = await sizeOf(code);
    console.log(`${code}: ${size.start.toFixed(1)} KB at the start, ${size.all.toFixed(1)} KB with the GPU`);
    expect(size.start).toBeLessThan(start);
    expect(size.all).toBeLessThan(all);
    // A ceiling far above is none.
    expect(size.start).toBeGreaterThan(0.9 * start);
  });
});
