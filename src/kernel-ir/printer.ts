import type { Atom, Index } from "./index-expr.js";
import type { BufferArg, Digit, DotKernel, Kernel, MatrixLayout, NestKernel, SortKernel, Statement } from "./kernel.js";
import type { BufferRef, Program, ProgramFunction, Slices, Step } from "./program.js";
import type { ConstExpr, Expr } from "./scalar.js";

/** Text of the kernel IR, for goldens, explanations and error messages. */

/** `3*a0 + a1 % 4 + 2`. */
export const printIndex = (index: Index): string => new ExprPrinter().index(index);

/** An expression; nodes that occur more than once stand as `%0 = …;` before it. */
export function printExpr(e: Expr): string {
  const printer = new ExprPrinter();
  const { lines, text } = printer.expr(e);
  return [...lines.map((l) => `${l};`), text].join(" ");
}

const compact = (n: number): string =>
  Object.is(n, -0) ? "-0" : Number.isNaN(n) ? "nan" : n === Infinity ? "inf" : n === -Infinity ? "-inf" : String(n);

function printConst({ type, value }: ConstExpr): string {
  if (type === "bool") return value !== 0 ? "true" : "false";
  return `${typeof value === "bigint" ? value : compact(value)}:${type}`;
}

/** Prints expressions of one statement or more; names given to shared nodes hold from then on. */
class ExprPrinter {
  private readonly names = new Map<Expr, string>();
  private lines: string[] = [];

  expr(e: Expr): { readonly lines: readonly string[]; readonly text: string } {
    const [result] = this.exprs([e]);
    return result!;
  }

  /** Prints expressions that belong together: what they share is named before the first that uses it. */
  exprs(roots: readonly Expr[]): { readonly lines: readonly string[]; readonly text: string }[] {
    const uses = new Map<Expr, number>();
    for (const e of roots) countUses(e, uses);
    return roots.map((e) => {
      this.lines = [];
      const text = this.node(e, uses);
      return { lines: this.lines, text };
    });
  }

  private node(e: Expr, uses: ReadonlyMap<Expr, number>): string {
    const name = this.names.get(e);
    if (name !== undefined) return name;
    const text = this.fresh(e, uses);
    if (e.kind !== "op" || (uses.get(e) ?? 0) < 2) return text;
    const given = `%${this.names.size}`;
    this.names.set(e, given);
    this.lines.push(`${given} = ${text}`);
    return given;
  }

  private fresh(e: Expr, uses: ReadonlyMap<Expr, number>): string {
    switch (e.kind) {
      case "const":
        return printConst(e);
      case "index":
        return `[${this.index(e.index, uses)}]`;
      case "load":
        return `b${e.buffer}[${this.index(e.index, uses)}]`;
      case "slot":
        return `slot${e.slot}`;
      case "keep":
        return `keep${e.keep}`;
      case "op": {
        const suffix = e.op === "convert" || e.op === "bitcast" ? `.${e.type}` : "";
        return `${e.op}${suffix}(${e.args.map((a) => this.node(a, uses)).join(", ")})`;
      }
    }
  }

  index(i: Index, uses: ReadonlyMap<Expr, number> = new Map()): string {
    let text = "";
    for (const { coeff, atom } of i.terms) {
      const sign = coeff < 0 ? (text === "" ? "-" : " - ") : text === "" ? "" : " + ";
      const size = Math.abs(coeff);
      text += `${sign}${size === 1 ? "" : `${size}*`}${this.atom(atom, uses)}`;
    }
    if (text === "") return String(i.base);
    return i.base === 0 ? text : `${text} ${i.base < 0 ? "-" : "+"} ${Math.abs(i.base)}`;
  }

  private atom(atom: Atom, uses: ReadonlyMap<Expr, number>): string {
    switch (atom.kind) {
      case "axis":
        return `a${atom.axis}`;
      case "div":
        return `(${this.index(atom.x, uses)})/${atom.d}`;
      case "mod":
        return `(${this.index(atom.x, uses)})%${atom.d}`;
      case "clamp":
        return `clamp(${this.index(atom.x, uses)}, ${atom.lo}, ${atom.hi})`;
      case "value":
        return `{${this.node(atom.expr, uses)} in ${atom.lo}..${atom.hi}}`;
    }
  }
}

