import type { TypedArray } from "../../core/dtype.js";
import { DeviceError, invariant } from "../../core/errors.js";
import type { DeviceBuffer } from "../../kernel-ir/backend.js";

/** A block of the heap. Its address is an unsigned byte address, a multiple of 16. */
export class WasmBuffer implements DeviceBuffer {
  live = true;
  constructor(
    readonly bytes: number,
    readonly address: number,
    /** Bytes of the block, slack included. */
    readonly size: number,
  ) {}
}

const PAGE = 65536;
const MAX_PAGES = 65536;
/** Readable bytes behind every block: vectors may be loaded from its last element on. */
const SLACK = 16;
/** Blocks up to this size come from spans of equal blocks; larger ones are runs of units that coalesce. */
const SMALL = 32768;
const SPAN = 262144;
const UNIT = 4096;
/** Bytes at the heap's beginning for the arguments of running programs. */
const ARGUMENTS = 65536;

/**
 * One WebAssembly memory and its allocator.
 *
 * Freed blocks are handed out again last in, first out, by size: their pages are touched and their lines warm. Small sizes
 * are rounded to classes an eighth apart. Large blocks are merged with their free neighbours only when no block of the wanted
 * size is at hand; the memory grows when merging does not help.
 */
export class WasmHeap {
  readonly memory: WebAssembly.Memory;
  f32!: Float32Array;
  f64!: Float64Array;
  i32!: Int32Array;
  u32!: Uint32Array;
  allocatedBytes = 0;

  /** Blocks free for use as they are, by size. */
  private readonly quick = new Map<number, number[]>();
  /** Free runs of units by address, disjoint and not adjacent, sorted. */
  private runs: { address: number; size: number }[] = [];
  /** Large blocks in `quick`. */
  private cachedLarge = 0;
  /** First byte that was never handed out. */
  private top = ARGUMENTS;
  /** The span that the next block of a class is cut from. */
  private readonly spans = new Map<number, { next: number; end: number }>();
  private argumentTop = 64;

  constructor(
    initialPages = 64,
    private readonly maximumPages = MAX_PAGES,
  ) {
    this.memory = new WebAssembly.Memory({ initial: initialPages, maximum: maximumPages });
    this.refresh();
  }

  get heapBytes(): number {
    return this.memory.buffer.byteLength;
  }

  /** @throws DeviceError `out-of-memory`. */
  allocate(bytes: number): WasmBuffer {
    const size = blockSize(bytes + SLACK);
    const address = this.quick.get(size)?.pop();
    let at: number;
    if (address === undefined) at = size <= SMALL ? this.fromSpan(size) : this.allocateLarge(size);
    else {
      at = address;
      if (size > SMALL) this.cachedLarge--;
    }
    this.allocatedBytes += size;
    return new WasmBuffer(bytes, at, size);
  }

  free(buffer: WasmBuffer): void {
    invariant(buffer.live, "a block of the heap was freed twice");
    buffer.live = false;
    this.allocatedBytes -= buffer.size;
    if (buffer.size > SMALL) this.cachedLarge++;
    const list = this.quick.get(buffer.size);
    if (list) list.push(buffer.address);
    else this.quick.set(buffer.size, [buffer.address]);
  }

  write(buffer: WasmBuffer, data: TypedArray): void {
    const at = buffer.address;
    if (data instanceof Float32Array) this.f32.set(data, at / 4);
    else if (data instanceof Float64Array) this.f64.set(data, at / 8);
    else if (data instanceof Int32Array) this.i32.set(data, at / 4);
    else this.u32.set(data, at / 4);
  }

  read(buffer: WasmBuffer, into: TypedArray): void {
    const at = buffer.address;
    const n = into.length;
    if (into instanceof Float64Array) {
      into.set(this.f64.subarray(at / 8, at / 8 + n));
      return;
    }
    const view = into instanceof Float32Array ? this.f32 : into instanceof Int32Array ? this.i32 : this.u32;
    if (n > 8) into.set(view.subarray(at / 4, at / 4 + n));
    else for (let i = 0; i < n; i++) into[i] = view[at / 4 + i]!;
  }

