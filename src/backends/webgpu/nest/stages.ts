import { InternalError } from "../../../core/errors.js";
import type { NestKernel, Statement } from "../../../kernel-ir/kernel.js";
import { combination } from "../wgsl/operations.js";
import { bare, gpuType, typeName } from "../wgsl/types.js";
import type { Dispatch, KernelCode, LaunchContext } from "../dispatch.js";
import type { KeepPlace } from "./keeps.js";
import { openRow } from "./open-row.js";
import { hasHazard } from "./order.js";
import { emitStatements, noWork } from "./points.js";
import { RowBuffers } from "./row-buffers.js";
import { scanTiles } from "./scan.js";
import type { Mapping } from "./schedule.js";
import { Shader } from "./shader.js";
import { type Part, Slices } from "./slices.js";
import { startOf } from "./slots.js";
import { forEachNode, rootsOf } from "./touches.js";
import { setSlot, slotsOf, Walk } from "./walk.js";

/** Chunks whose results one invocation combines by itself. */
const FEW = 16;

/**
 * The dispatches of a nest. Rows that are whole take one, with all phases. Rows cut into chunks take one for every phase and
 * often one more: each workgroup leaves what its chunk gives for each slot in scratch memory; the dispatches after it combine
 * these when they begin, each workgroup for itself, and one chunk of the row does what comes after the phase.
 */
export class Stages {
  private readonly rows: number;
  /** Words of scratch memory before the partial results of a slot. */
  private readonly partials = new Map<number, number>();
  private scratchWords = 0;

  constructor(
    private readonly kernel: NestKernel,
    private readonly mapping: Mapping,
    private readonly keeps: KeepPlace,
    private readonly launch: LaunchContext,
  ) {
    this.rows = kernel.parallel.reduce((a, b) => a * b, 1);
    if (mapping.chunks > 1) {
      for (const slot of kernel.phases.flatMap(({ body }) => slotsOf(body))) {
        this.partials.set(slot, this.scratchWords);
        this.scratchWords += this.rows * mapping.chunks;
      }
    }
  }

  code(): KernelCode {
    const { kernel, mapping } = this;
    if (this.rows === 0) return { dispatches: [], scratch: [] };
    const isScan = kernel.slots.some((s) => s.running);
    const dispatches = mapping.chunks === 1 ? [this.whole()] : isScan ? this.scanned() : this.chunked();
    const bytes = 4 * this.scratchWords;
    if (bytes > this.launch.limits.maxStorageBufferBindingSize)
      throw new InternalError(`kernel ${kernel.name} needs ${bytes} bytes of scratch memory`);
    return { dispatches, scratch: bytes > 0 ? [bytes] : [] };
  }

  /** All phases of all rows. */
  private whole(): Dispatch {
    const { kernel, mapping, launch } = this;
    const isScan = mapping.scan;
    const hazard = mapping.slice > 1 && hasHazard(kernel, launch.sameAs);
    return this.dispatch(
      isScan ? "scan" : kernel.reduced.length === 0 ? "" : mapping.layout,
      kernel,
      mapping,
      1,
      (s) => {
        kernel.phases.forEach(({ body, after }, p) => {
          if (hazard && p > 0) s.shader.code.line("storageBarrier();");
          this.finishSlots(s, isScan ? scanTiles(s, body, new Map()) : s.walk(body).emit());
          if (hazard && after.length > 0) s.shader.code.line("storageBarrier();");
          this.after(s, after, false);
        });
      },
    );
  }

  /**
   * Combines over slices what the invocations of a phase have found. `whole`: it is all of the row. Running slots that were
   * scanned are whole in every invocation.
   */
  private finishSlots({ shader, slices }: Stage, found: ReadonlyMap<number, Part>, whole = true): void {
    const { slots } = shader.kernel;
    const isScanned = (slot: number): boolean => slots[slot]!.running && shader.mapping.scan;
    const parts = [...found].filter(([slot]) => !isScanned(slot));
    const combined = slices.combine(parts.map(([, part]) => part));
    parts.forEach(([slot, part], k) => setSlot(shader, slot, part, combined[k]!, slots[slot]!.running || !whole));
    for (const [slot, part] of found) if (isScanned(slot)) setSlot(shader, slot, part, part.value, true);
  }

