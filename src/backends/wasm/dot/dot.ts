import type { DotKernel } from "../../../kernel-ir/kernel.js";
import type { ModuleBuilder } from "../module-builder.js";
import { arithmetic, type Arithmetic } from "./arithmetic.js";
import type { Value } from "../words.js";
import { Code } from "./code.js";
import { type ByTable, gemm } from "./gemm.js";
import { type BlockedRoutine, type DotPlan, type DotRoutine, planDot, tableDigits, tiles } from "./plan.js";
import { smallProduct } from "./small.js";
import { matrixVector, vectorMatrix } from "./vector.js";

/**
 * The dot kernels of the Wasm backend.
 *
 * A dot becomes a function over a range of units of work; the arithmetic is in routines that all dots of a module share and
 * that take extents and strides as arguments. So one more dot costs little code and compiles in no time, and a generic one,
 * whose numbers come from memory at run time, is as fast as one whose numbers are constants.
 */
export interface DotOptions {
  /** relaxed SIMD may be used: multiply-adds are fused. */
  readonly relaxed: boolean;
  /** Extents, strides and offsets are read from a block of parameters instead of being constants. */
  readonly generic?: boolean;
}

/**
 * Units into which the work may be cut: any range of them may be computed on its own, at the same time as others, with
 * scratch of its own. One thread takes all in one call: packing is done once a call.
 */
export function dotUnits(kernel: DotKernel): number {
  const { splits, problem } = planDot(kernel);
  return problem.batch.reduce((units, axis) => units * axis.size, splits);
}

/** Bytes of scratch, aligned to 16, that a call needs. */
export const dotScratchBytes = (kernel: DotKernel): number => planDot(kernel).scratchBytes;

/** Dots of equal structure may share one generic function. */
export function dotStructure(kernel: DotKernel): string {
  const { problem } = planDot(kernel);
  const digits = tableDigits(problem).map(([list]) => list.length);
  const byTable = `${problem.a.digits ? "a" : ""}${problem.b.digits ? "b" : ""}`;
  return `dot:${kernel.type}:${problem.batch.length}${byTable && `:${byTable}${digits.join()}`}`;
}

const blocked: readonly BlockedRoutine[] = ["wide", "low", "skinny", "narrow"];
const routines: readonly DotRoutine[] = [...blocked, "matrixVector", "vectorMatrix", "small"];

const fields = [
  "routine",
  "swapped",
  "splits",
  "rowStep",
  "rowBase",
  "colStep",
  "colBase",
  "m",
  "n",
  "k",
  "aOffset",
  "aRow",
  "aCol",
  "bOffset",
  "bRow",
  "bCol",
  "outOffset",
  "outRow",
  "outCol",
  "kBlock",
  "rowsScratch",
  "flags",
  "aRowTable",
  "aColTable",
  "bRowTable",
  "bColTable",
] as const;
type Field = (typeof fields)[number];
const BATCH_FIELDS = 4;

/** The block of parameters of a generic dot: 32-bit words. */
export function dotParameters(kernel: DotKernel): readonly number[] {
  const plan = planDot(kernel);
  const values = fieldValues(plan);
  return [
    ...fields.map((field) => values[field]),
    ...plan.problem.batch.flatMap(({ size, a, b, out }) => [size, a, b, out]),
    ...tableDigits(plan.problem).flatMap(([digits]) => digits.flatMap(({ size, stride }) => [size, stride])),
  ];
}

function fieldValues(plan: DotPlan): Readonly<Record<Field, number>> {
  const { problem, split } = plan;
  const { m, n, k, a, b, out } = problem;
  const byRows = split.axis === "rows";
  return {
    routine: routines.indexOf(plan.routine),
    swapped: plan.swapped ? 1 : 0,
    splits: plan.splits,
    rowStep: byRows ? split.step : 0,
    rowBase: byRows ? 0 : m,
    colStep: byRows ? 0 : split.step,
    colBase: byRows ? n : 0,
    m,
    n,
    k,
    aOffset: a.offset,
    aRow: a.row,
    aCol: a.col,
    bOffset: b.offset,
    bRow: b.row,
    bCol: b.col,
    outOffset: out.offset,
    outRow: out.row,
    outCol: out.col,
    kBlock: plan.kBlock,
    rowsScratch: plan.rowsScratch,
    flags: plan.flags,
    aRowTable: plan.tables[0]!,
    aColTable: plan.tables[1]!,
    bRowTable: plan.tables[2]!,
    bColTable: plan.tables[3]!,
  };
}

/**
 * Emits a dot and gives its function's index: (lo, hi, lhs, rhs, out, scratch), and where generic one more, the address of
 * the block of `dotParameters`. Computes the units lo ≤ u < hi of `dotUnits`; lhs, rhs and out are the buffers' addresses.
 */
