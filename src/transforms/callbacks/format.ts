import { ConcreteArray, NDArray } from "../../core/array.js";
import { isInteger } from "../../core/dtype.js";
import { ArgumentError } from "../../core/errors.js";
import { isOptions } from "../../core/calling.js";
import { formatText } from "../../core/printing.js";
import { badSpec, formatNumber, formatString, parseSpec } from "./number-format.js";

/** A replacement field `{name.attribute[key]!conversion:spec}`. */
interface Field {
  /** Of an argument: its position, or its name. */
  readonly root: number | string;
  readonly path: readonly { readonly key: string; readonly attribute: boolean }[];
  readonly conversion: string;
  readonly spec: Template;
}

/** A format string as Python's `str.format` reads it: text and fields in turn. */
export interface Template {
  readonly source: string;
  /** What errors call the function that takes it. */
  readonly op: string;
  readonly parts: readonly (string | Field)[];
}

/** Arguments of a format string. */
export interface FormatArguments {
  readonly positional: readonly unknown[];
  readonly named: Readonly<Record<string, unknown>>;
}

const broken = ({ source, op }: Omit<Template, "parts">, why: string): ArgumentError =>
  new ArgumentError({
    code: "debug-format",
    message: `${op}: ${why} in ${JSON.stringify(source)}`,
    hint: 'fields are "{}", "{0}", "{name}" or "{name:.3f}"; braces themselves are written twice: "{{" and "}}"',
  });

/** Reads a format string. @throws ArgumentError `debug-format`. */
export function parseTemplate(source: string, op = "debug.print"): Template {
  const of = { source, op };
  let next = 0;
  let numbering: "automatic" | "given" | undefined;
  const rootOf = (name: string): number | string => {
    if (name !== "" && !/^\d+$/.test(name)) return name;
    const kind = name === "" ? "automatic" : "given";
    if (numbering !== undefined && numbering !== kind)
      throw broken(of, "fields with and without numbers stand side by side");
    numbering = kind;
    return name === "" ? next++ : Number(name);
  };
  const field = (text: string): Field => {
    const m = /^([^.[!:]*)((?:\.[^.[!:]+|\[[^\]]+\])*)(?:!([srax]))?(?::(.*))?$/s.exec(text);
    if (!m) throw broken(of, `{${text}} is no field`);
    const root = rootOf(m[1]!);
    const path = [...m[2]!.matchAll(/\.([^.[]+)|\[([^\]]+)\]/g)].map(([, attribute, key]) => ({
      key: attribute ?? key!,
      attribute: attribute !== undefined,
    }));
    return { root, path, conversion: m[3] ?? "", spec: template(m[4] ?? "") };
  };
  const template = (text: string): Template => {
    const parts: (string | Field)[] = [];
    let plain = "";
    for (let i = 0; i < text.length; i++) {
      const c = text[i]!;
      if ((c === "{" || c === "}") && text[i + 1] === c) {
        plain += c;
        i++;
      } else if (c === "}") throw broken(of, "a single } stands");
      else if (c === "{") {
        const end = closing(text, i);
        if (end < 0) throw broken(of, "a { is not closed");
        parts.push(plain, field(text.slice(i + 1, end)));
        plain = "";
        i = end;
      } else plain += c;
    }
    parts.push(plain);
    return { source: text, op, parts: parts.filter((p) => p !== "") };
  };
  return template(source);
}

/** Where the brace that is opened at `from` is closed. */
function closing(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text[i] === "{") depth++;
    else if (text[i] === "}" && --depth === 0) return i;
  }
  return -1;
}

function fieldsOf(t: Template): Field[] {
  return t.parts.flatMap((p) => (typeof p === "string" ? [] : [p, ...fieldsOf(p.spec)]));
}

/** How many positional arguments a format string takes, and whether it takes any by name. */
export function wantsOf(t: Template): { readonly positional: number; readonly named: boolean } {
  const roots = fieldsOf(t).map((f) => f.root);
  const positions = roots.filter((r) => typeof r === "number");
  return { positional: Math.max(-1, ...positions) + 1, named: roots.some((r) => typeof r === "string") };
}

