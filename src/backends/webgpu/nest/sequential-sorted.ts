import type { Dispatch, KernelCode, LaunchContext } from "../dispatch.js";
import { sortWords } from "../sort/passes.js";
import type { ScratchMemory } from "../sort/shader.js";
import { combination } from "../wgsl/operations.js";
import { gpuType } from "../wgsl/types.js";
import { onlyIf, pointCost, Threads } from "./sequential-emit.js";
import { otherAxes, pointsOf, type RowNumbers, rowNumbers, type ScatterForm } from "./sequential-form.js";

/** Updates of one element that are combined one after another, before more of them are combined by pieces. */
const PIECE = 256;
/** The key of updates that do nothing: last. */
const NOWHERE = "0xffffffffu";

/**
 * Updates sorted, stably, by where they go: those of one row of the result lie side by side and in their order. An invocation
 * at the head of each such run (and every column) combines it in order into the element.
 *
 * Runs longer than a piece are combined piece by piece, each from its first update on, and then the pieces in their order:
 * always in the same way, but for such runs the additions associate otherwise than one after another.
 */
export function scatterSorted(form: ScatterForm, memory: ScratchMemory, ctx: LaunchContext): KernelCode {
  const { kernel, when, extents, columns } = form;
  const rows = otherAxes(extents, columns);
  const rowCount = pointsOf(extents, rows);
  const numbers = rowNumbers(form);
  const cost = pointCost(form);

  const keys = memory.words(rowCount);
  const make = new Threads(kernel.buffers, ctx);
  const dispatches: Dispatch[] = [
    make.finish(
      `${kernel.name}: where updates go`,
      rowCount,
      { flops: rowCount * cost.flops, loadBytes: 4 * rowCount * cost.loads, storeBytes: 4 * rowCount },
      () => {
        const { code, module } = make;
        make.coordinates("id", rows, extents);
        const values = make.values();
        values.plan([numbers.number, ...(when ? [when] : [])]);
        code.line(`var key = ${NOWHERE};`);
        onlyIf(code, when && values.expr(when), () => code.line(`key = u32(${values.index(numbers.number)});`));
        code.line(`${module.scratch(keys.scratch, "u32", "read_write")}[id] = key;`);
      },
    ),
  ];
  const sorted = { words: memory.words(rowCount), order: memory.words(rowCount) };
  dispatches.push(...sortWords(`${kernel.name}: sort`, rowCount, keys, sorted, memory, ctx));

  const runs = new Runs(form, numbers, rows, sorted.words.scratch, sorted.order.scratch, ctx);
  if (form.combine === null) dispatches.push(runs.last());
  else if (rowCount <= PIECE) dispatches.push(runs.combine(undefined));
  else {
    const pieces = 2 * Math.ceil(rowCount / PIECE) * pointsOf(extents, columns);
    const partial = memory.words(pieces).scratch;
    dispatches.push(runs.combine(partial), runs.join(partial));
  }
  return { dispatches, scratch: memory.bytes };
}

/** The dispatches over sorted updates. Positions in the sorted order are `t`, numbers of columns `column`. */
class Runs {
  private readonly rowCount: number;
  private readonly columnCount: number;

  constructor(
    private readonly form: ScatterForm,
    private readonly numbers: RowNumbers,
    private readonly rows: readonly number[],
    private readonly keys: number,
    private readonly order: number,
    private readonly ctx: LaunchContext,
  ) {
    this.rowCount = pointsOf(form.extents, rows);
    this.columnCount = pointsOf(form.extents, form.columns);
  }

  private start(unit: string): Threads {
    const threads = new Threads(this.form.kernel.buffers, this.ctx);
    const { columnCount, form } = this;
    threads.code.line(`let ${unit} = ${columnCount === 1 ? "id" : `id / ${columnCount}`};`);
    if (columnCount > 1) threads.code.line(`let column = id % ${columnCount};`);
    threads.coordinates("column", form.columns, form.extents);
    return threads;
  }
  /** The sorted key at a position. */
  private key(threads: Threads, at: string): string {
    return `${threads.module.scratch(this.keys, "u32", "read")}[${at}]`;
  }
  /** The value of the update at a sorted position. */
  private value(threads: Threads, at: string, name: string): string {
    threads.code.line(`let ${name} = i32(${threads.module.scratch(this.order, "u32", "read")}[${at}]);`);
    threads.coordinates(name, this.rows, this.form.extents);
    return threads.values().expr(this.form.value);
  }
  /** Names the element that updates with key `key` go to. */
  private place(threads: Threads, name: string): void {
    const { stride, columns } = this.numbers;
    const row = stride === 1 ? "i32(key)" : `i32(key) * ${stride}`;
    threads.code.line(`let ${name} = ${row} + ${threads.values().index(columns)};`);
  }
  private partial(threads: Threads, scratch: number, piece: string): string {
    const type = gpuType(this.form.kernel.buffers[this.form.buffer]!.type);
    const array = threads.module.scratch(scratch, type === "bool" ? "u32" : type, "read_write");
    return this.columnCount === 1 ? `${array}[${piece}]` : `${array}[(${piece}) * ${this.columnCount} + column]`;
  }

