import { type Aval, type Shape, sizeOf } from "../core/aval.js";
import { type DType, dtypeInfo } from "../core/dtype.js";

const numberOf = Object.fromEntries(Object.keys(dtypeInfo).map((dtype, k) => [dtype, k])) as Record<DType, number>;

/**
 * An aval with numbers: what the runtime gives to the arrays that it makes, so that caches find programs by small numbers rather
 * than by shapes. Equal types mostly are one object; two for one type cost a second look-up, nothing else.
 */
export class ArrayType implements Aval {
  readonly #id: number;
  readonly #kind: number;
  readonly #size: number;
  readonly #words: number;
  /** Types of the same shape, by kind. */
  #siblings: (ArrayType | undefined)[] | undefined;
  private constructor(
    readonly shape: Shape,
    readonly dtype: DType,
    readonly weakType: boolean,
    id: number,
  ) {
    this.#id = id;
    this.#kind = 2 * numberOf[dtype] + Number(weakType);
    this.#size = sizeOf(shape);
    this.#words = this.#size * dtypeInfo[dtype].words;
  }

  static idOf(a: Aval): number {
    return #id in a ? a.#id : ArrayType.of(a).#id;
  }
  /** A small number for dtype and weakness. */
  static kindOf(a: Aval): number {
    return #id in a ? a.#kind : 2 * numberOf[a.dtype] + Number(a.weakType);
  }
  /** Number of elements. */
  static size(a: Aval): number {
    return #id in a ? a.#size : sizeOf(a.shape);
  }
  /** Words of the host's typed array. */
  static words(a: Aval): number {
    return #id in a ? a.#words : sizeOf(a.shape) * dtypeInfo[a.dtype].words;
  }

  /** The numbered form of a type. */
  static of(a: Aval): ArrayType {
    if (#id in a) return a;
    const scalar = a.shape.length === 0 ? (a.weakType ? weakScalars : scalars)[a.dtype] : undefined;
    return scalar ?? ArrayType.intern(a);
  }

  /** A type of the same shape. */
  static like(type: ArrayType, dtype: DType, weakType: boolean): ArrayType {
    if (type.dtype === dtype && type.weakType === weakType) return type;
    const kind = 2 * numberOf[dtype] + Number(weakType);
    return ((type.#siblings ??= [])[kind] ??= ArrayType.of({ shape: type.shape, dtype, weakType }));
  }

  private static intern(a: Aval): ArrayType {
    let key = `${2 * numberOf[a.dtype] + Number(a.weakType)}`;
    for (const n of a.shape) key += `,${n}`;
    let type = interned.get(key);
    if (!type) {
      if (interned.size >= limit) interned.clear();
      // users read it as x.shape: what they wrote there would be the shape of all arrays of the type
      interned.set(key, (type = new ArrayType(Object.freeze([...a.shape]), a.dtype, a.weakType, nextId++)));
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
