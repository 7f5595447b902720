import { type Aval, type Shape, sizeOf } from "../core/aval.js";
import { type DType, dtypeInfo } from "../core/dtype.js";

/**
 * An aval with a number: what the runtime gives to the arrays that it makes, so that caches find programs by small numbers rather
 * than by shapes. Equal types mostly have equal numbers; two numbers for one type cost a second look-up, nothing else.
 */
export class ArrayType implements Aval {
  readonly #id: number;
  readonly #words: number;
  private constructor(
    readonly shape: Shape,
    readonly dtype: DType,
    readonly weakType: boolean,
    id: number,
  ) {
    this.#id = id;
    this.#words = sizeOf(shape) * dtypeInfo[dtype].words;
  }

  static idOf(a: Aval): number {
    return #id in a ? a.#id : ArrayType.of(a).#id;
  }
  /** Words of the host's typed array. */
  static words(a: Aval): number {
    return #words in a ? a.#words : sizeOf(a.shape) * dtypeInfo[a.dtype].words;
  }

  /** The numbered form of a type. */
  static of(a: Aval): ArrayType {
    if (#id in a) return a;
    const scalar = a.shape.length === 0 ? (a.weakType ? weakScalars : scalars)[a.dtype] : undefined;
    return scalar ?? ArrayType.intern(a);
  }

  private static intern(a: Aval): ArrayType {
    const key = `${dtypeInfo[a.dtype].short}${a.weakType ? "~" : " "}${a.shape.join()}`;
    let type = interned.get(key);
    if (!type) {
      if (interned.size >= limit) interned.clear();
      interned.set(key, (type = new ArrayType([...a.shape], a.dtype, a.weakType, nextId++)));
      if (a.shape.length === 0) (a.weakType ? weakScalars : scalars)[a.dtype] = type;
    }
    return type;
  }
}

const interned = new Map<string, ArrayType>();
const scalars: Partial<Record<DType, ArrayType>> = {};
const weakScalars: Partial<Record<DType, ArrayType>> = {};
const limit = 8192;
let nextId = 1;
