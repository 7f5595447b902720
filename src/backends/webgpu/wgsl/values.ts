import { InternalError } from "../../../core/errors.js";
import type { Atom, Index } from "../../../kernel-ir/index-expr.js";
import type { Expr, LoadExpr, OpExpr, ScalarType } from "../../../kernel-ir/scalar.js";
import type { Code } from "./code.js";
import type { ModuleBuilder } from "./module.js";
import type { Operand } from "./guards.js";
import { constantText, literal, operation } from "./operations.js";
import { gpuType } from "./types.js";

/** Where leaves come from: each gives WGSL that is safe as an operand of anything, a name where it can be one. */
export interface ValueSource {
  /** The coordinate of an axis, i32. */
  axis(k: number): string;
  /** The element at a flat index, as the scalar type (a bool as bool). `e` is the node itself. */
  load(buffer: number, index: string, type: ScalarType, e: LoadExpr): string;
  slot(k: number): string;
  keep(k: number): string;
  /** Asked before a load: what the caller has already (a lane of a vector it has loaded); its index is then not computed. */
  known?(e: LoadExpr): string | undefined;
}

/** Text that stands for a node. */
interface Text extends Operand {
  /** Operations in it that have no name of their own. */
  readonly size: number;
}

type AnyNode = Expr | Index | Atom;
/** Indices and atoms are equal where their keys are; expressions where they are the same object. */
type Key = Expr | string;

/** Operations that one inlined text may hold: WGSL limits how deep text nests, and people read it. */
const INLINE = 3;

const isIndex = (n: AnyNode): n is Index => !("kind" in n);

/**
 * Writes expressions and indices as WGSL. What is used more than once, and every load, gets a name by a `let` at the place
 * where the code stands; the rest is written where it is used. The text is linear in the number of nodes.
 *
 * What is named stays known until the `scope` ends in which it was named.
 */
export class Values {
  private readonly names = new Map<Key, Text>();
  private journal: Key[] = [];
  private uses = new Map<Key, number>();

  constructor(
    private readonly module: ModuleBuilder,
    private readonly code: Code,
    private readonly source: ValueSource,
  ) {}

  /** Counts the uses of values that come later, so that what several of them share is named. */
  plan(roots: readonly (Expr | Index)[]): void {
    for (const root of roots) this.count(root, true);
  }

  /** The value of an expression: short text without effects, which may be repeated. */
  expr(e: Expr): string {
    return this.value(e).text;
  }

  /** An index as i32, likewise. */
  index(i: Index): string {
    return this.value(i).text;
  }

  /** The same under a name or as a literal, for what is used often. */
  named(e: Expr): string {
    const t = this.value(e);
    return t.size === 0 ? t.text : this.remember(e, t).text;
  }

  /** What is named inside is forgotten afterwards: for the body of a loop or branch. */
  scope<T>(body: () => T): T {
    const outer = this.journal;
    this.journal = [];
    try {
      return body();
    } finally {
      for (const key of this.journal) this.names.delete(key);
      this.journal = outer;
    }
  }

  private static key(n: AnyNode): Key {
    return isIndex(n) ? `i ${n.key}` : "key" in n ? `a ${n.key}` : n;
  }

  private children(n: AnyNode): readonly AnyNode[] {
    if (isIndex(n)) return n.terms.map((t) => t.atom);
    switch (n.kind) {
      case "op":
        return n.args;
      case "index":
        return [n.index];
      case "load":
        return this.source.known?.(n) === undefined ? [n.index] : [];
      case "div":
      case "mod":
      case "clamp":
        return [n.x];
      case "value":
        return [n.expr];
      default:
        return [];
    }
  }

  /** Adds the uses that a root makes of what has no name yet. */
  private count(root: AnyNode, again: boolean): void {
    const { uses } = this;
    const rootKey = Values.key(root);
    const before = uses.get(rootKey);
    if (before !== undefined) {
      if (again) uses.set(rootKey, before + 1);
      return;
    }
    uses.set(rootKey, 1);
    const stack = [root];
    while (stack.length > 0) {
      for (const child of this.children(stack.pop()!)) {
        const key = Values.key(child);
        const n = uses.get(key);
        uses.set(key, (n ?? 0) + 1);
        if (n === undefined) stack.push(child);
      }
    }
  }

