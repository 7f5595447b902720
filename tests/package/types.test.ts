import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A program of somebody who has installed nothing but this package. */
const program = `
import { grad, init, jit, type NDArray, numpy as np, random, setDefaultDevice, vmap } from "tsax";
import * as lax from "tsax/lax";
import * as nn from "tsax/nn";
import { sin } from "tsax/numpy";
import * as ops from "tsax/ops";
import * as randomEntry from "tsax/random";
import * as scipy from "tsax/scipy";
import * as tree from "tsax/tree";

const f = (x: NDArray): NDArray => np.sum(sin(x).mul(x));
export const g = jit(vmap(grad(f)));
export const y: NDArray = g(random.normal(random.key(0), [3, 2]));
export const ready: Promise<void> = init("webgpu").then(() => setDefaultDevice("webgpu"));
export const all = [lax, nn, ops, randomEntry, scipy, tree];
`;

describe("the types that the package ships", () => {
  let folder: string;
  beforeAll(() => {
    if (!existsSync(join(root, "dist/index.d.ts"))) throw new Error("this checks dist: npm run build");
    folder = mkdtempSync(join(tmpdir(), "tsax-types-"));
    mkdirSync(join(folder, "node_modules"));
    symlinkSync(root, join(folder, "node_modules/tsax"), "dir");
    writeFileSync(join(folder, "main.mts"), program);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test.each([
    ["Node", ts.ModuleKind.NodeNext, ts.ModuleResolutionKind.NodeNext, ["lib.es2022.d.ts"]],
    ["a bundler", ts.ModuleKind.ESNext, ts.ModuleResolutionKind.Bundler, ["lib.es2022.d.ts", "lib.dom.d.ts"]],
  ])("check in a project for %s, without @webgpu/types and other packages", (_, module, moduleResolution, lib) => {
    const host = ts.createProgram([join(folder, "main.mts")], {
      target: ts.ScriptTarget.ES2022,
      module,
      moduleResolution,
      lib,
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false,
      // The link is not followed, so that this project's own packages are out of sight.
      preserveSymlinks: true,
    });
    const messages = ts.getPreEmitDiagnostics(host).map((one) => {
      const text = ts.flattenDiagnosticMessageText(one.messageText, "\n");
      return `${one.file?.fileName.replace(folder, "") ?? ""}: ${text}`;
    });
    expect(messages).toEqual([]);
    const foreign = host
      .getSourceFiles()
      .filter(({ fileName }) => /node_modules\/(?!tsax\/|typescript\/)/.test(fileName));
    expect(foreign.map(({ fileName }) => fileName)).toEqual([]);
  });
});