  /** What comes after a phase: done once a row, by its first invocation (of its first chunk). */
  private after(s: Stage, after: readonly Statement[], isChunk: boolean): void {
    const { shader } = s;
    if (after.length === 0) return;
    const conditions = [
      ...(shader.mapping.slice > 1 ? ["lane == 0"] : []),
      ...(isChunk ? ["chunk == 0"] : []),
      ...(shader.mayBeIdle ? ["inside"] : []),
    ];
    shader.branch(conditions, () => {
      shader.times = shader.rows;
      emitStatements(shader, after, noWork, shader.rowLanes);
    });
  }

  private chunked(): Dispatch[] {
    const { kernel, mapping } = this;
    const dispatches: Dispatch[] = [];
    let afters: Statement[] = [];
    kernel.phases.forEach(({ body, after }, p) => {
      if (body.length > 0) {
        const before = afters;
        dispatches.push(
          this.dispatch(`chunks of phase ${p}`, kernel, mapping, mapping.chunks, (s) => {
            this.combinePartials(s, slotsRead([...before, ...body], slotsOf(body)));
            this.after(s, before, true);
            this.finishSlots(s, s.walk(body).emit(), false);
            this.storePartials(s, slotsOf(body));
          }),
        );
        afters = [];
      }
      afters = [...afters, ...after];
    });
    if (afters.length > 0) dispatches.push(this.last(afters));
    return dispatches;
  }

  /** What comes after the last phase of rows in chunks. */
  private last(afters: readonly Statement[]): Dispatch {
    return this.dispatch("after chunks", this.kernel, this.mapping, 1, (s) => {
      this.combinePartials(s, slotsRead(afters, []));
      this.after(s, afters, false);
    });
  }

  /** Reduce, then scan: what each chunk gives in all, then each chunk from what those before it give. */
  private scanned(): Dispatch[] {
    const { kernel, mapping } = this;
    const { body, after } = kernel.phases[0]!;
    const totals: NestKernel = { ...kernel, slots: kernel.slots.map((s) => ({ ...s, running: false })) };
    const sums = body.filter((s) => s.kind === "accumulate");
    const isWide = mapping.layout === "rows" || kernel.reduced.at(-1)! % 4 === 0;
    const plain: Mapping = {
      ...mapping,
      scan: false,
      ...(isWide ? {} : { lanes: 1, fours: new Set<number>() }),
    };
    const first = this.dispatch("totals of chunks", totals, plain, mapping.chunks, (s) => {
      this.finishSlots(s, s.walk(sums).emit(), false);
      this.storePartials(s, slotsOf(sums));
    });
    const second = this.dispatch("scan of chunks", kernel, mapping, mapping.chunks, (s) => {
      const running = slotsOf(body).filter((k) => kernel.slots[k]!.running);
      this.combinePartials(s, running, "chunk");
      const carries = new Map(running.map((k) => [k, s.shader.slots.get(k)!.text]));
      for (const k of running) s.shader.slots.delete(k);
      if (mapping.scan) scanTiles(s, body, carries);
      else s.walk(body, carries).emit();
    });
    return after.length > 0 ? [first, second, this.last(after)] : [first, second];
  }

  /** Where the partial results of a slot lie, of a row (or of each of four) and a chunk. */
  private partialsAt(s: Stage, slot: number, chunk: string): string[] {
    const { layout, chunks } = this.mapping;
    const base = this.partials.get(slot)!;
    return Array.from({ length: s.shader.rowLanes }, (_, lane) => {
      const row = s.shader.rowLanes === 4 ? `(row * 4 + ${lane})` : "row";
      return `${base} + ${layout === "rows" ? `${chunk} * ${this.rows} + ${row}` : `${row} * ${chunks} + ${chunk}`}`;
    });
  }