/** Demands that every field finds its argument, every argument its field, and formats fit. @throws ArgumentError `debug-format`. */
export function checkArguments(t: Template, { positional, named }: FormatArguments): void {
  const roots = new Set(fieldsOf(t).map((f) => f.root));
  for (const f of fieldsOf(t)) {
    const there = typeof f.root === "number" ? f.root < positional.length : Object.hasOwn(named, f.root);
    if (!there) {
      const which = typeof f.root === "number" ? `argument ${f.root}` : `{${f.root}}`;
      throw broken(t, `nothing was given for ${which}`);
    }
    const value = valueOf(t, f, { positional, named });
    if (f.spec.parts.length > 0 && f.conversion === "" && value instanceof NDArray && value.ndim > 0)
      throw badSpec(f.spec.source, `is for scalars, and the value is ${value.describe()}`);
    if (f.spec.parts.every((p) => typeof p === "string")) parseSpec(f.spec.parts.join(""));
  }
  const surplus = [
    ...positional.flatMap((_, i) => (roots.has(i) ? [] : [`argument ${i}`])),
    ...Object.keys(named).filter((k) => !roots.has(k)),
  ];
  if (surplus.length === 0) return;
  throw new ArgumentError({
    code: "debug-format",
    message: `${t.op}: ${JSON.stringify(t.source)} has no field for ${surplus.join(", ")}`,
    hint: 'a template literal is filled in before it is looked at, and shows tracers: write "x = {x}" and { x }',
  });
}

/** Fills a format string in. */
export const formatTemplate = (t: Template, args: FormatArguments): string =>
  t.parts.map((p) => (typeof p === "string" ? p : formatField(t, p, args))).join("");

function formatField(t: Template, f: Field, args: FormatArguments): string {
  const value = valueOf(t, f, args);
  const spec = formatTemplate(f.spec, args);
  if (f.conversion !== "") return formatString(f.conversion === "s" ? textOf(value) : quoted(value), spec);
  if (value instanceof ConcreteArray && value.ndim === 0 && value.dtype !== "key") {
    const x = value.item<number | boolean>();
    // with a format, a bool is the number 0 or 1
    if (typeof x === "boolean" && spec === "") return x ? "True" : "False";
    return formatNumber(Number(x), typeof x === "boolean" || isInteger(value.dtype), spec);
  }
  if (typeof value === "number") return formatNumber(value, Number.isInteger(value), spec);
  if (spec !== "" && typeof value !== "string") throw badSpec(spec, "is for numbers and strings");
  return formatString(textOf(value), spec);
}

/** What is seen of an array besides its elements. */
const attributes: ReadonlySet<string> = new Set(["shape", "dtype", "ndim", "size"]);

function valueOf(t: Template, f: Field, { positional, named }: FormatArguments): unknown {
  let value: unknown = typeof f.root === "number" ? positional[f.root] : named[f.root];
  for (const { key, attribute } of f.path) {
    const seen =
      value instanceof NDArray
        ? attribute && attributes.has(key)
        : typeof value === "object" && value !== null && Object.hasOwn(value, key);
    if (!seen) throw broken(t, `{${String(f.root)}} has no ${attribute ? `.${key}` : `[${key}]`}`);
    value = (value as Readonly<Record<string, unknown>>)[key];
    if (attribute && key === "shape" && Array.isArray(value)) value = new ShapeText(value as number[]);
  }
  return value;
}

/** A shape, as Python writes tuples. */
class ShapeText {
  constructor(private readonly shape: readonly number[]) {}
  toString(): string {
    return `(${this.shape.join(", ")}${this.shape.length === 1 ? "," : ""})`;
  }
}

/** A value as Python's `str` has it. */
function textOf(x: unknown): string {
  if (x instanceof ConcreteArray && x.dtype !== "key") return formatText(x.storage.readSync(), x.aval);
  return typeof x === "string" ? x : quoted(x);
}

/** A value inside of another one. */
function quoted(x: unknown): string {
  if (typeof x === "string") return `'${x}'`;
  if (x === null || x === undefined) return "None";
  if (Array.isArray(x)) return `[${x.map(quoted).join(", ")}]`;
  if (isOptions(x))
    return `{${Object.keys(x)
      .sort()
      .map((k) => `'${k}': ${quoted(x[k])}`)
      .join(", ")}}`;
  return String(x);
}