  /** Takes bytes for the arguments of a call, until they are given back in reverse order; undefined: there is no room. */
  pushArguments(bytes: number): number | undefined {
    const at = this.argumentTop;
    if (at + bytes > ARGUMENTS) return undefined;
    this.argumentTop = at + bytes;
    return at;
  }
  popArguments(at: number): void {
    this.argumentTop = at;
  }

  private fromSpan(size: number): number {
    let span = this.spans.get(size);
    if (!span || span.next + size > span.end) {
      const bytes = blockSize(size <= 1024 ? SPAN / 4 : SPAN);
      const address = this.quick.get(bytes)?.pop();
      if (address !== undefined) this.cachedLarge--;
      const next = address ?? this.allocateLarge(bytes);
      span = { next, end: next + bytes };
      this.spans.set(size, span);
    }
    const at = span.next;
    span.next += size;
    return at;
  }

  private allocateLarge(size: number): number {
    return (
      this.bestFit(size) ?? (this.cachedLarge > 0 && this.merge() ? this.bestFit(size) : undefined) ?? this.extend(size)
    );
  }

  private bestFit(size: number): number | undefined {
    let best = -1;
    for (let k = 0; k < this.runs.length; k++) {
      const run = this.runs[k]!;
      if (run.size >= size && (best < 0 || run.size < this.runs[best]!.size)) best = k;
    }
    if (best < 0) return undefined;
    const run = this.runs[best]!;
    const { address } = run;
    if (run.size === size) this.runs.splice(best, 1);
    else {
      run.address += size;
      run.size -= size;
    }
    return address;
  }

  /** Makes runs of the cached large blocks, and of runs that touch one run. */
  private merge(): true {
    const all = this.runs;
    for (const [size, list] of this.quick) {
      if (size <= SMALL) continue;
      for (const address of list) all.push({ address, size });
      this.quick.delete(size);
    }
    this.cachedLarge = 0;
    all.sort((a, b) => a.address - b.address);
    const merged: typeof all = [];
    for (const run of all) {
      const last = merged[merged.length - 1];
      if (last && last.address + last.size === run.address) last.size += run.size;
      else merged.push(run);
    }
    const last = merged[merged.length - 1];
    if (last && last.address + last.size === this.top) {
      this.top = last.address;
      merged.pop();
    }
    this.runs = merged;
    return true;
  }

  /** Takes bytes from behind everything, growing the memory if need be. */
  private extend(size: number): number {
    const address = this.top;
    const end = address + size;
    if (end > this.heapBytes) this.grow(end);
    this.top = end;
    return address;
  }

  private grow(end: number): void {
    const have = this.heapBytes / PAGE;
    const need = Math.ceil(end / PAGE) - have;
    const ample = Math.min(Math.max(need, Math.min(have >> 1, 4096)), this.maximumPages - have);
    for (const pages of [ample, need]) {
      if (pages < need) continue;
      try {
        this.memory.grow(pages);
        this.refresh();
        return;
      } catch (e) {
        if (!(e instanceof RangeError)) throw e;
      }
    }
    throw new DeviceError({
      code: "out-of-memory",
      message: `the WebAssembly heap cannot grow to ${end} bytes`,
      details: [
        ["heap", `${this.heapBytes} bytes`],
        ["in use", `${this.allocatedBytes} bytes`],
        ["limit", `${this.maximumPages * PAGE} bytes`],
      ],
      hint: "compute in smaller batches, or give arrays up early with dispose() or donateArgnums",
    });
  }

  /** Growing detaches all views. */
  private refresh(): void {
    const { buffer } = this.memory;
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
  }
}

/** The size of the block that `bytes` are put in. */
function blockSize(bytes: number): number {
  if (bytes <= 128) return (bytes + 15) & ~15;
  if (bytes <= SMALL) {
    // eight classes between two powers of two
    const step = 2 ** (28 - Math.clz32(bytes - 1));
    return Math.ceil(bytes / step) * step;
  }
  return Math.ceil(bytes / UNIT) * UNIT;
}
