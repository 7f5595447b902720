/**
 * Memoises a function of an object and plain data: weakly by the object's identity, then by the data's key.
 * The function must not depend on anything else. The oldest results of an object go when there are many.
 */
export function memoize<K extends object, A extends readonly MemoKey[], R>(
  f: (key: K, ...args: A) => R,
): (key: K, ...args: A) => R {
  const cache = new WeakMap<K, Map<string, R>>();
  return (key, ...args) => {
    let entries = cache.get(key);
    if (!entries) cache.set(key, (entries = new Map()));
    const k = args
      .map((a) => (Array.isArray(a) ? a.join(",") : typeof a === "string" ? JSON.stringify(a) : String(a)))
      .join("|");
    let result = entries.get(k);
    if (result === undefined) {
      if (entries.size >= maxEntries) entries.delete(entries.keys().next().value!);
      entries.set(k, (result = f(key, ...args)));
    }
    return result;
  };
}

const maxEntries = 256;

type MemoKey = number | string | boolean | null | undefined | readonly (number | boolean | null)[];