function countUses(e: Expr, uses: Map<Expr, number>): void {
  const before = uses.get(e) ?? 0;
  uses.set(e, before + 1);
  if (before > 0) return;
  if (e.kind === "op") for (const a of e.args) countUses(a, uses);
  if (e.kind === "load" || e.kind === "index") countIndexUses(e.index, uses);
}

function countIndexUses(i: Index, uses: Map<Expr, number>): void {
  for (const { atom } of i.terms) {
    if (atom.kind === "value") countUses(atom.expr, uses);
    else if (atom.kind !== "axis") countIndexUses(atom.x, uses);
  }
}

/** A statement on one line, what it shares with itself named before it. */
export function printStatement(s: Statement): string {
  return statementLines([s], "").join("\n");
}

function statementExprs(s: Statement): readonly Expr[] {
  return s.kind === "update" && s.when !== null ? [s.value, s.when] : [s.value];
}

function statementLines(statements: readonly Statement[], indent: string): string[] {
  const printer = new ExprPrinter();
  const printed = printer.exprs(statements.flatMap(statementExprs));
  const out: string[] = [];
  let next = 0;
  for (const s of statements) {
    const value = printed[next++]!;
    const when = s.kind === "update" && s.when !== null ? printed[next++]! : undefined;
    for (const line of [...value.lines, ...(when?.lines ?? [])]) out.push(indent + line);
    out.push(indent + statementText(s, value.text, when?.text, printer));
  }
  return out;
}

function statementText(s: Statement, value: string, when: string | undefined, printer: ExprPrinter): string {
  switch (s.kind) {
    case "store":
      return `b${s.buffer}[${printer.index(s.index)}] = ${value}`;
    case "update":
      return `${when === undefined ? "" : `if ${when}: `}b${s.buffer}[${printer.index(s.index)}] ${s.combine ?? ""}= ${value}`;
    case "keep":
      return `keep${s.keep} = ${value}`;
    case "accumulate":
      return `slot${s.slot} <- ${value}`;
  }
}

const printBuffer = ({ type, access, length }: BufferArg, i: number): string => `b${i}: ${access} ${type}[${length}]`;

/** A kernel, several lines. */
export function printKernel(kernel: Kernel): string {
  const head = `${kernel.kind} ${kernel.name}(${kernel.buffers.map(printBuffer).join(", ")})`;
  switch (kernel.kind) {
    case "nest":
      return [head, ...nestLines(kernel)].join("\n");
    case "dot":
      return [head, ...dotLines(kernel)].join("\n");
    case "sort":
      return [head, sortLine(kernel)].join("\n");
  }
}

function nestLines(kernel: NestKernel): string[] {
  const first = kernel.parallel.length;
  const axes = (extents: readonly number[], from: number): string =>
    extents.map((e, k) => `a${from + k}<${e}`).join(" ");
  const lines = [
    `  rows ${axes(kernel.parallel, 0) || "one"}${kernel.sequential ? (kernel.unique ? " in order, apart" : " in order") : ""}`,
  ];
  if (kernel.reduced.length > 0) lines.push(`  reduced ${axes(kernel.reduced, first)}`);
  kernel.slots.forEach((s, i) =>
    lines.push(`  slot${i}: ${s.running ? "running " : ""}${s.combine} ${s.type} from ${compact(s.initial)}`),
  );
  kernel.keeps.forEach((type, i) => lines.push(`  keep${i}: ${type}`));
  kernel.phases.forEach((phase, i) => {
    lines.push(`  phase ${i}`, ...statementLines(phase.body, "    "));
    if (phase.after.length > 0) lines.push("  after", ...statementLines(phase.after, "    "));
  });
  return lines;
}

