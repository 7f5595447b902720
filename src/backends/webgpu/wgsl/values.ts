import type { Index } from "../../../kernel-ir/index-expr.js";
import type { Expr, KeepExpr, LoadExpr, OpExpr, ScalarType, SlotExpr } from "../../../kernel-ir/scalar.js";
import type { Code } from "./code.js";
import { type Gate, gateOf, type Usage } from "./gates.js";
import type { Operand } from "./guards.js";
import { each, indexClamp, indexDivision, indexSum, type IndexText, spread } from "./indices.js";
import type { ModuleBuilder } from "./module.js";
import { isIndex, keyOf, type Node, type NodeKey, operandsOf } from "./nodes.js";
import { constantText, operation } from "./operations.js";
import { alone, bare, gpuType, type Lanes, typeName } from "./types.js";

/** Where leaves come from: each gives WGSL that is safe as an operand of anything, a name where it can be one. */
export interface ValueSource {
  /** The coordinate of an axis, i32. Of the axis that lanes run along: that of the first lane. */
  axis(k: number): string;
  /** The element at a flat index, as the scalar type (a bool as bool). `e` is the node itself. */
  load(buffer: number, index: string, type: ScalarType, e: LoadExpr): string;
  slot(k: number): string;
  keep(k: number): string;
  /** Asked before a load: what the caller has already (elements in workgroup memory, say); its index is then not computed. */
  known?(e: LoadExpr): string | undefined;
  /**
   * Four elements from `index` on as a vector, for loads that move by one along the lanes; undefined: one by one, by `load`.
   */
  load4?(buffer: number, index: string, type: ScalarType, e: LoadExpr): string | undefined;
  /** Whether `slot`, `keep` and `known` give vectors of four lanes for these; absent: none do. */
  lanesOf?(e: SlotExpr | KeepExpr | LoadExpr): Lanes;
}

export interface ValuesOptions {
  /**
   * The axis along which four neighbouring points are computed at once, the first at a multiple of four. What is the same in
   * all lanes stays a scalar.
   */
  readonly laneAxis?: number;
}

/** Text that stands for a node. */
interface Text extends Operand, IndexText {
  /** Operations in it that have no name of their own. */
  readonly size: number;
  /** Of one point, or of four. */
  readonly lanes: Lanes;
  /** An index of lanes 1: by how much it grows from lane to lane. */
  readonly step: number;
}

/** Operations that one inlined text may hold: WGSL limits how deep text nests, and people read it. */
const INLINE = 3;

/** Branches in branches that are written: beyond, both sides of a select are computed. */
const NESTED = 3;

/**
 * Writes expressions and indices as WGSL. What is used more than once, and every load, gets a name by a `let` at the place
 * where the code stands; the rest is written where it is used. The text is linear in the number of nodes.
 *
 * What is named stays known until the `scope` ends in which it was named: a load is not repeated, also after a store.
 */
export class Values {
  private readonly names = new Map<NodeKey, Text>();
  private journal: NodeKey[] = [];
  private readonly uses = new Map<NodeKey, number>();
  private readonly selects = new Map<Expr, OpExpr[]>();
  private readonly gates = new Map<OpExpr, readonly Gate[]>();
  /** Branches around the place that is being written. */
  private depth = 0;
  private readonly usage: Usage = {
    operands: (n) => (!isIndex(n) && n.kind === "load" && this.source.known?.(n) !== undefined ? [] : operandsOf(n)),
    uses: (key) => this.uses.get(key) ?? 0,
    isKnown: (key) => this.names.has(key),
    selects: (condition) => this.selects.get(condition) ?? [],
  };

  constructor(
    private readonly module: ModuleBuilder,
    private readonly code: Code,
    private readonly source: ValueSource,
    private readonly options: ValuesOptions = {},
  ) {}

  /** Counts the uses of values that come later, so that what several of them share is named. */
  plan(roots: readonly (Expr | Index)[]): void {
    for (const root of roots) this.count(root, true);
  }

  /** The value of an expression: short text without effects, safe as an operand; a vector where lanes differ. */
  expr(e: Expr): string {
    return this.value(e).text;
  }

  /** An index as i32, likewise; with lanes, that of the first lane (of what moves by a fixed step, or not at all). */
  index(i: Index): string {
    const t = this.value(i);
    return t.lanes === 4 ? `${t.text}.x` : t.text;
  }

