import { ArgumentError } from "../../core/errors.js";

/** What stands behind the colon of a field: Python's format specification. */
export interface FormatSpec {
  readonly fill: string;
  readonly align: "<" | ">" | "^" | "=" | "";
  readonly sign: "+" | "-" | " ";
  readonly alternate: boolean;
  readonly width: number;
  readonly grouping: "," | "_" | "";
  readonly precision: number | undefined;
  readonly type: string;
}

const pattern = /^(?:(.)?([<>=^]))?([-+ ])?(#)?(0)?(\d+)?([,_])?(?:\.(\d+))?([bcdeEfFgGnosxX%])?$/su;

/** Reads a format specification. @throws ArgumentError `debug-format`. */
export function parseSpec(spec: string): FormatSpec {
  const m = pattern.exec(spec);
  if (!m) throw badSpec(spec, "is no format");
  const [, fill, align, sign, alternate, zero, width, grouping, precision, type] = m;
  return {
    fill: fill ?? (zero !== undefined && align === undefined ? "0" : " "),
    align: (align as FormatSpec["align"] | undefined) ?? (zero === undefined ? "" : "="),
    sign: (sign as FormatSpec["sign"] | undefined) ?? "-",
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping: (grouping as FormatSpec["grouping"] | undefined) ?? "",
    precision: precision === undefined ? undefined : Number(precision),
    type: type ?? "",
  };
}

export const badSpec = (spec: string, why: string): ArgumentError =>
  new ArgumentError({
    code: "debug-format",
    message: `the format ${JSON.stringify(spec)} ${why}`,
    hint: 'formats are Python\'s: "{:.3f}", "{:>8}", "{:e}"; arrays that are no scalars take none: "{}"',
  });

/** Text padded to the width that is asked for. */
function padded(sign: string, body: string, s: FormatSpec, align: FormatSpec["align"]): string {
  const missing = s.width - sign.length - [...body].length;
  if (missing <= 0) return sign + body;
  switch (s.align === "" ? align : s.align) {
    case "<":
      return sign + body + s.fill.repeat(missing);
    case "^":
      return s.fill.repeat(missing >> 1) + sign + body + s.fill.repeat(missing - (missing >> 1));
    case "=":
      return sign + s.fill.repeat(missing) + body;
    default:
      return s.fill.repeat(missing) + sign + body;
  }
}

/** A string in a format. */
export function formatString(text: string, spec: string): string {
  const s = parseSpec(spec);
  if (s.type !== "" && s.type !== "s") throw badSpec(spec, "is for numbers, and the value is a string");
  return padded("", s.precision === undefined ? text : [...text].slice(0, s.precision).join(""), s, "<");
}

/** A number in a format. `whole`: it is of an integer dtype. */
export function formatNumber(x: number, whole: boolean, spec: string): string {
  if (spec === "") return whole ? String(x) : formatFloat(x);
  const s = parseSpec(spec);
  const negative = x < 0 || Object.is(x, -0);
  const sign = negative ? "-" : s.sign === "-" ? "" : s.sign;
  const type = s.type === "n" ? (whole ? "d" : "g") : s.type;
  if (whole && (type === "" || "bcdoxX".includes(type))) return formatWhole(Math.abs(x), sign, { ...s, type }, spec);
  if (type !== "" && !"eEfFgG%".includes(type)) throw badSpec(spec, `is not for ${whole ? "numbers" : "floats"}`);
  const magnitude = Math.abs(x);
  const body = Number.isFinite(x) ? floatBody(magnitude, { ...s, type }) : Number.isNaN(x) ? "nan" : "inf";
  return padded(sign, grouped("EFG".includes(type || " ") ? body.toUpperCase() : body, s.grouping, 3), s, ">");
}

function formatWhole(x: number, sign: string, s: FormatSpec, spec: string): string {
  if (s.precision !== undefined) throw badSpec(spec, "has a precision, and the value is whole");
  if (s.type === "c") return padded("", String.fromCodePoint(x), s, "<");
  const radix = { b: 2, o: 8, x: 16, X: 16 }[s.type] ?? 10;
  const digits = grouped(x.toString(radix), s.grouping, radix === 10 ? 3 : 4);
  const prefix = s.alternate && radix !== 10 ? `0${s.type}` : "";
  return padded(sign + prefix, s.type === "X" ? digits.toUpperCase() : digits, s, ">");
}

function floatBody(x: number, { type, precision, alternate }: FormatSpec): string {
  const point = (text: string): string => (alternate && !text.includes(".") ? text.replace(/(?=e|$)/, ".") : text);
  switch (type.toLowerCase()) {
    case "f":
      return point(fixed(x, precision ?? 6));
    case "e":
      return point(exponential(x, precision ?? 6));
    case "%":
      return `${point(fixed(x * 100, precision ?? 6))}%`;
    case "g":
      return general(x, Math.max(precision ?? 6, 1), alternate);
    default: {
      if (precision === undefined) return formatFloat(x);
      const text = general(x, Math.max(precision, 1), alternate);
      return /[.e]/.test(text) ? text : `${text}.0`;
    }
  }
}

function general(x: number, precision: number, alternate: boolean): string {
  const text = exponential(x, precision - 1);
  const exponent = Number(text.slice(text.indexOf("e") + 1));
  const chosen = exponent >= -4 && exponent < precision ? fixed(x, precision - 1 - exponent) : text;
  return alternate || !chosen.includes(".") ? chosen : chosen.replace(/\.?0+(?=e|$)/, "");
}

/** Digits that are more than any tie between two decimals needs. */
const exactly = 24;

/** Ties go to the even digit, as in Python; JavaScript rounds them up. */
function evenly(rounded: string, exact: string, down: (digits: number) => string): string {
  const [mantissa] = rounded.split("e") as [string];
  const [more] = exact.split("e") as [string];
  if (!/[13579]$/.test(mantissa)) return rounded;
  // JavaScript rounded up to an odd digit: was what it cut off a five and nothing else?
  const cut = more.replace(".", "").slice(mantissa.replace(".", "").length);
  return /^50*$/.test(cut) ? down(mantissa.length) : rounded;
}

function fixed(x: number, digits: number): string {
  if (x >= 1e21) return `${BigInt(x)}${digits > 0 ? `.${"0".repeat(digits)}` : ""}`;
  if (digits > 100 - exactly) return x.toFixed(Math.min(digits, 100));
  const exact = x.toFixed(digits + exactly);
  return evenly(x.toFixed(digits), exact, () => exact.slice(0, exact.length - exactly - (digits === 0 ? 1 : 0)));
}

function exponential(x: number, digits: number): string {
  const wide = Math.min(digits + exactly, 100);
  const exact = x.toExponential(wide);
  const text = evenly(x.toExponential(Math.min(digits, 100)), exact, () => {
    const [mantissa, exponent] = exact.split("e") as [string, string];
    return `${mantissa.slice(0, digits === 0 ? 1 : digits + 2)}e${exponent}`;
  });
  return text.replace(/e([+-])(\d)$/, "e$10$2");
}

/** A float as Python writes it: the shortest decimal that reads back, with an exponent beyond 10⁻⁴ and 10¹⁶. */
function formatFloat(x: number): string {
  if (Number.isNaN(x)) return "nan";
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  if (!Number.isFinite(x)) return `${sign}inf`;
  const [mantissa, power] = Math.abs(x).toExponential().split("e") as [string, string];
  const exponent = Number(power);
  const digits = mantissa.replace(".", "");
  if (exponent < -4 || exponent >= 16) {
    return `${sign}${mantissa}e${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  return `${sign}${whole}.${digits.slice(exponent + 1) || "0"}`;
}

function grouped(body: string, separator: string, size: number): string {
  if (separator === "") return body;
  const end = /^[0-9a-fA-F]*/.exec(body)![0].length;
  const whole = body.slice(0, end).replace(new RegExp(`(?=(?:.{${size}})+$)(?!^)`, "g"), separator);
  return whole + body.slice(end);
}