function dotLines(kernel: DotKernel): string[] {
  const digits = (list: readonly Digit[]): string =>
    `[${list.map(({ size, stride }) => `${size}·${stride}`).join(", ")}]`;
  const layout = (name: string, l: MatrixLayout): string =>
    `  ${name} at ${l.offset}, batch [${l.batch.join(", ")}], ${
      l.digits ? `rows ${digits(l.digits.rows)}, cols ${digits(l.digits.cols)}` : `row ${l.row}, col ${l.col}`
    }`;
  return [
    `  ${kernel.type} batch [${kernel.batch.join(", ")}], ${kernel.m}x${kernel.k} by ${kernel.k}x${kernel.n}`,
    layout("b0", kernel.lhs),
    layout("b1", kernel.rhs),
    ...(kernel.epilogue === undefined
      ? [layout("b2", kernel.out)]
      : ["  then", ...statementLines(kernel.epilogue, "    ")]),
  ];
}

const sortLine = (k: SortKernel): string =>
  `  ${k.operands} operands by the first ${k.numKeys}${k.descending ? ", descending" : ""}, ${k.count < k.n ? `first ${k.count} of ` : ""}rows of ${k.n} in [${k.outer}, ${k.n}, ${k.inner}]`;

export const printRef = (ref: BufferRef): string =>
  ref.kind === "input" ? `in${ref.index}` : ref.kind === "output" ? `out${ref.index}` : `arena+${ref.offset}`;

/** A step on one line; kernels and functions by their names. */
export function printStep(step: Step, program: Program): string {
  const refs = (list: readonly BufferRef[]): string => list.map(printRef).join(", ");
  const fn = (i: number): string => `${program.functions[i]?.name ?? "?"}#${i}`;
  switch (step.kind) {
    case "launch":
      return `launch ${program.kernels[step.kernel]?.name ?? "?"}#${step.kernel}(${refs(step.args)})`;
    case "call":
      return `${refs(step.outputs)} = call ${fn(step.fn)}(${refs(step.inputs)})`;
    case "if":
      return `${refs(step.outputs)} = branch ${printRef(step.index)} of ${step.branches.map(fn).join(", ")} (${refs(step.inputs)})`;
    case "loop":
      return `${refs(step.state)} = while ${fn(step.condition)} do ${fn(step.body)} (consts ${refs(step.consts)})`;
    case "scan": {
      const slices = (list: readonly Slices[]): string =>
        list.map((s) => `${printRef(s.ref)}[${s.stride}B]`).join(", ");
      return `${refs(step.carry)}; ${slices(step.ys)} = scan ${fn(step.body)} ${step.length} times${step.reverse ? " in reverse" : ""} (consts ${refs(step.consts)}; xs ${slices(step.xs)})`;
    }
    case "callback":
      return `${step.outputs.length === 0 ? "" : `${refs(step.outputs)} = `}callback ${program.callbacks?.[step.callback]?.name ?? "?"}#${step.callback}(${refs(step.inputs)})`;
    case "copy":
      return `copy ${printRef(step.to)} = ${printRef(step.from)}, ${step.bytes} bytes`;
  }
}

function functionLines(f: ProgramFunction, i: number, program: Program): string[] {
  const inputs = f.inputs.map((t, k) => `in${k}: ${t.dtype} ${t.bytes}B`).join(", ");
  const outputs = f.outputs.map((t, k) => {
    const same = f.outputIsInput[k] ?? null;
    const reused = f.outputReusesInput[k] ?? null;
    return `out${k}: ${t.dtype} ${t.bytes}B${same === null ? "" : ` is in${same}`}${reused === null ? "" : ` reuses in${reused}`}`;
  });
  return [
    `function ${f.name}#${i}(${inputs}) -> (${outputs.join(", ")}), arena ${f.arenaBytes}B`,
    ...f.steps.map((s) => `  ${printStep(s, program)}`),
  ];
}

/** What a program does: its functions, step by step. */
export const printPlan = (program: Program): string =>
  program.functions.flatMap((f, i) => functionLines(f, i, program)).join("\n");

/** A program: its functions, then its kernels. */
export function printProgram(program: Program): string {
  return [`program ${program.name}`, printPlan(program), ...program.kernels.map(printKernel)].join("\n");
}
