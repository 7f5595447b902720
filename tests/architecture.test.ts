import { fileURLToPath } from "node:url";
import { posix, relative, sep } from "node:path";
import { Project, SyntaxKind, type SourceFile } from "ts-morph";
import { beforeAll, describe, expect, test } from "vitest";

/**
 * Who may import whom. A room is a folder of `src/`; `core-base` names the files of `core` that say what data is
 * (no tracing), and is all that the machine side may see of it. A room may always import itself.
 */
const CORE_BASE = [
  "core/dtype.ts",
  "core/dtypes.ts",
  "core/promotion.ts",
  "core/errors.ts",
  "core/aval.ts",
  "core/host-array.ts",
  "core/half.ts",
  "core/debug.ts",
  "core/config.ts",
];

/** What a primitive says to the compiler about kernels: it speaks of jaxprs and kernels both, so backends may not see it. */
const LOWERING = "kernel-ir/lowering.ts";

const USER_ROOMS = [
  "numpy",
  "lax",
  "nn",
  "random",
  "tree",
  "linalg",
  "fft",
  "scipy",
  "ops",
  "optim",
  "data",
  "io",
] as const;

const USER_ROOM_IMPORTS = ["core-base", "core", "primitives", "transforms", ...USER_ROOMS];

const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  "core-base": [],
  core: ["core-base"],
  "kernel-ir": ["core-base"],
  lowering: ["core-base", "core", "kernel-ir"],
  primitives: ["core-base", "core", "kernel-ir", "lowering"],
  transforms: ["core-base", "core", "kernel-ir", "lowering", "primitives"],
  compiler: ["core-base", "core", "kernel-ir", "lowering", "primitives"],
  backends: ["core-base", "kernel-ir"],
  runtime: ["core-base", "core", "kernel-ir", "lowering", "compiler", "backends"],
  ...Object.fromEntries(USER_ROOMS.map((room) => [room, USER_ROOM_IMPORTS])),
  entries: ["core-base", "core", "transforms", "runtime", ...USER_ROOMS],
  index: ["core-base", "core", "primitives", "transforms", "compiler", "runtime", ...USER_ROOMS],
};

/** Packages that src may name: Node's own modules, and the optional GPU one. */
const PACKAGES = /^(node:.+|webgpu)$/;

interface Edge {
  readonly from: string;
  readonly to: string;
  /** Erased when compiled: counts for the table, not for cycles. */
  readonly typeOnly: boolean;
}

const root = fileURLToPath(new URL("../src", import.meta.url));
const files: string[] = [];
const edges: Edge[] = [];
const packages: Edge[] = [];

function record(file: string, specifier: string, typeOnly: boolean): void {
  if (!specifier.startsWith(".")) {
    packages.push({ from: file, to: specifier, typeOnly });
    return;
  }
  const to = posix.normalize(posix.join(posix.dirname(file), specifier)).replace(/\.js$/, ".ts");
  edges.push({ from: file, to, typeOnly });
}

