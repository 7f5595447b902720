import { InternalError } from "../../../core/errors.js";
import type { BufferArg, SortKernel } from "../../../kernel-ir/kernel.js";
import type { Dispatch, KernelCode, LaunchContext } from "../dispatch.js";
import { Passes } from "./passes.js";
import type { RecordSink, RecordSource, SortShape } from "./records.js";
import { arg, countPlaces, indent, type Place, samePlace, ScratchMemory, storageOf, WordShader } from "./shader.js";

/**
 * Sorts of a GPU.
 *
 * A record is a key, mapped to an unsigned word of the same order, and the element's position in its row; sorting records
 * gives, row by row, the order of the positions. Several keys are sorted by one after another, the last first. Then the
 * elements of all operands are fetched by their positions, in the very dispatch that ends the sort where its bindings suffice.
 */
export function lowerSort(kernel: SortKernel, ctx: LaunchContext): KernelCode {
  const { operands, numKeys, outer, n, inner } = kernel;
  const shape: SortShape = { rows: outer * inner, n, interleaved: inner > 1 };
  if (shape.rows * kernel.count === 0) return { dispatches: [], scratch: [] };
  const scratch = new ScratchMemory();
  const dispatches: Dispatch[] = [];
  const sources = Array.from({ length: operands }, (_, c) => arg(c));
  const results = Array.from({ length: operands }, (_, c) => arg(operands + c));
  const fetch = (c: number): Fetch => ({ from: sources[c]!, to: results[c]! });
  const everything = Array.from({ length: operands }, (_, c) => fetch(c));

  let order: Place | undefined;
  for (let key = numKeys - 1; key >= 0; key--) {
    const label = `${kernel.name}: key ${key}`;
    const source = keyOf(kernel, key, order);
    const whole = key === 0 && !overlaps(everything, ctx) ? everything : undefined;
    const sort = new Passes(label, shape, source, scratch, ctx);
    if (whole !== undefined && sort.hasRoomFor(fetched(kernel, whole))) {
      dispatches.push(...sort.run(fetched(kernel, whole)));
      return { dispatches, scratch: scratch.bytes };
    }
    const next = scratch.words(shape.rows * n);
    dispatches.push(...sort.run(numbersTo(next, n)));
    order = next;
  }
  if (order === undefined) throw new InternalError(`kernel ${kernel.name}: a sort needs a key`);
  dispatches.push(...fetchAll(kernel, order, everything, scratch, ctx));
  return { dispatches, scratch: scratch.bytes };
}

/** An operand and where its elements go. */
interface Fetch {
  readonly from: Place;
  readonly to: Place;
}

/** Whether a result lies where an operand is: nothing may be written before all is read. */
function overlaps(fetches: readonly Fetch[], ctx: LaunchContext): boolean {
  const read = fetches.map((f) => storageOf(f.from, ctx));
  return fetches.some((f) => read.some((p) => samePlace(p, storageOf(f.to, ctx))));
}

/** Where element i of a row lies in an operand, or in a result, whose rows have `count` elements. */
function elementAt({ inner }: SortKernel, row: string, i: string, n: number): string {
  if (inner === 1) return `${row} * ${n} + ${i}`;
  return `(${row} / ${inner}) * ${n * inner} + ${row} % ${inner} + ${i} * ${inner}`;
}

const orderHelpers: Readonly<Record<BufferArg["type"], { readonly name: string; readonly text: string } | undefined>> =
  {
    f32: {
      name: "order_f32",
      text: `fn order_f32(bits: u32) -> u32 {
  let magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) { return 0xffffffffu; }
  if (magnitude == 0u) { return 0x80000000u; }
  return select(bits ^ 0x80000000u, ~bits, bits >= 0x80000000u);
}`,
    },
    i32: { name: "order_i32", text: "fn order_i32(bits: u32) -> u32 { return bits ^ 0x80000000u; }" },
    bool: { name: "order_bool", text: "fn order_bool(bits: u32) -> u32 { return select(1u, 0u, bits == 0u); }" },
    u32: { name: "order_u32", text: "fn order_u32(bits: u32) -> u32 { return bits; }" },
    f64: undefined,
  };