  private storePartials(s: Stage, slots: readonly number[]): void {
    const { shader } = s;
    const conditions = [...(this.mapping.slice > 1 ? ["lane == 0"] : []), ...(shader.mayBeIdle ? ["inside"] : [])];
    shader.branch(conditions, () => {
      shader.times = shader.rows * this.mapping.chunks;
      for (const slot of slots) {
        const { text, lanes } = shader.slots.get(slot)!;
        this.partialsAt(s, slot, "chunk").forEach((at, lane) =>
          shader.storeScratch(this.kernel.slots[slot]!.type, at, lanes === 1 ? text : `${text}.${"xyzw"[lane]!}`),
        );
      }
    });
  }

  /** Makes slots of what the chunks (before `upTo`) have left. */
  private combinePartials(s: Stage, slots: readonly number[], upTo = `${this.mapping.chunks}`): void {
    if (slots.length === 0) return;
    const { shader } = s;
    const { rowLanes: lanes } = shader;
    // Few of them are read by everybody; more are shared out over the slice.
    const slice = this.mapping.chunks <= FEW ? 1 : this.mapping.slice;
    const parts = slots.map((slot): Part => {
      const { type, combine } = this.kernel.slots[slot]!;
      const start = shader.number(type, startOf(this.kernel.slots[slot]!).start, lanes);
      return { type, combine, lanes, value: shader.variable("a", type, start, lanes) };
    });
    shader.times = (shader.groups * shader.workgroup * this.mapping.chunks) / slice;
    const step = slice === 1 ? "i++" : `i += ${slice}`;
    shader.code.block(`for (var i = ${slice === 1 ? 0 : "lane"}; i < ${upTo}; ${step})`, () => {
      parts.forEach(({ type, combine, value }, k) => {
        const words = this.partialsAt(s, slots[k]!, "i").map((at) => shader.loadScratch(type, at));
        const read = lanes === 1 ? words[0]! : `${typeName(gpuType(type), 4)}(${words.join(", ")})`;
        shader.code.line(`${value} = ${bare(combination(shader.module, combine, type, value, read, lanes))};`);
      });
    });
    const combined = slice === 1 ? parts.map((p) => p.value) : s.slices.combine(parts);
    slots.forEach((slot, k) => setSlot(shader, slot, parts[k]!, combined[k]!, false));
  }

  /** Writes one dispatch: who an invocation is, then `body`. */
  private dispatch(
    role: string,
    kernel: NestKernel,
    mapping: Mapping,
    chunks: number,
    body: (s: Stage) => void,
  ): Dispatch {
    const shader = new Shader(kernel, mapping, this.keeps, this.launch, chunks);
    const buffers = new RowBuffers(shader, this.scratchWords);
    this.scratchWords += buffers.scratchWords;
    const memory = this.launch.limits.maxComputeWorkgroupStorageSize - buffers.workgroupBytes;
    const stage: Stage = {
      shader,
      slices: new Slices(shader, memory),
      walk: (list, carries) => new Walk(shader, list, buffers, carries),
    };
    openRow(shader, chunks, () => {
      buffers.declare();
      body(stage);
    });
    const dispatch = shader.finish(role === "" ? kernel.name : `${kernel.name}: ${role}`);
    const most = this.launch.limits.maxStorageBuffersPerShaderStage;
    if (dispatch.bindings.length > most) {
      throw new InternalError(
        `kernel ${kernel.name} binds ${dispatch.bindings.length} buffers, and the device has ${most}`,
      );
    }
    return dispatch;
  }
}

/** A dispatch while it is written. */
export interface Stage {
  readonly shader: Shader;
  readonly slices: Slices;
  walk(body: readonly Statement[], carries?: ReadonlyMap<number, string>): Walk;
}

/** The slots that statements read, but for those that they accumulate themselves. */
function slotsRead(list: readonly Statement[], own: readonly number[]): number[] {
  const found = new Set<number>();
  forEachNode(list.flatMap(rootsOf), (e) => {
    if (e.kind === "slot") found.add(e.slot);
  });
  return [...found].filter((k) => !own.includes(k)).sort((a, b) => a - b);
}
