import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Manifest {
  readonly exports: Readonly<
    Record<string, string | { readonly types: string; readonly node: string; readonly default: string }>
  >;
  readonly sideEffects: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta: Readonly<Record<string, { readonly optional?: boolean }>>;
}

const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest;
const sourceOf = (built: string): string => built.replace(/^\.\/dist\//, "src/").replace(/(\.d)?\.[tj]s$/, ".ts");

describe("the manifest", () => {
  test("every entry and every file with effects has a source", () => {
    const entries = Object.values(manifest.exports).flatMap((entry) =>
      typeof entry === "string" ? [] : [entry.types, entry.default],
    );
    const effects = manifest.sideEffects.filter((file) => !file.includes("*"));
    expect(entries.length).toBeGreaterThan(0);
    expect([...entries, ...effects].filter((file) => !existsSync(join(root, sourceOf(file))))).toEqual([]);
  });

  test("nothing is installed along with it", () => {
    expect([manifest.dependencies, manifest.optionalDependencies]).toEqual([undefined, undefined]);
    expect(Object.keys(manifest.peerDependencies)).toEqual(["webgpu"]);
    expect(manifest.peerDependenciesMeta).toEqual({ webgpu: { optional: true } });
  });

  test("the lock file names no registry of somebody's own", () => {
    const resolved = readFileSync(join(root, "package-lock.json"), "utf8").match(/"resolved": "[^"]+"/g) ?? [];
    expect(resolved.filter((line) => !line.includes('"https://registry.npmjs.org/'))).toEqual([]);
  });
});

describe("in Node", () => {
  /** Runs a module of the package itself in a process of its own: it finds the package by its name, as users do. */
  const printed = (code: string): unknown =>
    JSON.parse(
      execFileSync(process.execPath, ["--input-type=module", "--eval", code], { cwd: root, encoding: "utf8" }),
    );

  test("every entry is loaded from the bundle, and all of them share one core", () => {
    const names = Object.keys(manifest.exports).filter((name) => name !== "./package.json");
    const code = `
      const specifiers = ${JSON.stringify(names.map((name) => `tsax${name.slice(1)}`))};
      const urls = specifiers.map((name) => import.meta.resolve(name));
      const [tsax, ...rest] = await Promise.all(specifiers.map((name) => import(name)));
      const np = await import("tsax/numpy");
      const shared = rest.map((one, i) => {
        const space = tsax[specifiers[i + 1].slice("tsax/".length)];
        return Object.keys(space).every((key) => Object.is(space[key], one[key]));
      });
      console.log(JSON.stringify({
        bundled: urls.every((url) => url.includes("/dist/node/")),
        shared: shared.every(Boolean),
        instance: np.ones([2]) instanceof tsax.NDArray,
        value: tsax.jit((x) => np.sin(x).add(1))(tsax.numpy.zeros([])).item(),
      }));`;
    expect(printed(code)).toEqual({ bundled: true, shared: true, instance: true, value: 1 });
  });

  test("what points to the user's line skips the bundle's own", () => {
    const code = `
      import { config, jit, numpy as np } from "tsax";
      const warnings = [];
      config.warn = (message) => warnings.push(message);
      function userFunction(x) {
        np.greater(x, 0);
        return x;
      }
      jit(userFunction)(1.5);
      console.log(JSON.stringify(warnings));`;
    expect(printed(code)).toEqual([expect.stringMatching(/made at +at userFunction \(/)]);
  });
});

/**
 * What bundlers leave out: modules that say they have no effects, unless something of them is used. A module that fills in
 * methods or registers things, and is missing in `sideEffects`, is missing in people's bundles too.
 */
describe("bundled", () => {
  let folder: string;
  beforeAll(() => {
    if (!existsSync(join(root, "dist/index.js"))) throw new Error("these tests bundle dist: npm run build");
    folder = mkdtempSync(join(tmpdir(), "tsax-bundle-"));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/tsax"), "dir");
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function printedBy(code: string): Promise<string> {
    const outfile = join(folder, "bundle.mjs");
    await build({
      stdin: { contents: code, resolveDir: folder },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "browser",
      outfile,
      logLevel: "error",
    });
    return execFileSync(process.execPath, [outfile], { encoding: "utf8" }).trim();
  }

  test.each([
    [
      "one function",
      'import { grad } from "tsax"; import { sin, sum, array } from "tsax/numpy"; ' +
        "console.log(String(grad((x) => sum(sin(x)))(array([0, 0]))));",
      "Array([1., 1.])",
    ],
    [
      "methods",
      'import * as np from "tsax/numpy"; const x = np.array([1, 2, 3]); ' +
        "console.log(String(x.mul(3).slice([1]).add(x.at(0).set(5).sum())));",
      "Array([16., 19.])",
    ],
    [
      "everything composed",
      'import { grad, jit, nn, numpy as np, random, vmap } from "tsax"; ' +
        "const f = jit(vmap(grad((x) => nn.logsumexp(x.mul(2)))));" +
        "console.log(String(np.round(f(random.normal(random.key(0), [4, 3])).sum(1), 3)));",
      "Array([2., 2., 2., 2.])",
    ],
  ])("%s", async (_, code, expected) => {
    expect(await printedBy(code)).toBe(expected);
  });
});
