const ids = new WeakMap<object, number>();
let nextId = 0;

/** A number for an object's identity. */
export function identityOf(x: object): number {
  let id = ids.get(x);
  if (id === undefined) ids.set(x, (id = nextId++));
  return id;
}

/**
 * A string that is equal for structurally equal plain data (numbers apart by NaN, ±infinity and −0 too).
 * Jaxprs, functions and instances of classes count by identity.
 */
export function structuralKey(x: unknown): string {
  switch (typeof x) {
    case "number":
      return x === 0 && Object.is(x, -0) ? "-0" : String(x);
    case "string":
      return JSON.stringify(x);
    case "object": {
      if (x === null) return "null";
      // Written as loops: eager operations make a key of their params each time.
      if (Array.isArray(x)) {
        let key = "[";
        for (let i = 0; i < x.length; i++) key += `${structuralKey(x[i])},`;
        return `${key}]`;
      }
      const proto: unknown = Object.getPrototypeOf(x);
      if (("inVars" in x && "eqns" in x) || (proto !== Object.prototype && proto !== null)) return `@${identityOf(x)}`;
      let key = "{";
      for (const k in x) {
        const v = (x as Record<string, unknown>)[k];
        if (v !== undefined) key += `${k}:${structuralKey(v)},`;
      }
      return `${key}}`;
    }
    case "function":
      return `@${identityOf(x)}`;
    default:
      return String(x);
  }
}
