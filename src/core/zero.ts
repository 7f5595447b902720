import { type Aval, strengthen } from "./aval.js";

/** A tangent or cotangent known to be zero everywhere. */
export class Zero {
  readonly aval: Aval;
  /** Keeps arrays, which have an aval too, from passing as zeros when types are narrowed. */
  declare private readonly nominal: undefined;
  constructor(aval: Aval) {
    this.aval = strengthen(aval);
  }
}

export const isZero = (x: unknown): x is Zero => x instanceof Zero;