function readImports(source: SourceFile, file: string): void {
  for (const declaration of source.getImportDeclarations()) {
    record(file, declaration.getModuleSpecifierValue(), declaration.isTypeOnly());
  }
  for (const declaration of source.getExportDeclarations()) {
    const specifier = declaration.getModuleSpecifierValue();
    if (specifier !== undefined) record(file, specifier, declaration.isTypeOnly());
  }
  // Walking the whole tree is slow; few files have import(...) at all.
  if (!/\bimport\s*\(/.test(source.getFullText())) return;
  for (const call of source.getDescendantsOfKind(SyntaxKind.CallExpression)) {
    const argument = call.getArguments()[0];
    if (call.getExpression().getKind() === SyntaxKind.ImportKeyword && argument?.isKind(SyntaxKind.StringLiteral)) {
      // A dynamic import runs later than the module that names it, so it closes no cycle.
      record(file, argument.getLiteralValue(), true);
    }
  }
  for (const type of source.getDescendantsOfKind(SyntaxKind.ImportType)) {
    const literal = type.getArgument().asKind(SyntaxKind.LiteralType)?.getLiteral();
    if (literal?.isKind(SyntaxKind.StringLiteral)) record(file, literal.getLiteralValue(), true);
  }
}

function roomOf(file: string): string {
  if (CORE_BASE.includes(file)) return "core-base";
  if (file === LOWERING) return "lowering";
  return file.includes("/") ? file.slice(0, file.indexOf("/")) : file.replace(/\.ts$/, "");
}

const bare = (file: string): string => file.replace(/\.ts$/, "");

/** The files of one cycle in the order they import each other, or undefined. */
function findCycle(nodes: readonly string[], all: readonly Edge[]): readonly string[] | undefined {
  const next = new Map<string, string[]>();
  for (const { from, to, typeOnly } of all) {
    if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
  }
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): readonly string[] | undefined => {
    const at = path.indexOf(file);
    if (at >= 0) return [...path.slice(at), file];
    if (done.has(file)) return undefined;
    path.push(file);
    for (const to of next.get(file) ?? []) {
      const cycle = visit(to);
      if (cycle) return cycle;
    }
    path.pop();
    done.add(file);
    return undefined;
  };
  for (const node of nodes) {
    const cycle = visit(node);
    if (cycle) return cycle;
  }
  return undefined;
}

beforeAll(() => {
  const project = new Project({ skipAddingFilesFromTsConfig: true, skipFileDependencyResolution: true });
  for (const source of project.addSourceFilesAtPaths(`${root}/**/*.ts`)) {
    const file = relative(root, source.getFilePath()).split(sep).join("/");
    files.push(file);
    readImports(source, file);
  }
});

describe("the rooms of src", () => {
  test("every file lies in a room of the table", () => {
    expect(files.length).toBeGreaterThan(0);
    expect(files.filter((file) => !(roomOf(file) in MAY_IMPORT))).toEqual([]);
  });

  test("rooms import only what the table allows", () => {
    const violations = edges
      .filter(({ from, to }) => roomOf(from) !== roomOf(to) && !MAY_IMPORT[roomOf(from)]?.includes(roomOf(to)))
      .map(({ from, to }) => `${from} → ${bare(to)}`);
    expect(violations).toEqual([]);
  });

  test("imports name files that exist", () => {
    const known = new Set(files);
    expect(edges.filter(({ to }) => !known.has(to)).map(({ from, to }) => `${from} → ${bare(to)}`)).toEqual([]);
  });

  test("no import cycles", () => {
    expect(findCycle(files, edges)?.map(bare).join(" → ")).toBeUndefined();
  });

  test("no dependencies beyond Node's own modules", () => {
    const foreign = packages.filter(({ to }) => !PACKAGES.test(to)).map(({ from, to }) => `${from} → ${to}`);
    expect(foreign).toEqual([]);
  });
});

describe("the checks themselves", () => {
  const edge = (from: string, to: string, typeOnly = false): Edge => ({ from, to, typeOnly });

  test("a cycle is found and printed in order; a type-only edge closes none", () => {
    const nodes = ["a.ts", "b.ts", "c.ts"];
    const open = [edge("a.ts", "b.ts"), edge("b.ts", "c.ts"), edge("c.ts", "a.ts", true)];
    expect(findCycle(nodes, open)).toBeUndefined();
    expect(findCycle(nodes, [...open, edge("c.ts", "b.ts")])).toEqual(["b.ts", "c.ts", "b.ts"]);
  });

  test("backends may not see transformations, nor kernel-ir the tracer", () => {
    expect(MAY_IMPORT["backends"]).not.toContain("transforms");
    expect(MAY_IMPORT["backends"]).not.toContain("core");
    expect(MAY_IMPORT["kernel-ir"]).not.toContain("core");
    expect(roomOf("backends/wasm/emit.ts")).toBe("backends");
  });
});
