import type { ScalarOp } from "../../../kernel-ir/scalar.js";
import { bare, type GpuType, type Lanes, typeName } from "./types.js";

/**
 * Keeps compilers from rearranging float arithmetic.
 *
 * Drivers' compilers take floats for real numbers without infinities: x·0 becomes 0, x + 0 becomes x, (x + 1) − 1 and
 * (x − y) + y become x, (x / y)·y too. They do so where they see that something cancels: the same term with both signs, or
 * two constants. There one of the operands is passed through a bit operation that changes nothing but that they cannot know.
 */

/** WGSL of a value. */
export interface Operand {
  /** May be repeated: a name, a literal, or a short expression without effects. Safe as an operand of anything. */
  readonly text: string;
  /** Its value, where that is a constant. */
  readonly constant?: number | undefined;
  /** What a compiler sees it made of. */
  readonly made?: Made | undefined;
}

/** A sum or product as its terms: each `+text` or `-text` (subtracted, divided by), constants `c`. */
export interface Made {
  readonly of: "sum" | "product" | "comparison";
  readonly terms: readonly string[];
}

export interface Hiding {
  /** A number that no compiler sees through, as a name. */
  opaque(type: GpuType, value: number): string;
}

/** More terms than this no compiler is expected to sort. */
const MOST = 16;

const kinds: Partial<Record<ScalarOp, { readonly of: "sum" | "product"; readonly inverse: boolean }>> = {
  add: { of: "sum", inverse: false },
  sub: { of: "sum", inverse: true },
  mul: { of: "product", inverse: false },
  div: { of: "product", inverse: true },
};

function termsOf(o: Operand, of: Made["of"], inverse: boolean): readonly string[] {
  const terms = o.constant !== undefined ? ["c"] : o.made?.of === of ? o.made.terms : [`+${o.text}`];
  return inverse ? terms.map((t) => (t === "c" ? t : (t.startsWith("+") ? "-" : "+") + t.slice(1))) : terms;
}

function cancels(a: readonly string[], b: readonly string[]): boolean {
  return b.some((t) => a.includes(t === "c" ? t : (t.startsWith("+") ? "-" : "+") + t.slice(1)));
}

/** The operand's value in a form that ends all reasoning about where it came from. */
export function held(text: string, lanes: Lanes): string {
  const [f, u] = [typeName("f32", lanes), typeName("u32", lanes)];
  return `bitcast<${f}>(bitcast<${u}>(${bare(text)}) ^ ${lanes === 1 ? "zero" : "vec4u(zero)"})`;
}

export function hidden(hiding: Hiding, type: GpuType, o: Operand, lanes: Lanes): Operand {
  const name = hiding.opaque(type, o.constant!);
  return { text: lanes === 1 ? name : `${typeName(type, lanes)}(${name})` };
}

/** Operands of a float op as they may be written, and what the result is made of. */
export function guarded(
  hiding: Hiding,
  name: ScalarOp,
  operands: readonly Operand[],
  lanes: Lanes,
): { readonly operands: readonly Operand[]; readonly made?: Made } {
  const hideZero = (o: Operand): Operand => (o.constant === 0 ? hidden(hiding, "f32", o, lanes) : o);
  if (name === "fma") return { operands: operands.map(hideZero) };
  if (name === "select") return { operands: guardSelect(hiding, operands, lanes) };
  const [x, y] = operands as readonly [Operand, Operand];
  if (name === "lt" || name === "le" || name === "gt" || name === "ge")
    return { operands, made: { of: "comparison", terms: [x.text, y.text] } };
  const kind = kinds[name];
  if (kind === undefined) return { operands };
  const { of, inverse } = kind;
  let [a, b] = [hideZero(x), hideZero(y)];
  if (cancels(termsOf(a, of, false), termsOf(b, of, inverse))) {
    if (of === "product" && b.constant !== undefined) b = hidden(hiding, "f32", b, lanes);
    else if (of === "product" && a.constant !== undefined) a = hidden(hiding, "f32", a, lanes);
    else if (a.made?.of === of) a = { text: held(a.text, lanes) };
    else b = { text: held(b.text, lanes) };
  }
  const terms = [...termsOf(a, of, false), ...termsOf(b, of, inverse)];
  return terms.length > MOST ? { operands: [a, b] } : { operands: [a, b], made: { of, terms } };
}

/** A select of what its condition compares is taken for min or max, which lose NaN. */
function guardSelect(hiding: Hiding, operands: readonly Operand[], lanes: Lanes): readonly Operand[] {
  const [p, a, b] = operands as readonly [Operand, Operand, Operand];
  if (p.made?.of !== "comparison") return operands;
  const { terms } = p.made;
  if (!terms.includes(a.text) || !terms.includes(b.text)) return operands;
  if (a.constant !== undefined) return [p, hidden(hiding, "f32", a, lanes), b];
  if (b.constant !== undefined) return [p, a, hidden(hiding, "f32", b, lanes)];
  return [p, { text: held(a.text, lanes) }, b];
}
