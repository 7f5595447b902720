import { NDArray, random } from "../../src/index.js";

/** A result as it was read: arrays with their elements, containers, and other values. */
export type Result =
  | { readonly kind: "array"; readonly dtype: string; readonly shape: readonly number[]; readonly data: Element[] }
  | { readonly kind: "list"; readonly entries: readonly Result[] }
  | { readonly kind: "record"; readonly entries: Readonly<Record<string, Result>> }
  | { readonly kind: "value"; readonly value: unknown };

/** A number, or a complex one as [re, im]. */
export type Element = number | bigint | readonly [number, number];

export type ArrayResult = Extract<Result, { kind: "array" }>;

/** Reads all arrays of a result. Random keys are read as their words. */
export async function readResult(x: unknown): Promise<Result> {
  if (x instanceof NDArray) return readArray(x);
  if (Array.isArray(x)) return { kind: "list", entries: await Promise.all(x.map(readResult)) };
  if (typeof x !== "object" || x === null) return { kind: "value", value: x };
  const entries: Record<string, Result> = {};
  for (const [name, value] of Object.entries(x)) {
    if (typeof value !== "function") entries[name] = await readResult(value);
  }
  return { kind: "record", entries };
}

async function readArray(x: NDArray): Promise<Result> {
  if (x.dtype === "key") return readArray(random.keyData(x));
  const dtype: string = x.dtype;
  const words = Array.from<number | bigint>(await x.data());
  const data = dtype.startsWith("complex") ? pairs(words as number[]) : words;
  return { kind: "array", dtype, shape: x.shape, data };
}

const pairs = (words: readonly number[]): (readonly [number, number])[] =>
  Array.from({ length: words.length / 2 }, (_, i) => [words[2 * i]!, words[2 * i + 1]!] as const);
