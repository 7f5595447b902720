import * as ix from "../../../kernel-ir/index-expr.js";
import type { Index } from "../../../kernel-ir/index-expr.js";
import type { BufferArg } from "../../../kernel-ir/kernel.js";
import type { Expr } from "../../../kernel-ir/scalar.js";
import { elementBytes } from "../nest/memory.js";
import { decline, type Elements } from "./elements.js";

/** Cells that values may tell apart. */
const MOST_CANDIDATES = 8;

/** A type of elements in buffers. */
export type CellType = BufferArg["type"];

/** Where a buffer of a body lies while the body is followed: in memory that is only read, or in cells with a value each. */
export type Place =
  | { readonly kind: "memory"; readonly buffer: number; readonly type: CellType; readonly base: Index }
  | { readonly kind: "cells"; readonly cells: Cells; readonly at: number };

/** Values by the bytes at which they begin. */
export class Cells {
  private readonly values = new Map<number, Expr>();

  read(at: number, type: CellType, make: Elements): Expr {
    return make.as(type, this.whatIsAt(at));
  }

  whatIsAt(at: number): Expr {
    return this.values.get(at) ?? decline("it reads what it has not written");
  }

  write(at: number, value: Expr): void {
    if (elementBytes(value.type) === 8) this.values.delete(at + 4);
    const before = this.values.get(at - 4);
    if (before && elementBytes(before.type) === 8) this.values.delete(at - 4);
    this.values.set(at, value);
  }

  /** All values and where they begin. */
  entries(): readonly (readonly [number, Expr])[] {
    return [...this.values];
  }
}

export const cellsAt = (cells: Cells, at = 0): Place => ({ kind: "cells", cells, at });

/** The element at an index of a place. Of cells that only values tell apart one is selected. */
export function readAt(p: Place, type: CellType, index: Index, make: Elements): Expr {
  make.step();
  if (p.kind === "memory") return make.as(type, make.load(p.type, p.buffer, ix.add(p.base, index)));
  const [first, ...others] = candidates(index);
  const cell = (e: number): Expr => p.cells.read(p.at + e * elementBytes(type), type, make);
  return others.reduce((value, e) => make.select(isAt(index, e, make), cell(e), value), cell(first));
}

export function writeAt(p: Place, index: Index, value: Expr, make: Elements): void {
  if (p.kind === "memory") decline("it writes what is only read");
  const size = elementBytes(value.type);
  if (ix.isLit(index)) {
    p.cells.write(p.at + index.base * size, value);
    return;
  }
  for (const e of candidates(index)) {
    const at = p.at + e * size;
    const before = p.cells.read(at, value.type as CellType, make);
    p.cells.write(at, make.select(isAt(index, e, make), value, before));
  }
}

/** Places that an index may name, of which there are a few. */
function candidates(index: Index): readonly [number, ...number[]] {
  const { lo, hi } = index;
  if (hi - lo >= MOST_CANDIDATES) decline("it looks for a place among many");
  return [lo, ...Array.from({ length: hi - lo }, (_, k) => lo + 1 + k)];
}

const isAt = (index: Index, place: number, make: Elements): Expr =>
  make.op("eq", [make.indexValue(index), make.constant("i32", place)]);

/** Copies a run of bytes. */
export function copyCells(from: Place, to: Place, bytes: number, make: Elements): void {
  if (from.kind === "memory") {
    const size = elementBytes(from.type);
    for (let e = 0; e * size < bytes; e++) writeAt(to, ix.lit(e), readAt(from, from.type, ix.lit(e), make), make);
    return;
  }
  if (to.kind === "memory") decline("it writes what is only read");
  // all values are taken first: the runs may overlap
  let left = bytes;
  for (const [at, value] of from.cells.entries()) {
    const offset = at - from.at;
    if (offset < 0 || offset >= bytes) continue;
    make.step();
    left -= elementBytes(value.type);
    to.cells.write(to.at + offset, value);
  }
  if (left !== 0) decline("it copies what it has not written");
}
