import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import ts from "typescript";

/** A program put together from the snippets of one page. */
export interface Snippet {
  readonly page: string;
  /** The line of the page on which its first fence opens. */
  readonly line: number;
  /** Blank lines stand for the text between the fences, so that compiler messages name lines of the page. */
  readonly code: string;
  readonly language: "ts" | "js";
}

/**
 * Takes the fenced `ts` and `js` blocks out of a Markdown page. A block that begins with an import starts a new program;
 * one that does not goes on with the program before it.
 */
export function snippetsOf(page: string, markdown: string): Snippet[] {
  const programs: { line: number; lines: string[]; language: "ts" | "js" }[] = [];
  let open: string | undefined;
  let starts = false;
  markdown.split("\n").forEach((text, i) => {
    const fence = /^```(\w*)\s*$/.exec(text);
    if (fence) {
      open = open === undefined ? (fence[1] ?? "") : undefined;
      starts = open !== undefined;
      return;
    }
    if (open !== "ts" && open !== "js") return;
    if (starts && (programs.length === 0 || text.startsWith("import "))) {
      programs.push({ line: i, lines: new Array<string>(i).fill(""), language: open });
    }
    starts = false;
    const program = programs.at(-1);
    while (program && program.lines.length < i) program.lines.push("");
    program?.lines.push(text);
  });
  return programs.map(({ line, lines, language }) => ({ page, line, code: lines.join("\n"), language }));
}

/** What a program says it prints: `// → text` comments, each going on in lines that begin with `//` and three spaces. */
export function promisedOutput(code: string): string[] {
  const promised: string[] = [];
  let goesOn = false;
  for (const line of code.split("\n")) {
    const arrow = /\/\/ → ?(.*)$/.exec(line);
    const more: RegExpExecArray | null = goesOn ? /^\s*\/\/ {3}(.*)$/.exec(line) : null;
    if (arrow) promised.push(arrow[1] ?? "");
    else if (more) promised.push(more[1] ?? "");
    goesOn = arrow !== null || more !== null;
  }
  return promised;
}

/** Puts the real text where the promise says `…`, if the rest fits; so that a comparison shows other lines only. */
export function fillEllipses(promised: readonly string[], printed: readonly string[]): string[] {
  return promised.map((text, i) => {
    const found = printed[i];
    if (found === undefined || !text.includes("…")) return text;
    const parts = text.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${parts.join(".*")}$`).test(found) ? found : text;
  });
}

type Modules = Readonly<Record<string, unknown>>;

/** The pages of the project, by their paths from its root. */
export function pagesOf(root: string): string[] {
  const docs = readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" });
  const pages = [
    "README.md",
    "CONTRIBUTING.md",
    ...docs.filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`),
  ];
  return pages.filter((page) => existsSync(join(root, page)));
}

/** What pages import, by name. */
export async function publicModules(): Promise<Modules> {
  return {
    tsax: await import("tsax"),
    "tsax/numpy": await import("tsax/numpy"),
    "tsax/lax": await import("tsax/lax"),
    "tsax/nn": await import("tsax/nn"),
    "tsax/random": await import("tsax/random"),
    "tsax/tree": await import("tsax/tree"),
  };
}

/** Runs a program with the given modules to import from, and other names in scope, and returns the lines it prints. */
export async function run(snippet: Snippet, modules: Modules, scope: Modules = {}): Promise<string[]> {
  const { outputText } = ts.transpileModule(snippet.code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  const lines: string[] = [];
  const print = (...values: unknown[]): void => {
    const text = values.map((value) => (typeof value === "string" ? value : inspect(value, { breakLength: 100 })));
    lines.push(...text.join(" ").split("\n"));
  };
  const load = (name: string): unknown => {
    if (!(name in modules)) throw new Error(`${snippet.page}: a snippet imports ${name}, which no page may`);
    return modules[name];
  };
  // CommonJS inside an async function: imports become calls of `load`, and await may stand at the top.
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...args: unknown[]) => Promise<void>;
  const known = { require: load, exports: {}, console: { log: print }, ...scope };
  // what the library prints for a program counts as printed by it
  const { log } = console;
  console.log = print;
  try {
    await new AsyncFunction(...Object.keys(known), outputText)(...Object.values(known));
  } finally {
    console.log = log;
  }
  return lines;
}

/** Files of the library and of TypeScript's own, parsed once for all calls of `compile`. */
const parsed = new Map<string, ts.SourceFile | undefined>();

/** Compiles all programs at once, strictly but for `looser`, and returns the compiler's messages by page and line. */
export function compile(snippets: readonly Snippet[], root: string, looser: ts.CompilerOptions = {}): string[] {
  const config = ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config.config, files: [], include: [] }, ts.sys, root);
  delete options.incremental;
  delete options.tsBuildInfoFile;
  const files = new Map<string, string>(
    // `export {}` makes a module also of a program without imports.
    snippets.map((one, i) => [`${root}/snippet-${i}.${one.language}`, `${one.code}\nexport {};\n`] as const),
  );
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists, getSourceFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => files.get(name) ?? readFile.call(host, name);
  host.getSourceFile = (name, ...rest) => {
    const text = files.get(name);
    if (text !== undefined) return ts.createSourceFile(name, text, rest[0]);
    if (!parsed.has(name)) parsed.set(name, getSourceFile.call(host, name, ...rest));
    return parsed.get(name);
  };
  const program = ts.createProgram([...files.keys()], { ...options, ...looser, allowJs: true }, host);
  return [...files.keys()].flatMap((name, i) => {
    const source = program.getSourceFile(name);
    const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
    return found.map(({ start = 0, messageText }) => {
      const line = (source?.getLineAndCharacterOfPosition(start).line ?? 0) + 1;
      return `${snippets[i]?.page}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
    });
  });
}