/** Records of one key: in the order of the row, or in an order found before. */
function keyOf(kernel: SortKernel, key: number, order: Place | undefined): RecordSource {
  const helper = orderHelpers[kernel.buffers[key]!.type];
  if (helper === undefined) throw new InternalError(`kernel ${kernel.name}: there is no float64 on a GPU`);
  return {
    words: order === undefined ? 1 : 2,
    places: order === undefined ? [arg(key)] : [arg(key), order],
    read(shader, row, i) {
      shader.declare(helper.text);
      const position = order === undefined ? `u32(${i})` : shader.load(order, `${row} * ${kernel.n} + ${i}`);
      const word = shader.load(arg(key), elementAt(kernel, row, "i32(position)", kernel.n));
      const turn = kernel.descending ? "~" : "";
      return { setup: `let position = ${position};\n`, key: `${turn}${helper.name}(${word})`, number: "position" };
    },
  };
}

const numbersTo = (numbers: Place, n: number): RecordSink => ({
  reads: 0,
  writes: 1,
  places: [numbers],
  write: (shader, row, i, _, number) => shader.store(numbers, `${row} * ${n} + ${i}`, number),
});

/** Puts the elements of operands where their records came to lie. */
const fetched = (kernel: SortKernel, fetches: readonly Fetch[]): RecordSink => ({
  reads: fetches.length,
  writes: fetches.length,
  places: fetches.flatMap((f) => [f.from, f.to]),
  write(shader, row, i, _, number) {
    const lines = fetches.map(({ from, to }) =>
      shader.store(to, "to", shader.load(from, elementAt(kernel, row, "position", kernel.n))),
    );
    const text = `let position = i32(${number});\nlet to = ${elementAt(kernel, row, i, kernel.count)};\n${lines.join("\n")}`;
    return kernel.count < kernel.n ? `if (${i} < ${kernel.count}) {\n${indent(text)}\n}` : text;
  },
});

/** Fetches all operands by the order of their positions, as many in a dispatch as its bindings allow. */
function fetchAll(
  kernel: SortKernel,
  order: Place,
  fetches: readonly Fetch[],
  scratch: ScratchMemory,
  ctx: LaunchContext,
): Dispatch[] {
  const { n, outer, inner, count } = kernel;
  const words = outer * count * inner;
  const most = ctx.limits.maxStorageBuffersPerShaderStage;
  const dispatches: Dispatch[] = [];
  const each = (label: string, some: readonly Fetch[], body: (shader: WordShader) => string, reads: number): void => {
    const shader = new WordShader(ctx);
    const text = `let id = group * ${THREADS} + t;\nif (id < ${words}) {\n${body(shader)}\n}`;
    const bytes = 4 * words;
    dispatches.push(
      shader.finish(`${kernel.name}: ${label}`, Math.ceil(words / THREADS), THREADS, text, {
        flops: 0,
        loadBytes: bytes * reads,
        storeBytes: bytes * some.length,
        workgroupBytes: 0,
      }),
    );
  };
  // Where a result lies over an operand, all is fetched before anything is put there.
  const apart = overlaps(fetches, ctx);
  const first = apart ? fetches.map((f) => ({ from: f.from, to: scratch.words(words) })) : fetches;
  for (const some of chunks(
    first,
    (list) => countPlaces([order, ...list.flatMap((f) => [f.from, f.to])], ctx) <= most,
  )) {
    const text = (shader: WordShader): string => {
      const end = fetched(kernel, some);
      const row = inner === 1 ? `id / ${count}` : `(id / ${count * inner}) * ${inner} + id % ${inner}`;
      const i = inner === 1 ? `id % ${count}` : `(id / ${inner}) % ${count}`;
      const number = shader.load(order, `row * ${n} + i`);
      return `let row = ${row};\nlet i = ${i};\n${end.write(shader, "row", "i", "0u", number)}`;
    };
    each("fetch", some, text, 1 + some.length);
  }
  if (!apart) return dispatches;
  const back = fetches.map((f, c) => ({ from: first[c]!.to, to: f.to }));
  for (const some of chunks(back, (list) => 2 * list.length <= most)) {
    const text = (shader: WordShader): string =>
      some.map(({ from, to }) => shader.store(to, "id", shader.load(from, "id"))).join("\n");
    each("put back", some, text, some.length);
  }
  return dispatches;
}

const THREADS = 64;

/** Cuts a list into runs that fit, each as long as can be. */
function chunks<T>(list: readonly T[], fits: (some: readonly T[]) => boolean): T[][] {
  const out: T[][] = [];
  for (const x of list) {
    const last = out.at(-1);
    if (last !== undefined && fits([...last, x])) last.push(x);
    else out.push([x]);
  }
  return out;
}
