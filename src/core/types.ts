import type { NDArray } from "./array.js";

type AnyFunction = (...args: never[]) => unknown;

/**
 * What a transformed function accepts where the user's function takes T: array leaves may be JS numbers or booleans.
 */
export type In<T> = T extends NDArray
  ? NDArray | number | boolean
  : T extends AnyFunction
    ? T
    : T extends object
      ? { [K in keyof T]: In<T[K]> }
      : T;

/**
 * Any type, as the constraint of a type parameter: array literals inferred for it become tuples, `[a, b]` a `[NDArray, NDArray]`
 * and not an `NDArray[]`, down to the fourth level.
 */
export type Structure = Within<Within<Within<Within<Anything>>>>;
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- together: whatever there is
type Anything = {} | null | undefined | void;
type Within<T> = readonly T[] | [] | { readonly [key: string]: T } | Anything;

/**
 * What a loop's body gives back for its state. The first half, which the second implies, is what makes its array literals
 * tuples while C is still being inferred.
 */
export type NextState<C> = NoInfer<C> | NoInfer<In<ArraysOf<C>>>;

/** `In` for an argument list. */
export type Ins<A extends readonly unknown[]> = { [K in keyof A]: In<A[K]> };

/**
 * A tree of T's structure whose numbers and booleans have become arrays: what derivatives with respect to a T look like, and
 * what a transformed function gives where the user's returns a T. Types without numbers stay themselves, classes too.
 */
export type ArraysOf<T> = T extends NDArray | AnyFunction
  ? T
  : T extends number | boolean
    ? NDArray
    : T extends object
      ? true extends HasNumbers<T>
        ? { [K in keyof T]: ArraysOf<T[K]> }
        : T
      : T;

/** `ArraysOf` for an argument list. */
export type ArraysOfAll<A extends readonly unknown[]> = { [K in keyof A]: ArraysOf<A[K]> };

/** What the leaves of a tree of type T are: arrays, numbers, whatever stands in it; unknown where it is nested deeper than `Depth`. */
export type LeafOf<T, Depth extends readonly unknown[] = [0, 0, 0, 0, 0, 0]> = T extends NDArray
  ? T
  : T extends AnyFunction | null | undefined
    ? never
    : T extends object
      ? Depth extends readonly [unknown, ...infer Less]
        ? LeafOf<T extends readonly unknown[] ? T[number] : T[keyof T], Less>
        : unknown
      : T;

/** Contains `true` if some leaf of T is a number or a boolean; types nested deeper than `Depth` count as if they had some. */
type HasNumbers<T, Depth extends readonly unknown[] = [0, 0, 0, 0]> = T extends NDArray | AnyFunction
  ? false
  : T extends number | boolean
    ? true
    : T extends object
      ? Depth extends readonly [unknown, ...infer Less]
        ? T extends readonly unknown[]
          ? HasNumbers<T[number], Less>
          : { [K in keyof T]-?: HasNumbers<T[K], Less> }[keyof T]
        : true
      : false;

/** The argument of a list at position N; negative ones count from the end. */
export type ArgumentAt<A extends readonly unknown[], N extends number> = number extends N
  ? A[number]
  : `${N}` extends `-${infer P extends number}`
    ? FromEnd<A, P>
    : A[N];
type FromEnd<
  A extends readonly unknown[],
  P extends number,
  Seen extends readonly unknown[] = [0],
> = A extends readonly [...infer Rest, infer Last]
  ? Seen["length"] extends P
    ? Last
    : FromEnd<Rest, P, [...Seen, 0]>
  : A[number];
