import type { HostArray } from "./aval.js";
import { ArgumentError } from "./errors.js";
import { formatScalar, formatValues } from "./printing.js";

/** A part of a template in Python's notation: text, or what stands in braces. */
type Part = string | { readonly field: string | number; readonly spec: string };

/**
 * Reads a template such as `"x = {}, y = {1:.2f}, w = {w}"`: `{}` takes the next value, `{1}` that one, `{w}` the one of this
 * name; `{{` and `}}` are braces. @throws ArgumentError `message-template` where a value is missing.
 */
export function parseTemplate(template: string, op: string, count: number, names: readonly string[]): readonly Part[] {
  const parts: Part[] = [];
  let next = 0;
  let text = "";
  const wrong = (why: string): ArgumentError =>
    new ArgumentError({
      code: "message-template",
      message: `${op}: ${why} in ${JSON.stringify(template)}`,
      details: [
        ["values", String(count)],
        ["names", names.join(", ") || "none"],
      ],
      hint: "{} takes the next value, {0} the first one, {name} one of the trailing object; {{ and }} are braces",
    });
  for (let i = 0; i < template.length; i++) {
    const c = template[i]!;
    if ((c === "{" || c === "}") && template[i + 1] === c) {
      text += c;
      i++;
    } else if (c === "{") {
      const end = template.indexOf("}", i);
      if (end < 0) throw wrong("a brace is not closed");
      const [, name, , spec = ""] = /^([^:!]*)(:(.*))?$/s.exec(template.slice(i + 1, end)) ?? [];
      if (name === undefined || !/^([-+ ]?\d*(\.\d+)?[defgs]?)$/.test(spec))
        throw wrong(`{${template.slice(i + 1, end)}} is no field`);
      const field = name === "" ? next++ : /^\d+$/.test(name) ? Number(name) : name;
      if (typeof field === "number" ? field >= count : !names.includes(field))
        throw wrong(`there is no value for {${template.slice(i + 1, end)}}`);
      if (text !== "") parts.push(text);
      text = "";
      parts.push({ field, spec });
      i = end;
    } else if (c === "}") throw wrong("a brace is not opened");
    else text += c;
  }
  if (text !== "") parts.push(text);
  return parts;
}

/** Trees of arrays with elements, as messages show them. */
export type Shown = HostArray | readonly Shown[] | { readonly [key: string]: Shown } | null | undefined;

/** Fills a template in. */
export function fillTemplate(
  parts: readonly Part[],
  values: readonly Shown[],
  named: Readonly<Record<string, Shown>>,
): string {
  return parts
    .map((p) =>
      typeof p === "string" ? p : show(typeof p.field === "number" ? values[p.field] : named[p.field], p.spec),
    )
    .join("");
}

const isHost = (x: object): x is HostArray => "aval" in x && "data" in x;

function show(x: Shown, spec: string): string {
  if (x === null || x === undefined) return String(x);
  if (isHost(x)) {
    if (x.aval.shape.length > 0) return formatValues(x.data, x.aval);
    const v = x.data[0]!;
    return spec === "" ? formatScalar(x.aval.dtype === "bool" ? v !== 0 : v, x.aval.dtype) : number(v, spec);
  }
  if (Array.isArray(x)) return `[${(x as readonly Shown[]).map((y) => show(y, spec)).join(", ")}]`;
  return `{${Object.entries(x)
    .map(([k, y]) => `${k}: ${show(y as Shown, spec)}`)
    .join(", ")}}`;
}

/** A number in Python's notation of formats: sign, width, digits and kind. */
function number(v: number, spec: string): string {
  const [, sign = "", width = "", digits = "", kind = ""] = /^([-+ ]?)(\d*)(?:\.(\d+))?([defgs]?)$/.exec(spec) ?? [];
  const places = digits === "" ? 6 : Number(digits);
  const exponent = (s: string): string => s.replace(/e([+-])(\d)$/, "e$10$2");
  let text: string;
  if (!Number.isFinite(v)) text = Number.isNaN(v) ? "nan" : v > 0 ? "inf" : "-inf";
  else if (kind === "f") text = v.toFixed(places);
  else if (kind === "e") text = exponent(v.toExponential(places));
  else if (kind === "d") text = String(Math.trunc(v));
  else if (digits !== "" || kind === "g") text = exponent(String(Number(v.toPrecision(Math.max(1, places)))));
  else text = String(v);
  if ((sign === "+" || sign === " ") && !text.startsWith("-")) text = sign + text;
  return text.padStart(Number(width));
}
