import type { Index } from "../../../kernel-ir/index-expr.js";
import type { HelperName } from "./helpers.js";
import { literal } from "./operations.js";
import { bare, type Lanes } from "./types.js";

/** Index arithmetic as WGSL, in i32: of one point, of four, or of four that lie a fixed step apart. */
export interface IndexText {
  readonly text: string;
  readonly constant?: number | undefined;
  /** Operations in it. */
  readonly size: number;
  /** A scalar, or a vector of what the lanes have. */
  readonly lanes: Lanes;
  /** Of a scalar: by how much the lanes after the first have more. */
  readonly step: number;
}

interface Helping {
  need(helper: HelperName, lanes: Lanes): string;
}

const number = (n: number): string => literal("i32", n);

/** The index as a value: a vector where lanes differ. */
export function spread(t: IndexText): IndexText {
  if (t.step === 0) return t;
  const steps = [0, 1, 2, 3].map((lane) => lane * t.step).join(", ");
  return { text: `(vec4i(${bare(t.text)}) + vec4i(${steps}))`, size: t.size + 1, lanes: 4, step: 0 };
}

/** The index of each lane. `t` is a name or short. */
export function each(t: IndexText): readonly string[] {
  if (t.lanes === 4) return ["x", "y", "z", "w"].map((lane) => `${t.text}.${lane}`);
  return [0, 1, 2, 3].map((lane) => {
    const more = lane * t.step;
    return more === 0 ? t.text : more < 0 ? `${t.text} - ${-more}` : `${t.text} + ${more}`;
  });
}

/** base + Σ coeff · atom, given the atoms' texts. */
export function indexSum(i: Index, atoms: readonly IndexText[]): IndexText {
  if (atoms.length === 0) return { text: number(i.base), constant: i.base, size: 0, lanes: 1, step: 0 };
  const lanes = atoms.some((a) => a.lanes === 4) ? 4 : 1;
  let text = "";
  let size = 0;
  let step = 0;
  for (const [k, { coeff }] of i.terms.entries()) {
    const given = atoms[k]!;
    const atom = lanes === 4 ? inLanes(spread(given)) : given;
    const factor = Math.abs(coeff);
    const product = factor === 1 ? atom.text : `${atom.text} * ${factor}`;
    if (text === "") text = coeff < 0 ? `-${product}` : product;
    else text += coeff < 0 ? ` - ${product}` : ` + ${product}`;
    size += atom.size + (factor === 1 ? 1 : 2);
    step += coeff * atom.step;
  }
  if (i.base !== 0) {
    text += i.base < 0 ? ` - ${-i.base}` : ` + ${i.base}`;
    size++;
  }
  const isAtom = i.base === 0 && i.terms.length === 1 && i.terms[0]!.coeff === 1;
  return isAtom ? { text, size: atoms[0]!.size, lanes, step } : { text: `(${text})`, size, lanes, step };
}

const inLanes = (t: IndexText): IndexText => (t.lanes === 4 ? t : { ...t, text: `vec4i(${bare(t.text)})`, lanes: 4 });

export function indexClamp(x: IndexText, lo: number, hi: number): IndexText {
  const { text, size, lanes } = spread(x);
  const bound = (n: number): string => (lanes === 4 ? `vec4i(${n})` : `${n}`);
  return { text: `clamp(${bare(text)}, ${bound(lo)}, ${bound(hi)})`, size: size + 1, lanes, step: 0 };
}

/**
 * floor(x / d), or the rest, of the index `x` whose text is `t`. Where a group of four lanes never crosses a multiple of d,
 * the quotient is one for all of them.
 */
export function indexDivision(
  helping: Helping,
  kind: "div" | "mod",
  t: IndexText,
  d: number,
  x: Index,
  laneAxis: number | undefined,
): IndexText {
  const isWhole = t.step === 1 && d % 4 === 0 && startsAtFours(x, laneAxis);
  const { text, size, lanes } = isWhole ? t : spread(t);
  const step = isWhole && kind === "mod" ? 1 : 0;
  const result = (value: string): IndexText => ({ text: value, size: size + 1, lanes, step });
  const of = (scalar: string, vector: string): string => (lanes === 4 ? `vec4${vector}(${scalar})` : scalar);
  // Shifts and masks round down for negative numbers too.
  const power = Math.log2(d);
  if (Number.isInteger(power))
    return result(kind === "div" ? `(${text} >> ${of(`${power}u`, "u")})` : `(${text} & ${of(`${d - 1}`, "i")})`);
  if (x.lo >= 0) return result(`(${text} ${kind === "div" ? "/" : "%"} ${of(`${d}`, "i")})`);
  return result(
    `${helping.need(kind === "div" ? "floor_div" : "floor_mod", lanes)}(${bare(text)}, ${of(`${d}`, "i")})`,
  );
}

/** Whether the index is a multiple of four in the first lane. */
function startsAtFours(x: Index, laneAxis: number | undefined): boolean {
  const isFours = (n: number): boolean => n % 4 === 0;
  return (
    isFours(x.base) &&
    x.terms.every(
      ({ coeff, atom }) => isFours(coeff) || (atom.kind === "axis" && atom.axis === laneAxis && coeff === 1),
    )
  );
}
