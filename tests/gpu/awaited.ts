import ts from "typescript";

/** Reads that answer at once, which a device that computes on its own cannot give. */
const reads = new Set(["js", "item", "dataSync"]);

/** Whether `await` may stand at a node of a program that runs as an async function. */
function mayAwait(node: ts.Node): boolean {
  const inside = ts.findAncestor(node, (n): n is ts.FunctionLikeDeclaration => ts.isFunctionLike(n) && n !== node);
  return inside === undefined || ts.getModifiers(inside as ts.FunctionExpression)?.some(isAsync) === true;
}

const isAsync = (modifier: ts.Modifier): boolean => modifier.kind === ts.SyntaxKind.AsyncKeyword;

/**
 * Rewrites a program so that it waits where it looks at values: `x.item()`, `x.js()` and `x.dataSync()` become
 * `await $read("item", x)`, and `console.log(x)` and `String(x)` look at `await $here(x)`. What lies in a function that is not
 * async stays as it is: a program that reads there cannot run on such a device.
 */
export function awaited(code: string): string {
  const { factory: f } = ts;
  const call = (name: string, ...args: ts.Expression[]): ts.Expression =>
    f.createParenthesizedExpression(
      f.createAwaitExpression(f.createCallExpression(f.createIdentifier(name), undefined, args)),
    );
  const rewrite: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
    const visit = (node: ts.Node): ts.Node => {
      const inner = ts.visitEachChild(node, visit, context);
      if (!ts.isCallExpression(inner) || !mayAwait(node)) return inner;
      const { expression, arguments: args } = inner;
      if (ts.isPropertyAccessExpression(expression) && reads.has(expression.name.text) && args.length === 0)
        return call("$read", f.createStringLiteral(expression.name.text), expression.expression);
      const text = (node as ts.CallExpression).expression.getText(file);
      if (text !== "console.log" && text !== "String") return inner;
      const here = args.map((a) => (ts.isSpreadElement(a) ? a : call("$here", a)));
      return f.updateCallExpression(inner, expression, undefined, here);
    };
    return ts.visitNode(file, visit) as ts.SourceFile;
  };
  const source = ts.createSourceFile("program.ts", code, ts.ScriptTarget.ES2022, true);
  return ts.createPrinter().printFile(ts.transform(source, [rewrite]).transformed[0]!);
}

/** A number as it is printed, not one within a name. */
const number = /(?<![\w.])-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?(?![\w])/g;

/** What differs between two texts beyond their numbers' last digits and the spaces that these take; undefined if nothing does. */
export function textDifference(printed: string, promised: string, tolerance: number): string | undefined {
  const words = (text: string): string => text.replace(number, "#").replace(/\s+/g, "");
  const differs = `printed ${printed}\npromised ${promised}`;
  if (words(printed) !== words(promised)) return differs;
  const expected = (promised.match(number) ?? []).map(Number);
  const off = (printed.match(number) ?? []).some(
    (text, i) => !(Math.abs(Number(text) - expected[i]!) <= tolerance * Math.max(1, Math.abs(expected[i]!))),
  );
  return off ? differs : undefined;
}
