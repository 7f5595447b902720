import type { DotKernel, Kernel, SortKernel } from "../../../kernel-ir/kernel.js";
import { dotParameters, dotScratchBytes, dotStructure, dotUnits } from "../dot/dot.js";
import { type LoweredNest, lowerNest } from "../nest/lower.js";
import type { LoweredRounds } from "../rounds/lower.js";
import { sortLines, sortParameters, sortScratchBytes, sortStructure } from "../sort/sort.js";

/** A kernel function to emit. */
export interface Routine {
  readonly key: string;
  readonly code:
    | { readonly kind: "nest"; readonly nest: LoweredNest }
    | { readonly kind: "dot"; readonly kernel: DotKernel }
    | { readonly kind: "sort"; readonly kernel: SortKernel }
    | { readonly kind: "rounds"; readonly rounds: LoweredRounds };
}

/** Chunks that are multiples of a step, by the work of a row. */
export interface RowChunks {
  readonly step: number;
  readonly rowWork: number;
}

/** How a kernel is launched. */
export interface Launch {
  readonly routine: Routine;
  /** The block of i32 parameters that its code reads. */
  readonly params: readonly number[];
  readonly rows: number;
  /** Rows of one call. */
  readonly chunk: number;
  readonly rowChunks: RowChunks | undefined;
  readonly scratchBytes: number;
  /** Points of the longest single call, of nests. */
  readonly callPoints: number;
}

const CHUNK_WORK = 65536;
/** Rows of one call of a nest. */
export const chunkOf = (step: number, rowWork: number): number =>
  Math.max(step, Math.floor(CHUNK_WORK / Math.max(1, rowWork) / step) * step);

/** How kernel number `index` is launched. */
export function launchOf(kernel: Kernel, index: number, generic: boolean): Launch {
  switch (kernel.kind) {
    case "nest": {
      const nest = lowerNest(kernel, generic);
      const { key, params, rows, rowWork, scratchBytes } = nest;
      const step = nest.rowStep === 1 ? 1 : Math.max(16, nest.rowStep);
      const chunk = chunkOf(step, rowWork);
      const callPoints = Math.min(rows, chunk) * rowWork;
      return {
        routine: { key, code: { kind: "nest", nest } },
        params,
        rows,
        chunk,
        rowChunks: { step, rowWork },
        scratchBytes,
        callPoints,
      };
    }
    case "dot": {
      const rows = dotUnits(kernel);
      return {
        routine: { key: generic ? dotStructure(kernel) : `dot ${index}`, code: { kind: "dot", kernel } },
        params: generic ? dotParameters(kernel) : [],
        rows,
        // one call: packing is done once a call
        chunk: Math.max(1, rows),
        rowChunks: undefined,
        scratchBytes: dotScratchBytes(kernel),
        callPoints: 0,
      };
    }
    case "sort":
      return {
        routine: { key: generic ? sortStructure(kernel) : `sort ${index}`, code: { kind: "sort", kernel } },
        params: generic ? sortParameters(kernel) : [],
        rows: sortLines(kernel),
        chunk: Math.max(1, Math.floor(CHUNK_WORK / Math.max(1, kernel.n * 16))),
        rowChunks: undefined,
        scratchBytes: sortScratchBytes(kernel),
        callPoints: 0,
      };
  }
}
