import type { Dispatch, LaunchContext } from "../dispatch.js";
import { mergeRuns, type RecordSink, type RecordSource, sortBlocks, type SortShape, sortTile } from "./records.js";
import { countPlaces, type Place, type ScratchMemory } from "./shader.js";

/** Records that passes keep between them. */
const recordsIn = (keys: Place, numbers: Place, n: number): RecordSource & RecordSink => ({
  words: 2,
  places: [keys, numbers],
  reads: 0,
  writes: 2,
  read: (shader, row, i) => ({
    setup: "",
    key: shader.load(keys, `${row} * ${n} + ${i}`),
    number: shader.load(numbers, `${row} * ${n} + ${i}`),
  }),
  write: (shader, row, i, key, number) =>
    `${shader.store(keys, `${row} * ${n} + ${i}`, key)}\n${shader.store(numbers, `${row} * ${n} + ${i}`, number)}`,
});

/** The dispatches that sort rows of records from a source. */
export class Passes {
  constructor(
    private readonly label: string,
    private readonly shape: SortShape,
    private readonly source: RecordSource,
    private readonly scratch: ScratchMemory,
    private readonly ctx: LaunchContext,
  ) {}

  /** Whether the last dispatch can bind all that it takes to put elements away. */
  hasRoomFor(end: RecordSink): boolean {
    const own = this.inOneDispatch ? this.source.places : [];
    const records = this.inOneDispatch ? 0 : 2;
    const places = countPlaces([...own, ...end.places], this.ctx);
    return places + records <= this.ctx.limits.maxStorageBuffersPerShaderStage;
  }
  private get inOneDispatch(): boolean {
    return this.shape.n <= sortTile(this.ctx.limits);
  }

  run(end: RecordSink): Dispatch[] {
    const { label, shape, source, scratch, ctx } = this;
    if (this.inOneDispatch) return [sortBlocks(label, shape, source, end, ctx)];
    const { rows, n } = shape;
    const records = (): RecordSource & RecordSink => recordsIn(scratch.words(rows * n), scratch.words(rows * n), n);
    let from = records();
    const out = [sortBlocks(`${label}, tiles`, shape, source, from, ctx)];
    let spare: (RecordSource & RecordSink) | undefined;
    for (let width = sortTile(ctx.limits); width < n; width *= 2) {
      const last = 2 * width >= n;
      const to = last ? end : (spare ??= records());
      out.push(mergeRuns(`${label}, merge ${width}`, shape, width, from, to, ctx));
      if (!last) [from, spare] = [spare!, from];
    }
    return out;
  }
}

/** The dispatches that sort the words of one row, and tell where each was. */
export function sortWords(
  label: string,
  n: number,
  words: Place,
  sorted: { readonly words: Place; readonly order: Place },
  scratch: ScratchMemory,
  ctx: LaunchContext,
): Dispatch[] {
  const source: RecordSource = {
    words: 1,
    places: [words],
    read: (shader, _, i) => ({ setup: "", key: shader.load(words, i), number: `u32(${i})` }),
  };
  const shape = { rows: 1, n, interleaved: false };
  return new Passes(label, shape, source, scratch, ctx).run(recordsIn(sorted.words, sorted.order, n));
}
