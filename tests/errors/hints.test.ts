import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { expect, it } from "vitest";
import * as tsax from "../../src/index.js";

/** What error texts tell users to call must exist: `np.where`, `lax.clamp`, `random.split`, `.astype(…)`. */

const root = fileURLToPath(new URL("../../src", import.meta.url));
const spaces: Readonly<Record<string, object>> = {
  np: tsax.numpy,
  lax: tsax.lax,
  nn: tsax.nn,
  random: tsax.random,
  tree: tsax.tree,
};

function textsOf(file: string): string[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), "utf8"), ts.ScriptTarget.Latest);
  const texts: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      texts.push(node.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return texts;
}

it("error texts name functions that exist", () => {
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const absent: string[] = [];
  let found = 0;
  for (const file of files) {
    for (const text of textsOf(file)) {
      for (const [call, space, path] of text.matchAll(/\b(np|lax|nn|random|tree)\.([a-zA-Z]\w*(?:\.\w+)*)\b/g)) {
        found++;
        let value: unknown = spaces[space!];
        for (const name of path!.split(".")) value = (value as Record<string, unknown> | undefined)?.[name];
        if (value === undefined) absent.push(`${file}: ${call}`);
      }
    }
  }
  expect(found).toBeGreaterThan(20);
  expect([...new Set(absent)]).toEqual([]);
});
