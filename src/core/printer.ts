import { formatAval } from "./aval.js";
import { type Atom, type Eqn, type Jaxpr, Literal, type Var } from "./jaxpr.js";

/** Names variables a, b, …, z, aa, ab, … in the order in which they are met. */
class Names {
  private readonly names = new Map<Var, string>();
  of(v: Var): string {
    let name = this.names.get(v);
    if (name === undefined) this.names.set(v, (name = letters(this.names.size)));
    return name;
  }
}

function letters(n: number): string {
  const last = String.fromCharCode(97 + (n % 26));
  return n < 26 ? last : letters(Math.floor(n / 26) - 1) + last;
}

const typed = (v: Var, names: Names): string => `${names.of(v)}:${formatAval(v.aval).replace("~", "")}`;

function printAtom(a: Atom, names: Names): string {
  if (!(a instanceof Literal)) return names.of(a);
  const { dtype } = a.aval;
  const value =
    dtype === "bool" ? (a.value ? "True" : "False") : dtype.startsWith("float") ? printFloat(a.value) : String(a.value);
  return `${value}:${formatAval(a.aval).replace("~", "")}`;
}

function printFloat(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  const s = Object.is(x, -0) ? "-0" : String(Math.fround(x) === x ? shortest32(x) : x);
  return /[.e]/.test(s) ? s : `${s}.0`;
}

/** The shortest decimal that reads back as the same float32. */
function shortest32(x: number): string {
  for (let p = 1; p < 9; p++) {
    const s = Number(x.toPrecision(p));
    if (Math.fround(s) === x) return String(s);
  }
  return String(x);
}

function printValue(value: unknown, indent: string): string {
  if (isJaxpr(value)) return printJaxpr(value, 0, indent + "  ");
  if (Array.isArray(value))
    return `(${value.map((x) => printValue(x, indent)).join(", ")}${value.length === 1 ? "," : ""})`;
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "object") {
    return `{${Object.entries(value)
      .map(([k, x]) => `${k}: ${printValue(x, indent)}`)
      .join(", ")}}`;
  }
  return String(value);
}

function isJaxpr(x: unknown): x is Jaxpr {
  return typeof x === "object" && x !== null && "inVars" in x && "eqns" in x;
}

/** One equation in JAX's notation. */
export function printEqn(eqn: Eqn, names: Names, indent: string): string {
  const { printParams } = eqn.primitive;
  const params = (printParams ? printParams(eqn.params as never) : (eqn.params ?? {})) as Readonly<
    Record<string, unknown>
  >;
  const shown = Object.keys(params)
    .filter((k) => params[k] !== undefined)
    .sort()
    .map((k) => `${snake(k)}=${printValue(params[k], indent + "  ")}`);
  const list =
    shown.length === 0
      ? ""
      : shown.some((s) => s.includes("\n"))
        ? `[\n${indent}  ${shown.join(`\n${indent}  `)}\n${indent}]`
        : `[${shown.join(" ")}]`;
  const inputs = eqn.inputs.map((a) => ` ${printAtom(a, names)}`).join("");
  const outs = eqn.outs.length === 0 ? "" : `${eqn.outs.map((v) => typed(v, names)).join(" ")} = `;
  return `${outs}${eqn.primitive.name}${list}${inputs}`;
}

/** Parameters are printed under JAX's names. */
const snake = (k: string): string => k.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/** A jaxpr in JAX's notation; its first `numConsts` inputs stand before the semicolon. */
export function printJaxpr(jaxpr: Jaxpr, numConsts = 0, indent = ""): string {
  const names = new Names();
  const vars = jaxpr.inVars.map((v) => typed(v, names));
  const consts = vars.slice(0, numConsts).join(" ");
  const args = vars.slice(numConsts).join(" ");
  const lines = jaxpr.eqns.map((e) => printEqn(e, names, indent + "    "));
  const outs = jaxpr.outs.map((a) => printAtom(a, names));
  const tail = `in (${outs.join(", ")}${outs.length === 1 ? "," : ""}) }`;
  const head = `{ lambda ${consts === "" ? "" : `${consts} `}; ${args}. let`.replace("; .", ";.");
  const flat = `${head}${lines.length === 0 ? "" : ` ${lines.join("")}`} ${tail}`;
  if (lines.length <= 1 && !flat.includes("\n") && flat.length <= 100) return flat;
  return `${head}\n${lines.map((l) => `${indent}    ${l}\n`).join("")}${indent}  ${tail}`;
}
