import type { KernelCode, LaunchContext } from "../dispatch.js";
import { combination } from "../wgsl/operations.js";
import { onlyIf, pointCost, Threads } from "./sequential-emit.js";
import { otherAxes, pointsOf, rowNumbers, type ScatterForm } from "./sequential-form.js";

/**
 * Few rows of updates: an invocation for every one (and column) looks through the others. The first of those that meet in an
 * element combines them all, in order; where elements are set, the last does it.
 */
export function scatterPairs(form: ScatterForm, ctx: LaunchContext): KernelCode {
  const { kernel, buffer, index, value, combine, when, extents, columns } = form;
  const rows = otherAxes(extents, columns);
  const rowCount = pointsOf(extents, rows);
  const columnCount = pointsOf(extents, columns);
  const { number } = rowNumbers(form);
  const { type } = kernel.buffers[buffer]!;
  const threads = new Threads(kernel.buffers, ctx);
  const { module, code } = threads;
  const count = rowCount * columnCount;
  const cost = pointCost(form);
  const looked = (count * rowCount) / (combine === null ? 2 : 1);

  /** Whether row `other` of updates goes where this one goes; opens a block where it does. */
  const ifMeets = (body: (suffix: string) => void): void => {
    threads.coordinates("other", rows, extents, "o");
    const there = threads.values("o");
    there.plan([number, ...(when ? [when] : [])]);
    onlyIf(code, when && there.expr(when), () => code.block(`if (${there.index(number)} == row)`, () => body("o")));
  };

  const dispatch = threads.finish(
    `${kernel.name}: pairs`,
    count,
    { flops: looked * cost.flops, loadBytes: 4 * looked * cost.loads, storeBytes: 4 * count },
    () => {
      code.line(`let mine = ${columnCount === 1 ? "id" : `id / ${columnCount}`};`);
      if (columnCount > 1) code.line(`let column = id % ${columnCount};`);
      threads.coordinates("column", columns, extents);
      // The same columns, for what is read of other rows.
      for (const k of columns) code.line(`let a${k}o = a${k};`);
      threads.coordinates("mine", rows, extents);
      const here = threads.values();
      here.plan([index, ...(when ? [when] : [])]);
      onlyIf(code, when && here.expr(when), () => {
        code.line(`let row = ${here.index(number)};`);
        code.line("var decides = true;");
        const others = combine === null ? `var other = mine + 1; other < ${rowCount}` : "var other = 0; other < mine";
        code.block(`for (${others}; other++)`, () =>
          ifMeets(() => {
            code.line("decides = false;");
            code.line("break;");
          }),
        );
        code.block("if (decides)", () => {
          const at = here.index(index);
          if (combine === null) {
            code.line(module.store(buffer, at, here.expr(value)));
            return;
          }
          code.line(`var sum = ${combination(module, combine, type, module.load(buffer, at), here.expr(value))};`);
          code.block(`for (var other = mine + 1; other < ${rowCount}; other++)`, () =>
            ifMeets((suffix) => {
              const v = threads.values(suffix).expr(value);
              code.line(`sum = ${combination(module, combine, type, "sum", v)};`);
            }),
          );
          code.line(module.store(buffer, at, "sum"));
        });
      });
    },
  );
  return { dispatches: [dispatch], scratch: [] };
}
