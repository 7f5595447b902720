import type { NestKernel } from "../../../kernel-ir/kernel.js";
import type { LaunchContext } from "../dispatch.js";
import { countOps, type Fours, foursAlong, strideCost } from "./fours.js";

import { hasHazard, readsOwnScan } from "./order.js";
import { coefficientOf } from "../../../kernel-ir/merge-axes.js";
import { type Touch, touchesOf } from "./touches.js";

/** What a schedule is weighed with: of a device, or made small by tests. */
export interface Tuning {
  /** Invocations of a workgroup. */
  readonly workgroup: number;
  /** Invocations that keep a device busy. */
  readonly busy: number;
  /** Rows of at most so many points are the work of one invocation. */
  readonly shortRow: number;
  /** Steps that an invocation walks along its row before the row is cut into chunks. */
  readonly longWalk: number;
  /** Steps that are left to it then, at least. */
  readonly shortWalk: number;
  /** Points of a kernel from which on invocations take four at a time. */
  readonly fourPoints: number;
}

export const defaultTuning: Tuning = {
  workgroup: 256,
  busy: 32_768,
  shortRow: 16,
  longWalk: 32,
  shortWalk: 8,
  fourPoints: 1024,
};

/**
 * Who does what. A workgroup has `group` rows (or fours of rows), each of `slice` invocations; neighbouring invocations are
 * neighbouring rows (layout "rows") or neighbouring points of a row (layout "points").
 */
export interface Mapping {
  readonly layout: "rows" | "points";
  readonly slice: number;
  readonly group: number;
  /** What an invocation has at a time: rows next to each other (layout "rows"), or points of its row (layout "points"). */
  readonly lanes: 1 | 4;
  /** Storage, named by its first argument, that is accessed in fours along the lanes. */
  readonly fours: ReadonlySet<number>;
  /** Pieces of a row, each the work of another workgroup; what they find is combined through scratch memory. */
  readonly chunks: number;
  /** Points of a chunk (of the last one: at most). */
  readonly chunkPoints: number;
  /** The slice scans its row tile by tile. */
  readonly scan: boolean;
  /** Workgroups are tiles of the two parallel axes `axis` and the last, not runs of rows. */
  readonly tile?: Tile;
}

/** Points of a workgroup along an axis and along the last one. */
export interface Tile {
  readonly axis: number;
  readonly height: number;
  readonly width: number;
}

/** An invocation with four points computes everything four times over: not worth it where arithmetic rules. */
const maxFourOps = 240;
/** Pieces of a row; every later dispatch reads the results of all of them. */
const maxChunks = 256;

const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);
const atLeast = (x: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, x)));
const atMost = (x: number): number => 2 ** Math.floor(Math.log2(Math.max(1, x)));

/** Chooses the mapping of a nest in its normal form. */
export function schedule(kernel: NestKernel, launch: LaunchContext, tuning: Tuning): Mapping {
  return new Scheduler(kernel, launch, tuning).choose();
}

class Scheduler {
  private readonly rows: number;
  private readonly points: number;
  private readonly workgroup: number;
  private readonly touches: readonly Touch[];
  private readonly ops: number;
  private readonly running: boolean;

  constructor(
    private readonly kernel: NestKernel,
    private readonly launch: LaunchContext,
    private readonly tuning: Tuning,
  ) {
    this.rows = product(kernel.parallel);
    this.points = product(kernel.reduced);
    const { limits } = launch;
    const most = Math.min(tuning.workgroup, limits.maxComputeInvocationsPerWorkgroup, limits.maxComputeWorkgroupSizeX);
    // Slices of rows are powers of two, and fill the workgroup.
    this.workgroup =
      launch.threads === undefined ? atMost(most) : Math.min(atMost(most), launch.threads & -launch.threads);
    this.touches = touchesOf(kernel);
    this.ops = Math.max(...kernel.phases.map(({ body }) => countOps(body)));
    this.running = kernel.slots.some((s) => s.running);
  }

  choose(): Mapping {
    const { kernel, points, tuning } = this;
    if (kernel.reduced.length === 0) return this.alongRows();
    if (this.running && readsOwnScan(kernel)) return this.inOrder();
    if (points <= tuning.shortRow || !this.prefersPoints()) return this.running ? this.scanRows() : this.alongRows();
    return this.running ? this.scanPoints() : this.alongPoints();
  }

  private prefersPoints(): boolean {
    const { kernel, touches } = this;
    if (kernel.parallel.length === 0) return true;
    const rows = strideCost(kernel.parallel.length - 1, touches);
    const points = strideCost(kernel.parallel.length + kernel.reduced.length - 1, touches);
    return rows === points ? this.rows < this.tuning.busy : points < rows;
  }

  /** Lanes along an axis: four where that makes most of the accesses wide. */
  private lanesAlong(axis: number, extent: number | undefined): { lanes: 1 | 4; fours: ReadonlySet<number> } {
    const none = { lanes: 1, fours: new Set<number>() } as const;
    if (extent === undefined || extent % 4 !== 0 || this.ops > maxFourOps) return none;
    if (this.rows * this.points < this.tuning.fourPoints) return none;
    const found: Fours = foursAlong(axis, this.touches, this.launch.sameAs);
    return found.inFours * 2 >= found.moving && found.inFours > 0 ? { lanes: 4, fours: found.storage } : none;
  }

  private finish(m: Omit<Mapping, "chunkPoints" | "chunks" | "scan"> & Partial<Mapping>): Mapping {
    const { threads } = this.launch;
    // Rows beyond the last one do nothing.
    const group = threads !== undefined && !m.tile && threads % m.slice === 0 ? threads / m.slice : m.group;
    return { chunks: 1, chunkPoints: this.points, scan: false, ...m, group };
  }

