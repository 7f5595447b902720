import type { Problem } from "./problem.js";

/** How the sums of a product are shared among workgroups and invocations. */
export type Plan = TiledPlan | TreePlan | SweepPlan;

export interface SplitK {
  /** Workgroups that share the summed axis; more than one: their sums go to scratch, and a second dispatch adds them up. */
  readonly splits: number;
  /** Of the summed axis, for one of them. */
  readonly kPerSplit: number;
}

/**
 * A workgroup computes a tile of results. Both operands come by tiles of `depth` through workgroup memory; an invocation
 * keeps threadRows × threadCols sums in registers. `slices` groups of invocations share the depth of each tile.
 */
export interface TiledPlan extends SplitK {
  readonly kind: "tiled";
  readonly rows: number;
  readonly cols: number;
  readonly depth: number;
  readonly threadRows: number;
  readonly threadCols: number;
  readonly slices: number;
}

/**
 * `lanes` invocations share the summed axis, neighbours reading neighbours, and add up as a tree what each has for
 * threadRows × threadCols results. For a matrix that lies along the summed axis, times few columns.
 */
export interface TreePlan extends SplitK {
  readonly kind: "tree";
  readonly lanes: number;
  /** Such groups of lanes in a workgroup. */
  readonly groups: number;
  readonly threadRows: number;
  readonly threadCols: number;
  /** Steps of the loop over k whose loads are under way together. */
  readonly unroll: number;
}

/**
 * Invocations walk along the summed axis, neighbours of `lanes` reading neighbouring rows, `width` rows each; `slices` of
 * them share the axis. For a matrix that lies along its rows' axis, times few columns.
 */
export interface SweepPlan extends SplitK {
  readonly kind: "sweep";
  readonly lanes: number;
  readonly slices: number;
  readonly width: 1 | 4;
  readonly unroll: number;
}

/** Whether an invocation stores four results of a row together. */
export const storesFours = ({ lanes, threadCols }: TreePlan): boolean => lanes === 1 && threadCols === 4;

/** Bytes of workgroup memory of a tile: both operands by depth, then, in the same place, the sums of the slices. */
export function tileBytes(plan: TiledPlan): number {
  const { rows, cols, depth, slices } = plan;
  const operands = depth * (tilePitch(rows) + tilePitch(cols)) * 16;
  return Math.max(operands, slices > 1 ? slices * rows * cols * 4 : 0);
}

/** Fours from one k to the next in workgroup memory: odd, so that what is written along k goes to different banks. */
export const tilePitch = (extent: number): number => (extent / 4) | 1;

export const tiledThreads = ({ rows, cols, threadRows, threadCols, slices }: TiledPlan): number =>
  (rows / threadRows) * (cols / threadCols) * slices;

export const batchOf = (p: Problem): number => p.batch.reduce((product, { size }) => product * size, 1);
export const ceilDiv = (x: number, y: number): number => Math.ceil(x / y);

export function describePlan(plan: Plan): string {
  const split = plan.splits > 1 ? `, k in ${plan.splits}` : "";
  switch (plan.kind) {
    case "tiled": {
      const { rows, cols, depth, threadRows, threadCols, slices } = plan;
      return `tiled ${rows}×${cols}×${depth}, ${threadRows}×${threadCols} each${slices > 1 ? `, ${slices} slices` : ""}${split}`;
    }
    case "tree":
      return `tree of ${plan.lanes}, ${plan.threadRows}×${plan.threadCols} each${split}`;
    case "sweep":
      return `sweep of ${plan.lanes}, ${plan.slices} slices, ${plan.width} rows each${split}`;
  }
}
