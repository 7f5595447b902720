import { foldGroups } from "../wgsl/module.js";
import { bare } from "../wgsl/types.js";
import type { Tile } from "./schedule.js";
import { type Shader, tilesAlong } from "./shader.js";

/** Whether as many workgroups run as are wanted: folded into two dimensions, there may be more. */
function isUnfolded({ groups, launch }: Shader): boolean {
  const [x, y] = foldGroups(groups, launch.limits.maxComputeWorkgroupsPerDimension);
  return x * y === groups;
}

/**
 * Names what an invocation is: `row` (or four of them) and its coordinates; `chunk`; `lane` in the slice and `member`, the
 * row's number in the workgroup; `inside`: whether there is such a row. Invocations that have none do what the last row's do,
 * but store nothing: barriers wait for all.
 */
export function openRow(shader: Shader, chunks: number, body: () => void): void {
  if (shader.mapping.tile) {
    openTile(shader, shader.mapping.tile, body);
    return;
  }
  const { code, mapping, rows, rowGroups, kernel } = shader;
  const { slice, group, layout } = mapping;
  const isExact = rowGroups * group === rows && isUnfolded(shader);
  if (chunks > 1) code.line(`let chunk = group % ${chunks};`);
  const rowGroup = chunks > 1 ? `(group / ${chunks})` : "group";
  const coordinates = (): void => shader.unflatten("row", 0, kernel.parallel, shader.rowLanes === 4);
  if (slice === 1) {
    code.line(`let row = ${chunks > 1 ? `${rowGroup} * ${group} + lid` : "id"};`);
    const inner = (): void => {
      coordinates();
      body();
    };
    if (isExact) inner();
    else code.block(`if (row < ${rows})`, inner);
    return;
  }
  if (group === 1) code.line("let lane = lid;");
  else if (layout === "rows") code.line(`let member = lid % ${group};`);
  else code.line(`let member = lid / ${slice};`);
  if (group > 1) code.line(`let lane = lid ${layout === "rows" ? `/ ${group}` : `% ${slice}`};`);
  const row = group === 1 ? bare(rowGroup) : `${rowGroup} * ${group} + member`;
  shader.mayBeIdle = !isExact;
  if (isExact) code.line(`let row = ${row};`);
  else {
    code.line(`let wanted = ${row};`);
    code.line(`let inside = wanted < ${rows};`);
    code.line(`let row = min(wanted, ${rows - 1});`);
  }
  coordinates();
  body();
}

/** Names the coordinates of the point that an invocation has in its workgroup's tile. */
function openTile(shader: Shader, { axis, height, width }: Tile, body: () => void): void {
  const { code, kernel, axes } = shader;
  const { parallel } = kernel;
  const last = parallel.length - 1;
  const across = tilesAlong(parallel[last]!, width);
  const down = tilesAlong(parallel[axis]!, height);
  const others = parallel.flatMap((_, k) => (k === axis || k === last ? [] : [k]));
  code.line(`let column = group % ${across} * ${width} + lid % ${width};`);
  code.line(
    `let line = ${others.length === 0 && isUnfolded(shader) ? `group / ${across}` : `group / ${across} % ${down}`} * ${height} + lid / ${width};`,
  );
  const conditions: string[] = [];
  if (parallel[last]! % width !== 0) conditions.push(`column < ${parallel[last]!}`);
  if (parallel[axis]! % height !== 0) conditions.push(`line < ${parallel[axis]!}`);
  if (!isUnfolded(shader)) conditions.push(`group < ${shader.groups}`);
  shader.branch(conditions, () => {
    if (others.length > 0) {
      const rest = shader.named("i", `group / ${across * down}`);
      shader.unflatten(
        rest,
        0,
        others.map((k) => parallel[k]!),
        false,
      );
    }
    const found = axes.slice(0, others.length);
    others.forEach((k, i) => (axes[k] = found[i]!));
    axes[axis] = "line";
    axes[last] = "column";
    body();
  });
}
