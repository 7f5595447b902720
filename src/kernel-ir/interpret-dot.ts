import { InternalError } from "../core/errors.js";
import type { CheckedBuffer, PointOrder } from "./checked-memory.js";
import { ExprTape } from "./expr-tape.js";
import { digitOffset, type DotKernel, type MatrixLayout } from "./kernel.js";
import { forPoints } from "./points.js";
import { type FmaRounding, type ScalarValue, toScalar } from "./scalar-eval.js";

/** Runs a product, every element in order: sums in double, rounded once; then stores it, or what the epilogue makes of it. */
export function runDot(
  kernel: DotKernel,
  buffers: readonly CheckedBuffer[],
  order: PointOrder,
  rounding: FmaRounding,
): void {
  const [lhs, rhs] = buffers as readonly [CheckedBuffer, CheckedBuffer];
  const point = [...kernel.batch, kernel.m, kernel.n].map(() => 0);
  const axisOfRow = kernel.batch.length;
  const base = (l: MatrixLayout): number =>
    kernel.batch.reduce((sum, _, axis) => sum + point[axis]! * l.batch[axis]!, l.offset);
  const finish = finisher(kernel, buffers, point, rounding);
  forPoints([...kernel.batch, kernel.m, kernel.n], point, 0, () => {
    const l = base(kernel.lhs) + along(kernel.lhs, "rows", point[axisOfRow]!);
    const r = base(kernel.rhs) + along(kernel.rhs, "cols", point[axisOfRow + 1]!);
    order.nextRow();
    let sum = 0;
    for (let k = 0; k < kernel.k; k++)
      sum += lhs.read(l + along(kernel.lhs, "cols", k)) * rhs.read(r + along(kernel.rhs, "rows", k));
    try {
      finish(toScalar(kernel.type, sum));
    } catch (error) {
      if (!(error instanceof InternalError)) throw error;
      throw new InternalError(error.message.replace(/^internal: | \[internal\][^]*$/g, ""), [
        ["kernel", kernel.name],
        ["point", `[${point.join(", ")}]`],
      ]);
    }
  });
}

/** What a row or column number adds to an element's place. */
function along(l: MatrixLayout, which: "rows" | "cols", index: number): number {
  if (l.digits) return digitOffset(l.digits[which], index);
  return index * (which === "rows" ? l.row : l.col);
}

/** What becomes of the sum at the current point. */
function finisher(
  kernel: DotKernel,
  buffers: readonly CheckedBuffer[],
  point: readonly number[],
  rounding: FmaRounding,
): (sum: ScalarValue) => void {
  const { epilogue, out, batch } = kernel;
  if (epilogue === undefined) {
    return (sum) => {
      const place = batch.reduce((at, _, axis) => at + point[axis]! * out.batch[axis]!, out.offset);
      buffers[2]!.write(place + point[batch.length]! * out.row + point[batch.length + 1]! * out.col, sum);
    };
  }
  let current: ScalarValue = 0;
  const tape = new ExprTape(
    {
      axis: (k) => point[k]!,
      load: (buffer, index) => {
        if (buffer < 3) throw new InternalError(`an epilogue that reads buffer ${buffer}`);
        return buffers[buffer]!.read(index);
      },
      slot: (slot) => {
        if (slot !== 0) throw new InternalError(`an epilogue that reads slot ${slot}`);
        return current;
      },
      keep: () => {
        throw new InternalError("an epilogue that reads a row buffer");
      },
    },
    rounding,
  );
  const stores = epilogue.map((s) => {
    if (s.kind !== "store") throw new InternalError(`an epilogue with a statement of kind ${s.kind}`);
    const value = tape.add(s.value);
    const index = tape.index(s.index);
    const buffer = buffers[s.buffer]!;
    return () => buffer.write(index(), value());
  });
  return (sum) => {
    current = sum;
    tape.run();
    for (const store of stores) store();
  };
}
