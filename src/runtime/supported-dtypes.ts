import { type Aval, formatAval } from "../core/aval.js";
import type { DType } from "../core/dtype.js";
import { DTypeError } from "../core/errors.js";
import { type Jaxpr, Literal } from "../core/jaxpr.js";

/** What knows which dtypes it can hold. */
interface Holder {
  readonly name: string;
  readonly supports: (dtype: DType) => boolean;
}

/**
 * Demands that a device holds every value of a jaxpr: arguments, results, what lies between, inner jaxprs too.
 * @throws DTypeError `dtype-device` that names the first value that it does not.
 */
export function requireDTypes(jaxpr: Jaxpr, device: Holder, name: string): void {
  const seen = new Set<Jaxpr>();
  const check = (a: Aval, what: string): void => {
    if (!device.supports(a.dtype)) throw unsupported(device.name, a, what);
  };
  const visit = (j: Jaxpr, where: string): void => {
    if (seen.has(j)) return;
    seen.add(j);
    j.inVars.forEach((v, i) => check(v.aval, `argument ${i} of ${where}`));
    for (const { primitive, inputs, outs, params } of j.eqns) {
      for (const a of inputs)
        if (a instanceof Literal) check(a.aval, `the number ${a.value} given to ${primitive.name}`);
      const by = primitive.name === where ? where : `${primitive.name} in ${where}`;
      for (const v of outs) check(v.aval, `made by ${by}`);
      for (const inner of primitive.jaxprs?.(params as never) ?? []) visit(inner, innerName(params) ?? primitive.name);
    }
    for (const a of j.outs) check(a.aval, `a result of ${where}`);
  };
  visit(jaxpr, name === "main" ? "the compiled function" : name);
}

function innerName(params: unknown): string | undefined {
  const { name } = (params ?? {}) as { readonly name?: unknown };
  return typeof name === "string" ? name : undefined;
}

/** The error of an array that a device cannot hold. */
export const unsupportedArray = (device: string, a: Aval): DTypeError => unsupported(device, a, "an array");

function unsupported(device: string, a: Aval, what: string): DTypeError {
  const wide = a.dtype === "float64";
  return new DTypeError({
    code: "dtype-device",
    message: `device "${device}" has no ${a.dtype}`,
    details: [["value", `${formatAval(a)}, ${what}`]],
    hint: wide
      ? `compute in float32 (astype("float32"), enableX64 off), or on a device that has it: devicePut(x, "wasm")`
      : `use another dtype, or another device: devicePut(x, "wasm")`,
  });
}
