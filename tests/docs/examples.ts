import { fileURLToPath } from "node:url";
import { relative } from "node:path";
import { type ExportedDeclarations, type JSDoc, type JSDocTag, Node, Project, SourceFile, ts } from "ts-morph";

/** An `@example` of the doc comment of something public. */
export interface Example {
  /** The public name, as users write it. */
  readonly name: string;
  /** File and line, for messages. */
  readonly place: string;
  readonly code: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Everything documented that can be reached from `src/index.ts`: its public name, and each of its doc comments. */
function publicDocs(): (readonly [name: string, node: ExportedDeclarations, doc: JSDoc])[] {
  const project = new Project({
    compilerOptions: { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, noLib: true },
    skipAddingFilesFromTsConfig: true,
  });
  const index = project.addSourceFileAtPath(`${root}/src/index.ts`);
  project.resolveSourceFileDependencies();
  const found: (readonly [string, ExportedDeclarations, JSDoc])[] = [];
  const visit = (file: SourceFile, prefix: string): void => {
    for (const [name, declarations] of file.getExportedDeclarations()) {
      for (const declaration of declarations) {
        if (declaration instanceof SourceFile) visit(declaration, `${prefix}${name}.`);
        else for (const doc of docsOf(declaration)) found.push([prefix + name, declaration, doc]);
      }
    }
  };
  visit(index, "");
  return found;
}

const tagsOf = (doc: JSDoc, name: string): JSDocTag[] => doc.getTags().filter((tag) => tag.getTagName() === name);

/** The examples of everything public. */
export function publicExamples(): Example[] {
  const examples = new Map<string, Example>();
  for (const [name, , doc] of publicDocs()) {
    for (const tag of tagsOf(doc, "example")) {
      const place = `${relative(root, tag.getSourceFile().getFilePath())}:${tag.getStartLineNumber()}`;
      examples.set(place, { name, place, code: tag.getCommentText() ?? "" });
    }
  }
  return [...examples.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** What a function's doc comment says it throws. */
export interface PromisedErrors {
  /** File and line of the function, which may be public under several names. */
  readonly place: string;
  /** As `ShapeError rank`, in order. */
  readonly errors: readonly string[];
  /** The neighbours whose errors are its own too: "as `sum`". */
  readonly as: readonly string[];
}

/** The errors that functions (not the methods of classes) say they throw, by public name. */
export function publicErrors(): ReadonlyMap<string, PromisedErrors> {
  const found = new Map<string, PromisedErrors>();
  for (const [name, node, doc] of publicDocs()) {
    if (Node.isClassDeclaration(node) || Node.isInterfaceDeclaration(node)) continue;
    const errors = tagsOf(doc, "throws").flatMap((tag) => {
      // "ShapeError `rank`, `size` where …, DTypeError `number-needed`": codes stand together after their class
      const classes = (tag.getCommentText() ?? "").matchAll(/(\w+Error)((?:,?\s+`[a-z\d-]+`)+)/g);
      return [...classes].flatMap(([, kind, codes]) =>
        [...codes!.matchAll(/`([^`]+)`/g)].map(([, code]) => `${kind} ${code}`),
      );
    });
    const as = tagsOf(doc, "throws").flatMap((tag) => /^as `([\w.]+)`/.exec(tag.getCommentText() ?? "")?.[1] ?? []);
    if (errors.length === 0 && as.length === 0) continue;
    const place = `${relative(root, node.getSourceFile().getFilePath())}:${node.getStartLineNumber()}`;
    found.set(name, { place, errors: [...new Set(errors)].sort(), as });
  }
  return found;
}

/**
 * Doc comments of a declaration; those of a variable stand on its statement, those of methods on the methods, of which a class
 * may have more in interfaces that are merged with it.
 */
function docsOf(node: ExportedDeclarations): readonly JSDoc[] {
  const statement = Node.isVariableDeclaration(node) ? node.getVariableStatement() : undefined;
  const all = Node.isClassDeclaration(node) ? (node.getSymbol()?.getDeclarations() ?? []) : [node];
  const members = all.flatMap((one): Node[] => {
    if (Node.isClassDeclaration(one)) return one.getMembers();
    return Node.isInterfaceDeclaration(one) ? one.getMembers() : [];
  });
  return [statement ?? node, ...members].flatMap((one) => (Node.isJSDocable(one) ? one.getJsDocs() : []));
}

/** What is handed to an example's checks: the value of a statement, and the comment after it. */
export type Check = (value: unknown, comment: string) => Promise<void>;

/**
 * Compiles an example to a function of its scope. A statement with a comment behind it hands its value to `check`: an
 * expression its own, a declaration of one name that one's.
 */
export function compileExample(
  code: string,
  scope: readonly string[],
): (check: Check, ...values: unknown[]) => Promise<void> {
  const source = ts.createSourceFile("example.ts", code, ts.ScriptTarget.ES2022, true);
  const checked = source.statements.map((statement) => {
    const [comment] = ts.getTrailingCommentRanges(code, statement.end) ?? [];
    const text = statement.getText();
    if (!comment) return text;
    const promise = JSON.stringify(code.slice(comment.pos + 2, comment.end).trim());
    if (ts.isExpressionStatement(statement)) return `await $check(${statement.expression.getText()}, ${promise});`;
    const name = ts.isVariableStatement(statement) ? statement.declarationList.declarations[0]!.name : undefined;
    return name && ts.isIdentifier(name) ? `${text}\nawait $check(${name.text}, ${promise});` : text;
  });
  const { outputText } = ts.transpileModule(checked.join("\n"), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  const AsyncFunction = (async () => {}).constructor as new (
    ...parts: string[]
  ) => (...args: unknown[]) => Promise<void>;
  return new AsyncFunction("$check", ...scope, outputText);
}
