type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? [] : ["the types differ", A, B];

/** Compiles only if the value's type is the given one, not just assignable to it: `exactly<NDArray>()(x)`. */
export declare function exactly<E>(): <V>(value: V, ...difference: Same<E, V>) => void;

/** `exactly` for what a function returns. */
export declare function returns<E>(): <V>(f: (...args: never[]) => V, ...difference: Same<E, V>) => void;