  private value(root: Expr | Index): Text {
    this.count(root, false);
    const done = new Map<Key, Text>();
    const get = (n: AnyNode): Text | undefined => {
      const key = Values.key(n);
      return this.names.get(key) ?? done.get(key);
    };
    const stack: AnyNode[] = [root];
    while (stack.length > 0) {
      const n = stack[stack.length - 1]!;
      if (get(n) !== undefined) {
        stack.pop();
        continue;
      }
      const waiting = this.children(n).filter((c) => get(c) === undefined);
      if (waiting.length > 0) {
        for (let i = waiting.length - 1; i >= 0; i--) stack.push(waiting[i]!);
        continue;
      }
      stack.pop();
      const text = this.text(n, (c) => get(c)!);
      const isCheap = text.size === 0;
      const shared = (this.uses.get(Values.key(n)) ?? 1) > 1;
      const wantsName = !isCheap && (shared || text.size > INLINE || isHeld(n));
      if (wantsName) this.remember(n, text);
      else done.set(Values.key(n), text);
    }
    return get(root)!;
  }

  private remember(n: AnyNode, text: Text): Text {
    const name = this.module.fresh("v");
    this.code.line(
      `let ${name} = ${text.text.replace(/^\((.*)\)$/s, (all, inside: string) => (isWhole(inside) ? inside : all))};`,
    );
    const named: Text = { text: name, made: text.made, size: 0 };
    const key = Values.key(n);
    this.names.set(key, named);
    this.journal.push(key);
    return named;
  }

  private text(n: AnyNode, get: (n: AnyNode) => Text): Text {
    if (isIndex(n)) return this.affine(n, get);
    switch (n.kind) {
      case "const":
        return { ...constantText(this.module, gpuType(n.type), n.value, 1), size: 0 };
      case "axis":
        return { text: this.source.axis(n.axis), size: 0 };
      case "slot":
        return { text: this.source.slot(n.slot), size: 0 };
      case "keep":
        return { text: this.source.keep(n.keep), size: 1 };
      case "index":
        return get(n.index);
      case "value":
        return get(n.expr);
      case "load": {
        const known = this.source.known?.(n);
        if (known !== undefined) return { text: known, size: 0 };
        return { text: this.source.load(n.buffer, get(n.index).text, n.type, n), size: 1 };
      }
      case "op":
        return this.op(n, get);
      case "clamp":
        return {
          text: `clamp(${get(n.x).text}, ${literal("i32", n.lo)}, ${literal("i32", n.hi)})`,
          size: get(n.x).size + 1,
        };
      case "div":
      case "mod":
        return division(n.kind, get(n.x), n.d, n.x.lo);
    }
  }

  private op(n: OpExpr, get: (n: AnyNode) => Text): Text {
    const operands = n.args.map(get);
    const types = n.args.map((a) => gpuType(a.type));
    const result = operation(this.module, n.op, gpuType(n.type), types, operands);
    return { ...result, size: operands.reduce((sum, o) => sum + o.size, 1) };
  }

  private affine(n: Index, get: (n: AnyNode) => Text): Text {
    let text = "";
    let size = -1;
    for (const { coeff, atom } of n.terms) {
      const value = get(atom);
      const factor = Math.abs(coeff);
      const product = factor === 1 ? value.text : `${value.text} * ${factor}`;
      text += text === "" ? (coeff < 0 ? `-${product}` : product) : coeff < 0 ? ` - ${product}` : ` + ${product}`;
      size += value.size + (factor === 1 ? 1 : 2);
    }
    if (text === "") return { text: literal("i32", n.base), constant: n.base, size: 0 };
    if (n.base !== 0) {
      text += n.base < 0 ? ` - ${-n.base}` : ` + ${n.base}`;
      size++;
    }
    return size === 0 ? { text, size } : { text: `(${text})`, size };
  }
}

/** Loads and row buffers are read where the code stands: what is stored later must not change them. */
const isHeld = (n: AnyNode): boolean => !isIndex(n) && (n.kind === "load" || n.kind === "keep");

/** Whether parentheses around this text were one pair. */
function isWhole(inside: string): boolean {
  let depth = 0;
  for (const ch of inside) {
    if (ch === "(") depth++;
    else if (ch === ")" && --depth < 0) return false;
  }
  return depth === 0;
}

/** floor(x / d), or the rest; x ≥ `lo`. */
function division(kind: "div" | "mod", x: Text, d: number, lo: number): Text {
  const size = x.size + 1;
  const shift = Math.log2(d);
  if (d > 0 && Number.isInteger(shift) && shift < 31)
    return { text: kind === "div" ? `(${x.text} >> ${shift}u)` : `(${x.text} & ${d - 1})`, size };
  if (lo >= 0) return { text: kind === "div" ? `(${x.text} / ${d})` : `(${x.text} % ${d})`, size };
  // Moved by a multiple of d to where truncating is rounding down.
  const up = Math.ceil(-lo / d);
  if (up * d > 0x40000000) throw new InternalError(`an index from ${lo} on divided by ${d}`);
  const moved = `(${x.text} + ${up * d})`;
  return kind === "div"
    ? { text: `(${moved} / ${d} - ${up})`, size: size + 2 }
    : { text: `(${moved} % ${d})`, size: size + 1 };
}
