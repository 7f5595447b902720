import type { Dispatch, KernelCode, LaunchContext } from "../dispatch.js";
import type { ScratchMemory } from "../sort/shader.js";
import { onlyIf, pointCost, Threads } from "./sequential-emit.js";
import { otherAxes, pointsOf, rowNumbers, type ScatterForm } from "./sequential-form.js";

/**
 * Where elements are set, the last update of each counts: a word for every row of the result takes the number of the last
 * update that goes there, and then only that one is written.
 */
export function scatterLast(form: ScatterForm, memory: ScratchMemory, ctx: LaunchContext): KernelCode {
  const { kernel, buffer, index, value, when, extents, columns } = form;
  const rows = otherAxes(extents, columns);
  const rowCount = pointsOf(extents, rows);
  const columnCount = pointsOf(extents, columns);
  const numbers = rowNumbers(form);
  const cost = pointCost(form);
  const scratch = memory.words(numbers.count).scratch;
  const dispatches: Dispatch[] = [];

  const clear = new Threads(kernel.buffers, ctx);
  dispatches.push(
    clear.finish(
      `${kernel.name}: forget`,
      numbers.count,
      { flops: 0, loadBytes: 0, storeBytes: 4 * numbers.count },
      () => clear.code.line(`${clear.module.scratch(scratch, "i32", "read_write")}[id] = -1;`),
    ),
  );

  const mark = new Threads(kernel.buffers, ctx);
  dispatches.push(
    mark.finish(
      `${kernel.name}: last update of each row`,
      rowCount,
      { flops: rowCount * cost.flops, loadBytes: 4 * rowCount * (cost.loads + 1), storeBytes: 4 * rowCount },
      () => {
        mark.coordinates("id", rows, extents);
        const values = mark.values();
        values.plan([numbers.number, ...(when ? [when] : [])]);
        onlyIf(mark.code, when && values.expr(when), () => {
          const last = mark.module.scratch(scratch, "atomic<i32>", "read_write");
          mark.code.line(`atomicMax(&${last}[${values.index(numbers.number)}], id);`);
        });
      },
    ),
  );

  const write = new Threads(kernel.buffers, ctx);
  const count = rowCount * columnCount;
  dispatches.push(
    write.finish(
      `${kernel.name}: set`,
      count,
      { flops: count * cost.flops, loadBytes: 4 * count * (cost.loads + 1), storeBytes: 4 * count },
      () => {
        const { module, code } = write;
        code.line(`let update = ${columnCount === 1 ? "id" : `id / ${columnCount}`};`);
        if (columnCount > 1) code.line(`let column = id % ${columnCount};`);
        write.coordinates("update", rows, extents);
        write.coordinates("column", columns, extents);
        const values = write.values();
        values.plan([numbers.number, index, ...(when ? [when] : [])]);
        onlyIf(code, when && values.expr(when), () => {
          const last = `${module.scratch(scratch, "i32", "read")}[${values.index(numbers.number)}]`;
          code.block(`if (${last} == update)`, () => {
            code.line(module.store(buffer, values.index(index), values.expr(value)));
          });
        });
      },
    ),
  );
  return { dispatches, scratch: memory.bytes };
}
