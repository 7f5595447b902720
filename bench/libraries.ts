import { ROWS, complaint, type Library, type Prepared, type RowName } from "./rows.js";

/** The libraries under test, by the keys of the results; the first is what the others are compared with. */
export const LIBRARIES = {
  ours: "./tsax.js",
  jaxjs: "./peers/jax-js.js",
  tfjs: "./peers/tfjs.js",
  /** No library: JavaScript's own loops, for the rows of control flow. */
  plain: "./plain.js",
  /** tsax operation by operation, where that is what its loops are compared with. */
  eager: "./eager.js",
} as const;
export type LibraryName = keyof typeof LIBRARIES;
export const LIBRARY_NAMES = Object.keys(LIBRARIES) as readonly LibraryName[];

/** Loads a library, and makes one row ready; undefined: it cannot do that row. */
export async function prepare(which: LibraryName, name: RowName): Promise<Prepared | undefined> {
  const { library } = (await import(LIBRARIES[which])) as { readonly library: Library };
  return library.rows[name]?.();
}

/**
 * Compares a library's result with the reference: a wrong result of ours is an error; a peer that is wrong or throws cannot do
 * the row, which is said.
 */
export async function verify(which: LibraryName, name: RowName, prepared: Prepared): Promise<boolean> {
  let wrong: string | undefined;
  try {
    wrong = complaint((prepared.part ?? ROWS[name]).expected(), await prepared.result());
  } catch (e) {
    if (which === "ours") throw e;
    wrong = `throws ${String(e)}`;
  }
  if (wrong === undefined) return true;
  const message = `${which} on "${name}": the result ${wrong}`;
  if (which === "ours") throw new Error(message);
  console.error(message);
  return false;
}
