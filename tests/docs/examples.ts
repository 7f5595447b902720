import { fileURLToPath } from "node:url";
import { relative } from "node:path";
import { type ExportedDeclarations, type JSDoc, Node, Project, SourceFile, ts } from "ts-morph";

/** An `@example` of the doc comment of something public. */
export interface Example {
  /** The public name, as users write it. */
  readonly name: string;
  /** File and line, for messages. */
  readonly place: string;
  readonly code: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The examples of everything that can be reached from `src/index.ts`, by name. */
export function publicExamples(): Example[] {
  const project = new Project({
    compilerOptions: { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, noLib: true },
    skipAddingFilesFromTsConfig: true,
  });
  const index = project.addSourceFileAtPath(`${root}/src/index.ts`);
  project.resolveSourceFileDependencies();
  const examples = new Map<string, Example>();
  const visit = (file: SourceFile, prefix: string): void => {
    for (const [name, declarations] of file.getExportedDeclarations()) {
      for (const declaration of declarations) {
        if (declaration instanceof SourceFile) visit(declaration, `${prefix}${name}.`);
        else for (const example of examplesOf(declaration, prefix + name)) examples.set(example.place, example);
      }
    }
  };
  visit(index, "");
  return [...examples.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Doc comments of a declaration; those of a variable stand on its statement, those of methods on the methods. */
function docsOf(node: ExportedDeclarations): readonly JSDoc[] {
  const statement = Node.isVariableDeclaration(node) ? node.getVariableStatement() : undefined;
  const members = Node.isClassDeclaration(node) || Node.isInterfaceDeclaration(node) ? node.getMembers() : [];
  return [statement ?? node, ...members].flatMap((one) => (Node.isJSDocable(one) ? one.getJsDocs() : []));
}

function examplesOf(node: ExportedDeclarations, name: string): Example[] {
  return docsOf(node)
    .flatMap((doc) => doc.getTags())
    .filter((tag) => tag.getTagName() === "example")
    .map((tag) => ({
      name,
      place: `${relative(root, node.getSourceFile().getFilePath())}:${tag.getStartLineNumber()}`,
      code: tag.getCommentText() ?? "",
    }));
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
