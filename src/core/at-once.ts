import { ConcreteArray, type NDArray } from "./array.js";
import type { Aval } from "./aval.js";
import { config } from "./config.js";
import { getEngine } from "./engine.js";
import type { Jaxpr } from "./jaxpr.js";
import { recordsSources } from "./source.js";
import { stage } from "./staging.js";
import { currentStaging } from "./trace.js";

/** A function made of elementwise operations, as the engine sees it. */
export class ElementwiseFunction {
  /** It is a single operation: there is nothing to gain. */
  single = false;

  constructor(
    readonly name: string,
    private readonly f: (...xs: readonly NDArray[]) => NDArray,
  ) {}

  oneByOne(xs: readonly ConcreteArray[]): ConcreteArray {
    return this.f(...xs) as ConcreteArray;
  }

  /** What it does with operands of these types, if that is several elementwise operations. */
  jaxpr(avals: readonly Aval[]): Jaxpr | undefined {
    let staged: ReturnType<typeof stage>;
    try {
      staged = stage((xs) => [this.f(...xs)], avals, { kind: this.name });
    } catch {
      // It refuses the operands, and will say so when it is called.
      return undefined;
    }
    const { jaxpr, consts } = staged;
    this.single = jaxpr.eqns.length < 2;
    const elementwise = jaxpr.eqns.every((e) => e.primitive.facts.elementwise === true);
    return !this.single && elementwise && consts.length === 0 ? jaxpr : undefined;
  }
}

/**
 * A function of arrays, made of elementwise operations, that is computed in one go where all operands are there: no array is made
 * of what lies in between. Traced, it is what it is made of.
 */
export function atOnce<A extends readonly NDArray[]>(name: string, f: (...xs: A) => NDArray): (...xs: A) => NDArray {
  const make = (): ElementwiseFunction =>
    new ElementwiseFunction(name, f as unknown as (...xs: readonly NDArray[]) => NDArray);
  // The default float differs.
  const [narrow, wide] = [make(), make()];
  return (...xs) => {
    const whole = config.enableX64 ? wide : narrow;
    if (whole.single || currentStaging() !== undefined || recordsSources()) return f(...xs);
    for (const x of xs) if (!(x instanceof ConcreteArray)) return f(...xs);
    return getEngine().evaluateElementwise(whole, xs as readonly NDArray[] as readonly ConcreteArray[]) ?? f(...xs);
  };
}