export function emitDot(m: ModuleBuilder, kernel: DotKernel, options: DotOptions): number {
  const plan = planDot(kernel);
  const t = arithmetic(kernel.type, options.relaxed);
  const generic = options.generic === true;
  const byTable: ByTable = { a: plan.problem.a.digits !== undefined, b: plan.problem.b.digits !== undefined };
  const possible = byTable.a || byTable.b ? blocked : routines;
  const used = (generic ? possible : [plan.routine]).map((routine) => ({
    routine,
    index: emitRoutine(m, t, routine, byTable),
  }));

  const f = m.func(kernel.name, Array<"i32">(generic ? 7 : 6).fill("i32"));
  const c = new Code(f, t);
  const [lo, hi, lhs, rhs, outBuffer, scratch, block] = [0, 1, 2, 3, 4, 5, 6] as const;
  const values = dotParameters(kernel);
  const parameter = (i: number): Value => (generic ? c.loadWord(block, 4 * i) : c.i32(values[i]!));
  const p = (field: Field): Value => parameter(fields.indexOf(field));

  let digit = fields.length + plan.problem.batch.length * BATCH_FIELDS;
  (["aRowTable", "aColTable", "bRowTable", "bColTable"] as const).forEach((table, i) => {
    const [digits, length] = tableDigits(plan.problem)[i]!;
    const sizes = digits.map((_, d) => [parameter(digit + 2 * d), parameter(digit + 2 * d + 1)] as const);
    digit += 2 * digits.length;
    if (length > 0) fillTable(c, c.word(c.add(scratch, p(table))), sizes, c.word(c.i32(0)));
  });

  const unit = lo;
  const a = c.word();
  const b = c.word();
  const out = c.word();
  c.whilst(c.less(unit, hi), () => {
    const element = c.word(c.div(unit, p("splits")));
    const first = c.word(c.rem(unit, p("splits")));
    const last = c.word(c.min(p("splits"), c.add(first, c.sub(hi, unit))));
    const row = c.word(c.mul(first, p("rowStep")));
    const column = c.word(c.mul(first, p("colStep")));
    const rows = c.word(c.sub(c.min(p("m"), c.add(c.mul(last, p("rowStep")), p("rowBase"))), row));
    const columns = c.word(c.sub(c.min(p("n"), c.add(c.mul(last, p("colStep")), p("colBase"))), column));
    const [aBuffer, bBuffer]: readonly [Value, Value] = generic
      ? [c.select(p("swapped"), rhs, lhs), c.select(p("swapped"), lhs, rhs)]
      : plan.swapped
        ? [rhs, lhs]
        : [lhs, rhs];
    c.set(a, c.add(aBuffer, p("aOffset")));
    if (!byTable.a) c.set(a, c.at(a, row, p("aRow")));
    c.set(b, c.add(bBuffer, p("bOffset")));
    if (!byTable.b) c.set(b, c.at(b, column, p("bCol")));
    c.set(out, c.at(c.at(c.add(outBuffer, p("outOffset")), row, p("outRow")), column, p("outCol")));

    for (let axis = plan.problem.batch.length - 1; axis >= 0; axis--) {
      const [size, aStep, bStep, outStep] = [0, 1, 2, 3].map((i) => parameter(fields.length + axis * BATCH_FIELDS + i));
      const index = c.word(axis === 0 ? element : c.rem(element, size!));
      c.set(a, c.at(a, index, aStep!));
      c.set(b, c.at(b, index, bStep!));
      c.set(out, c.at(out, index, outStep!));
      if (axis > 0) c.set(element, c.div(element, size!));
    }

    for (const { routine, index } of used) {
      const table = (name: Field, first: Value): Value => c.at(c.add(scratch, p(name)), first, c.i32(4));
      const strides = [
        ...(byTable.a ? [table("aRowTable", row), table("aColTable", c.i32(0))] : [p("aRow"), p("aCol")]),
        ...(byTable.b ? [table("bRowTable", c.i32(0)), table("bColTable", column)] : [p("bRow"), p("bCol")]),
        p("outRow"),
        p("outCol"),
      ];
      const call = (): void => callRoutine(c, routine, index, p, { a, b, out, scratch, rows, columns, strides });
      if (generic) c.when(c.eq(p("routine"), c.i32(routines.indexOf(routine))), call);
      else call();
    }
    c.set(unit, c.add(unit, c.sub(last, first)));
  });
  return f.index;
}

/** Writes what each value of an index of several digits adds, in order; `to` and `offset` are locals. */
function fillTable(
  c: Code,
  to: number,
  digits: readonly (readonly [size: Value, stride: Value])[],
  offset: number,
): void {
  const [first, ...rest] = digits;
  if (first === undefined) {
    c.storeWord(to, offset);
    c.advance(to, c.i32(4));
    return;
  }
  const left = c.word(first[0]);
  const own = c.word(offset);
  c.times(left, () => {
    fillTable(c, to, rest, own);
    c.advance(own, first[1]);
  });
}

function emitRoutine(m: ModuleBuilder, t: Arithmetic, routine: DotRoutine, byTable: ByTable): number {
  switch (routine) {
    case "wide":
    case "low":
    case "skinny":
    case "narrow":
      return gemm(m, t, tiles[routine](t), byTable);
    case "matrixVector":
      return matrixVector(m, t);
    case "vectorMatrix":
      return vectorMatrix(m, t);
    case "small":
      return smallProduct(m, t);
  }
}

interface Operands {
  readonly a: number;
  readonly b: number;
  readonly out: number;
  readonly scratch: number;
  readonly rows: number;
  readonly columns: number;
  /** Of a, b and out; addresses of tables in the place of those of operands that are read by them. */
  readonly strides: readonly Value[];
}

function callRoutine(c: Code, routine: DotRoutine, index: number, p: (field: Field) => Value, o: Operands): void {
  const { a, b, out, scratch, rows, columns, strides } = o;
  switch (routine) {
    case "wide":
    case "low":
    case "skinny":
    case "narrow":
      c.call(index, a, b, out, scratch, rows, columns, p("k"), ...strides, p("kBlock"), p("rowsScratch"), p("flags"));
      return;
    case "matrixVector":
      c.call(index, a, b, out, rows, p("k"), p("aRow"), p("outRow"));
      return;
    case "vectorMatrix":
      c.call(index, a, b, out, columns, p("k"), p("aCol"), p("bRow"));
      return;
    case "small":
      c.call(index, a, b, out, rows, columns, p("k"), ...strides);
  }
}