  /** Sets elements to the last update of each run. */
  last(): Dispatch {
    const { form, rowCount } = this;
    const threads = this.start("t");
    const { code, module } = threads;
    return this.finish(threads, "set by runs", rowCount, () => {
      code.line(`let key = ${this.key(threads, "t")};`);
      const isLast = `(t == ${rowCount - 1} || ${this.key(threads, `min(t + 1, ${rowCount - 1})`)} != key)`;
      code.block(`if (key != ${NOWHERE} && ${isLast})`, () => {
        this.place(threads, "at");
        code.line(module.store(form.buffer, "at", this.value(threads, "t", "update")));
      });
    });
  }

  /** Combines runs, or the pieces of long ones, which go to `partial`. */
  combine(partial: number | undefined): Dispatch {
    const { form, rowCount } = this;
    const threads = this.start("t");
    const { code, module } = threads;
    const { type } = form.kernel.buffers[form.buffer]!;
    const combine = form.combine!;
    return this.finish(threads, "combine runs", rowCount, () => {
      code.line(`let key = ${this.key(threads, "t")};`);
      code.line(`let head = t == 0 || ${this.key(threads, "max(t - 1, 0)")} != key;`);
      code.line("var begins = head;");
      if (partial !== undefined) {
        code.block(`if (!head && t >= ${PIECE} && ${this.key(threads, `max(t - ${PIECE}, 0)`)} == key)`, () => {
          this.findHead(threads, "t");
          code.line(`begins = (t - lo) % ${PIECE} == 0;`);
        });
      }
      code.block(`if (begins && key != ${NOWHERE})`, () => {
        this.place(threads, "at");
        code.line(`let end = min(t + ${PIECE}, ${rowCount});`);
        code.line(`var sum: ${gpuType(type)};`);
        code.line("var next = t;");
        code.block("if (head)", () => code.line(`sum = ${module.load(form.buffer, "at")};`));
        if (partial !== undefined)
          code.block("else", () => {
            code.line(`sum = ${this.value(threads, "t", "first")};`);
            code.line("next = t + 1;");
          });
        code.block("while (next < end)", () => {
          code.line(`if (${this.key(threads, "next")} != key) { break; }`);
          const v = this.value(threads, "next", "update");
          code.line(`sum = ${combination(module, combine, type, "sum", v)};`);
          code.line("next++;");
        });
        if (partial === undefined) {
          code.line(module.store(form.buffer, "at", "sum"));
          return;
        }
        const goesOn = `next == t + ${PIECE} && next < ${rowCount}`;
        code.line(`let more = ${goesOn} && ${this.key(threads, `min(next, ${rowCount - 1})`)} == key;`);
        code.block("if (head && !more)", () => code.line(module.store(form.buffer, "at", "sum")));
        code.block("else", () =>
          code.line(`${this.partial(threads, partial, `2 * (t / ${PIECE}) + select(0, 1, head)`)} = sum;`),
        );
      });
    });
  }

  /** Joins the pieces of long runs: in a stretch of positions as long as a piece, one long run at most has its head. */
  join(partial: number): Dispatch {
    const { form, rowCount } = this;
    const stretches = Math.ceil(rowCount / PIECE);
    const threads = this.start("stretch");
    const { code, module } = threads;
    const { type } = form.kernel.buffers[form.buffer]!;
    return this.finish(threads, "join pieces", stretches, () => {
      code.line(`let last = min(stretch * ${PIECE} + ${PIECE - 1}, ${rowCount - 1});`);
      code.line(`let key = ${this.key(threads, "last")};`);
      this.findHead(threads, "last");
      code.line(`var next = lo + ${PIECE};`);
      const isLong = `next < ${rowCount} && ${this.key(threads, `min(next, ${rowCount - 1})`)} == key`;
      code.block(`if (key != ${NOWHERE} && lo >= stretch * ${PIECE} && ${isLong})`, () => {
        code.line(`var sum = ${this.partial(threads, partial, "2 * stretch + 1")};`);
        code.block(`while (next < ${rowCount})`, () => {
          code.line(`if (${this.key(threads, "next")} != key) { break; }`);
          const piece = this.partial(threads, partial, `2 * (next / ${PIECE})`);
          code.line(`sum = ${combination(module, form.combine!, type, "sum", piece)};`);
          code.line(`next += ${PIECE};`);
        });
        this.place(threads, "at");
        code.line(module.store(form.buffer, "at", "sum"));
      });
    });
  }

  /** Finds `lo`, the first position with the key `key`, which is at `from` too. */
  private findHead(threads: Threads, from: string): void {
    const { code } = threads;
    code.line("var lo = 0;");
    code.line(`var hi = ${from};`);
    code.block("while (lo < hi)", () => {
      code.line("let middle = (lo + hi) >> 1u;");
      code.line(`if (${this.key(threads, "middle")} < key) { lo = middle + 1; } else { hi = middle; }`);
    });
  }

  private finish(threads: Threads, label: string, units: number, body: () => void): Dispatch {
    const { form, columnCount } = this;
    const count = units * columnCount;
    const cost = pointCost(form);
    const points = this.rowCount * columnCount;
    return threads.finish(
      `${form.kernel.name}: ${label}`,
      count,
      { flops: points * cost.flops, loadBytes: 4 * (points * (cost.loads + 2) + 3 * count), storeBytes: 4 * count },
      body,
    );
  }
}
