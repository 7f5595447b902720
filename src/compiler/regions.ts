import { sizeOf } from "../core/aval.js";
import type { DeviceTraits } from "../kernel-ir/backend.js";
import * as ix from "../kernel-ir/index-expr.js";
import type { Index } from "../kernel-ir/index-expr.js";
import type { ElementLowering, Region } from "../kernel-ir/lowering.js";
import { constant, type Expr, indexValue, op as makeOp } from "../kernel-ir/scalar.js";
import { flatIndex, type Reader, ruleOperand } from "./elements.js";
import type { OpaqueGroup } from "./fuse.js";
import type { Value } from "./graph.js";
import { loopBuffersOf } from "./limits.js";
import { axesOf, type KernelLaunch, MemoryReader, storeKernel } from "./opaque.js";

/** Pieces of a result, each written by a kernel of its own (pad, concatenate), or by few where launches are dear. */
export function regionKernels(group: OpaqueGroup, traits: DeviceTraits): KernelLaunch[] {
  const { op } = group;
  const out = op.outs[0]!;
  const words = out.aval.dtype === "key" ? [2] : [];
  const probe = new MemoryReader();
  const shapes = regionsOf(group, probe, undefined).map((r) => [...r.shape, ...words]);
  /** A region as it is for a word of keys, or for other elements. */
  const pieceOf = (
    r: number,
    reader: Reader,
    index: readonly Index[],
  ): { readonly index: Index; readonly value: Expr } => {
    const word = words.length > 0 ? index.at(-1) : undefined;
    const logical = word ? index.slice(0, -1) : index;
    const region = regionsOf(group, reader, word)[r]!;
    const place = region.place(logical);
    return { index: flatIndex(out, word ? [...place, word] : place), value: region.element(logical) };
  };
  const runs = traits.dearLaunches
    ? runsOf(shapes, out, pieceOf, loopBuffersOf(traits) - 1)
    : shapes.map((_, r) => [r]);
  return runs.flatMap((run) => {
    const first = run[0]!;
    const shape = shapes[first]!;
    const launch =
      run.length === 1
        ? storeKernel(op.name, out, shape, (reader, index) => pieceOf(first, reader, index))
        : storeKernel(op.name, out, [run.length, ...shape], (reader, index) => joined(run, reader, index, pieceOf));
    return launch ?? [];
  });
}

type PieceOf = (r: number, reader: Reader, index: readonly Index[]) => { readonly index: Index; readonly value: Expr };

function regionsOf(group: OpaqueGroup, reader: Reader, word: Index | undefined): readonly Region[] {
  const operands = group.op.inputs.map((x) => {
    const o = ruleOperand(x, reader);
    return word && o.aval.dtype === "key" ? { ...o, at: (i: readonly Index[]) => o.at([...i, word]) } : o;
  });
  return (group.op.lower as ElementLowering<never>).regions!(operands, group.op.params, group.op.outs[0]!.aval);
}

/** Runs of regions of one shape that lie at equal distances, each of at most so many. */
function runsOf(shapes: readonly (readonly number[])[], out: Value, pieceOf: PieceOf, most: number): number[][] {
  const reader = new MemoryReader();
  const places = shapes.map((shape, r) => (sizeOf(shape) === 0 ? undefined : pieceOf(r, reader, axesOf(shape)).index));
  const runs: number[][] = [];
  for (const [r, place] of places.entries()) {
    const run = runs.at(-1);
    const last = run && places[run.at(-1)!];
    const first = run && places[run[0]!];
    const follows =
      place &&
      first &&
      last &&
      run.length < most &&
      shapes[r]!.join() === shapes[run[0]!]!.join() &&
      ix.addConst(last, place.base - last.base).key === place.key &&
      (run.length === 1 ? place.base > last.base : place.base - last.base === places[run[1]!]!.base - first.base);
    if (follows) run.push(r);
    else runs.push([r]);
  }
  return runs;
}

/** The element of whichever region of a run the first axis says. */
function joined(run: readonly number[], reader: Reader, index: readonly Index[], pieceOf: PieceOf) {
  const [which, ...point] = index as [Index, ...Index[]];
  const pieces = run.map((r) => pieceOf(r, reader, point));
  const [first, second] = pieces as unknown as readonly [(typeof pieces)[number], (typeof pieces)[number]];
  const number = indexValue(which);
  const value = pieces
    .map((p) => p.value)
    .reduceRight((rest, value, k) => makeOp("select", [makeOp("eq", [number, constant("i32", k)]), value, rest]));
  return { index: ix.add(first.index, ix.scale(which, second.index.base - first.index.base)), value };
}
