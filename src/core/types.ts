import type { NDArray } from "./array.js";

/** What a transformed function accepts where the user's function takes T: array leaves may be JS numbers or booleans. */
export type In<T> = T extends NDArray
  ? NDArray | number | boolean
  : T extends (...a: never[]) => unknown
    ? T
    : T extends object
      ? { [K in keyof T]: In<T[K]> }
      : T;

/** `In` for an argument list. */
export type Ins<A extends readonly unknown[]> = { [K in keyof A]: In<A[K]> };

/** A tree of T's structure whose numbers have become arrays: what derivatives with respect to a T look like. */
export type ArraysOf<T> = T extends NDArray
  ? T
  : T extends number
    ? NDArray
    : T extends (...a: never[]) => unknown
      ? T
      : T extends object
        ? { [K in keyof T]: ArraysOf<T[K]> }
        : T;