  /** The index of each lane: four texts. */
  indices(i: Index): readonly string[] {
    const t = this.value(i);
    return each(t.size === 0 ? t : this.remember(i, t));
  }

  /** The same as `expr` under a name or as a literal, for what is used often. */
  named(e: Expr): string {
    const t = this.value(e);
    return t.size === 0 ? t.text : this.remember(e, t).text;
  }

  /** The value in four lanes, whether they differ or not. */
  vector(e: Expr): string {
    const t = this.value(e);
    return this.inLanes(t, e.type, 4).text;
  }

  /** Whether lanes differ. */
  lanes(e: Expr): Lanes {
    return this.value(e).lanes;
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

  /** The nodes that have to be written before a node: not what a branch computes. */
  private operands(n: Node): readonly Node[] {
    if (isIndex(n) || (n.kind !== "op" && n.kind !== "load")) return operandsOf(n);
    if (n.kind === "load") return this.source.known?.(n) === undefined ? [n.index] : [];
    const gates = this.gates.get(n);
    if (gates === undefined) return n.args;
    const own = n.args.filter((_, k) => !gates.some((g) => g.side === k && g.values.includes(n.args[k]!)));
    return [...own, ...gates.flatMap((g) => g.before)];
  }

  /** Adds the uses that a root makes of what it is made of. */
  private count(root: Node, again: boolean): void {
    const { uses } = this;
    const rootKey = keyOf(root);
    const before = uses.get(rootKey);
    if (before !== undefined) {
      if (again) uses.set(rootKey, before + 1);
      return;
    }
    uses.set(rootKey, 1);
    const stack: Node[] = [root];
    while (stack.length > 0) {
      const user = stack.pop()!;
      if ("kind" in user && user.kind === "op" && user.op === "select") this.addSelect(user);
      for (const child of this.usage.operands(user)) {
        const key = keyOf(child);
        const n = uses.get(key);
        uses.set(key, (n ?? 0) + 1);
        if (n === undefined) stack.push(child);
      }
    }
  }

  private value(root: Expr | Index): Text {
    this.count(root, false);
    const done = new Map<NodeKey, Text>();
    const get = (n: Node): Text | undefined => {
      const key = keyOf(n);
      return this.names.get(key) ?? done.get(key);
    };
    const stack: Node[] = [root];
    while (stack.length > 0) {
      const n = stack[stack.length - 1]!;
      if (get(n) !== undefined) {
        stack.pop();
        continue;
      }
      if (!isIndex(n) && n.kind === "op" && n.op === "select") this.findGates(n);
      const waiting = this.operands(n).filter((c) => get(c) === undefined);
      if (waiting.length > 0) {
        for (let i = waiting.length - 1; i >= 0; i--) stack.push(waiting[i]!);
        continue;
      }
      stack.pop();
      for (const gate of this.gatesOf(n)) this.open(gate, get(gate.condition)!);
      const text = this.text(n, (c) => get(c)!);
      const isShared = (this.uses.get(keyOf(n)) ?? 1) > 1;
      if (text.size > 0 && (isShared || text.size > INLINE || isHeld(n))) this.remember(n, text);
      else done.set(keyOf(n), text);
    }
    return get(root)!;
  }

  private addSelect(n: OpExpr): void {
    const condition = n.args[0]!;
    const list = this.selects.get(condition);
    if (list) list.push(n);
    else this.selects.set(condition, [n]);
  }

  private findGates(n: OpExpr): void {
    if (this.gates.has(n) || this.depth >= NESTED) return;
    const found = ([1, 2] as const).flatMap((side) => gateOf(n, side, this.usage) ?? []);
    if (found.length > 0) this.gates.set(n, found);
  }

  /** The branches of a select whose values have not been computed. */
  private gatesOf(n: Node): readonly Gate[] {
    const gates = isIndex(n) || n.kind !== "op" ? undefined : this.gates.get(n);
    return gates?.filter((g) => g.values.some((v) => !this.names.has(keyOf(v)))) ?? [];
  }

  /** Writes a branch: its values are variables, set where a lane needs them. */
  private open(gate: Gate, condition: Text): void {
    const { code, module, options } = this;
    const lanes = options.laneAxis === undefined ? 1 : 4;
    const variables = gate.values.map((e) => {
      const name = module.fresh("v");
      code.line(`var ${name}: ${typeName(gpuType(e.type), lanes)};`);
      return name;
    });
    const holds =
      lanes === 4 && condition.lanes === 4 ? `${gate.side === 1 ? "any" : "all"}(${condition.text})` : condition.text;
    this.depth++;
    code.block(`if (${gate.side === 1 ? alone(holds) : `!${holds}`})`, () => {
      this.scope(() => {
        gate.values.forEach((e, k) => {
          code.line(`${variables[k]!} = ${alone(this.inLanes(this.value(e), e.type, lanes).text)};`);
        });
      });
    });
    this.depth--;
    gate.values.forEach((e, k) => this.define(e, { text: variables[k]!, size: 0, lanes, step: 0 }));
  }

  private remember(n: Node, text: Text): Text {
    return this.define(n, { ...this.name(text), size: 0 });
  }
  private define(n: Node, text: Text): Text {
    const key = keyOf(n);
    this.names.set(key, text);
    this.journal.push(key);
    return text;
  }
  private name(text: Text): Text {
    const name = this.module.fresh("v");
    this.code.line(`let ${name} = ${alone(text.text)};`);
    return { ...text, text: name };
  }

  private text(n: Node, get: (n: Node) => Text): Text {
    if (isIndex(n)) return indexSum(n, n.terms.map((t) => get(t.atom))); // prettier-ignore
    const { source } = this;
    switch (n.kind) {
      case "const":
        return { ...constantText(this.module, gpuType(n.type), n.value, 1), size: 0, lanes: 1, step: 0 };
      case "axis":
        return { text: source.axis(n.axis), size: 0, lanes: 1, step: n.axis === this.options.laneAxis ? 1 : 0 };
      case "slot":
        return { text: source.slot(n.slot), size: 0, lanes: source.lanesOf?.(n) ?? 1, step: 0 };
      case "keep":
        return { text: source.keep(n.keep), size: 1, lanes: source.lanesOf?.(n) ?? 1, step: 0 };
      case "index":
        return spread(get(n.index));
      case "value":
        return get(n.expr);
      case "load":
        return this.load(n, () => get(n.index));
      case "op":
        return this.op(n, get);
      case "clamp":
        return indexClamp(get(n.x), n.lo, n.hi);
      case "div":
      case "mod":
        return indexDivision(this.module, n.kind, get(n.x), n.d, n.x, this.options.laneAxis);
    }
  }

  private load(e: LoadExpr, indexOf: () => Text): Text {
    const { source } = this;
    const known = source.known?.(e);
    if (known !== undefined) return { text: known, size: 0, lanes: source.lanesOf?.(e) ?? 1, step: 0 };
    const index = indexOf();
    const one = (at: string): string => source.load(e.buffer, at, e.type, e);
    if (index.lanes === 1 && index.step === 0) return { text: one(index.text), size: 1, lanes: 1, step: 0 };
    const four = index.step === 1 ? source.load4?.(e.buffer, index.text, e.type, e) : undefined;
    const name = (): Text => (index.size === 0 ? index : this.name(index));
    const text = four ?? `${typeName(gpuType(e.type), 4)}(${each(name()).map(one).join(", ")})`;
    return { text, size: 1, lanes: 4, step: 0 };
  }

  private op(n: OpExpr, get: (n: Node) => Text): Text {
    const given = n.args.map(get);
    const lanes = given.some((t) => t.lanes === 4) ? 4 : 1;
    const operands = given.map((t, k) => this.inLanes(t, n.args[k]!.type, lanes));
    const types = n.args.map((a) => gpuType(a.type));
    const result = operation(this.module, n.op, gpuType(n.type), types, operands, lanes);
    return { ...result, size: given.reduce((sum, o) => sum + o.size, 1), lanes, step: 0 };
  }

  private inLanes(t: Text, type: ScalarType, lanes: Lanes): Operand {
    if (t.lanes === lanes) return t;
    if (t.constant !== undefined) return constantText(this.module, gpuType(type), t.constant, lanes);
    return { text: `${typeName(gpuType(type), lanes)}(${bare(t.text)})`, made: t.made };
  }
}

/** Loads and row buffers are read where the code stands: what is stored later must not change them. */
const isHeld = (n: Node): boolean => !isIndex(n) && (n.kind === "load" || n.kind === "keep");