  /** A row is one invocation's, its points in order. */
  private inOrder(): Mapping {
    return this.finish({ layout: "rows", slice: 1, group: this.groupOf(this.rows, 1), lanes: 1, fours: new Set() });
  }

  /** Rows of a workgroup: as many as are there at most. What is little is spread over more workgroups. */
  private groupOf(rows: number, slice: number): number {
    const size = rows * slice < this.tuning.busy ? Math.min(this.workgroup, 64) : this.workgroup;
    return Math.max(1, Math.min(size / slice, atLeast(rows)));
  }

  private alongRows(): Mapping {
    const { kernel, points, tuning, workgroup } = this;
    const axis = kernel.parallel.length - 1;
    const tile = this.tileWith(axis);
    if (tile)
      return this.finish({
        layout: "rows",
        slice: 1,
        group: tile.height * tile.width,
        lanes: 1,
        fours: new Set(),
        tile,
      });
    // Rows of long columns in fours would leave most of the device idle.
    const isWide = kernel.reduced.length === 0 || this.rows * 16 >= tuning.busy;
    const { lanes, fours } = this.lanesAlong(axis, isWide ? kernel.parallel[axis] : undefined);
    const rows = this.rows / lanes;
    const wanted = Math.min(tuning.busy / rows, points / 8, 16, workgroup / Math.min(16, atLeast(rows)));
    const slice = kernel.reduced.length === 0 ? 1 : atMost(wanted);
    return this.finish({
      layout: "rows",
      slice,
      group: slice === 1 ? this.groupOf(rows, 1) : Math.min(workgroup / slice, atLeast(rows)),
      lanes,
      fours,
      ...this.chunked(rows * slice, slice),
    });
  }

  /**
   * Where neighbours along the last axis are far apart in some access, and along another axis next to each other: tiles of
   * both, so that a workgroup uses whole lines of memory of either.
   */
  private tileWith(last: number): Tile | undefined {
    const { kernel, tuning, workgroup } = this;
    const width = Math.min(32, workgroup);
    const height = workgroup / width;
    if (kernel.reduced.length > 0 || this.rows < tuning.fourPoints * 4) return undefined;
    const isLong = (k: number): boolean => kernel.parallel[k]! >= 8;
    if (height < 2 || !isLong(last)) return undefined;
    for (const { index } of this.touches) {
      if (Math.abs(coefficientOf(index, last)) <= 1) continue;
      const axis = kernel.parallel.findIndex(
        (_, k) => k !== last && isLong(k) && Math.abs(coefficientOf(index, k)) === 1,
      );
      if (axis >= 0) return { axis, height, width };
    }
    return undefined;
  }

  /**
   * Invocations for a row of so many steps: four steps each, or fewer where there are few rows. Larger slices take longer to
   * combine what they have found.
   */
  private sliceOf(steps: number): number {
    const { tuning, workgroup, rows } = this;
    let slice = Math.min(workgroup, atLeast(steps / 4));
    while (slice < workgroup && slice < steps && rows * slice < tuning.busy / 4) slice *= 2;
    return slice;
  }

  private alongPoints(): Mapping {
    const { kernel, points } = this;
    const axis = kernel.parallel.length + kernel.reduced.length - 1;
    const { lanes, fours } = this.lanesAlong(axis, kernel.reduced.at(-1));
    const units = points / lanes;
    const slice = this.sliceOf(units);
    return this.finish({
      layout: "points",
      slice,
      group: this.groupOf(this.rows, slice),
      lanes,
      fours,
      ...this.chunked(this.rows * slice, slice, lanes),
    });
  }

  private scanRows(): Mapping {
    const { rows } = this;
    return this.finish({
      layout: "rows",
      slice: 1,
      group: this.groupOf(rows, 1),
      lanes: 1,
      fours: new Set(),
      ...this.chunked(rows, 1),
    });
  }

  /** Four consecutive points an invocation, also where memory cannot be accessed so. */
  private scanPoints(): Mapping {
    const { kernel, rows, points } = this;
    const axis = kernel.parallel.length + kernel.reduced.length - 1;
    const fits = kernel.reduced.at(-1)! % 4 === 0;
    const found = foursAlong(axis, this.touches, this.launch.sameAs);
    const slice = Math.max(2, this.sliceOf(points / 4));
    return this.finish({
      layout: "points",
      slice,
      group: this.groupOf(rows, slice),
      lanes: 4,
      fours: fits ? found.storage : new Set<number>(),
      scan: true,
      ...this.chunked(rows * slice, slice, 4),
    });
  }

  /** Cuts rows whose invocations walk long, if there are too few of them. `lanes`: points of a step. */
  private chunked(invocations: number, slice: number, lanes = 1): { chunks: number; chunkPoints: number } {
    const { kernel, launch, tuning, points } = this;
    const whole = { chunks: 1, chunkPoints: points };
    const step = slice * lanes;
    // A kernel that shall share a dispatch has one only.
    const long = tuning.longWalk * (launch.threads === undefined ? 1 : 4);
    if (points / step <= long || invocations * 2 > tuning.busy) return whole;
    if (hasHazard(kernel, launch.sameAs)) return whole;
    const storage = new Set(this.touches.map((t) => launch.sameAs[t.buffer] ?? t.buffer));
    if (storage.size >= launch.limits.maxStorageBuffersPerShaderStage) return whole;
    const wanted = Math.min(
      Math.ceil(tuning.busy / invocations),
      Math.floor(points / (step * tuning.shortWalk)),
      maxChunks,
    );
    if (wanted < 2) return whole;
    const chunkPoints = Math.ceil(points / wanted / lanes) * lanes;
    return { chunks: Math.ceil(points / chunkPoints), chunkPoints };
  }
}
