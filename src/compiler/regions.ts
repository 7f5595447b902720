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
  const pieces = new Pieces(group);
  const runs = traits.dearLaunches ? runsOf(pieces, loopBuffersOf(traits) - 1) : pieces.shapes.map((_, r) => [r]);
  return runs.flatMap((run) => {
    const first = run[0]!;
    const shape = pieces.shapes[first]!;
    const launch =
      run.length === 1
        ? storeKernel(op.name, out, shape, (reader, index) => pieces.at(first, reader, index))
        : storeKernel(op.name, out, [run.length, ...shape], (reader, index) => joined(run, reader, index, pieces));
    return launch ?? [];
  });
}

/** An element of a piece, and where it goes in the result. */
interface Placed {
  readonly index: Index;
  readonly value: Expr;
}

/** The regions of a result, made once; their elements are read by whoever asks at the time. */
class Pieces implements Reader {
  readonly shapes: readonly (readonly number[])[];
  private readonly out: Value;
  private readonly regions: readonly Region[];
  private reader: Reader = new MemoryReader();
  /** Which word of the keys is asked for. */
  private word: Index | undefined;

  constructor({ op }: OpaqueGroup) {
    this.out = op.outs[0]!;
    const isKey = this.out.aval.dtype === "key";
    const operands = op.inputs.map((x) => {
      const o = ruleOperand(x, this);
      return isKey ? { ...o, at: (i: readonly Index[]) => o.at([...i, this.word!]) } : o;
    });
    this.regions = (op.lower as ElementLowering<never>).regions!(operands, op.params, this.out.aval);
    this.shapes = this.regions.map((r) => (isKey ? [...r.shape, 2] : r.shape));
  }

  readFlat(value: Value, flat: Index): Expr {
    return this.reader.readFlat(value, flat);
  }

  at(r: number, reader: Reader, index: readonly Index[]): Placed {
    const region = this.regions[r]!;
    this.reader = reader;
    this.word = this.out.aval.dtype === "key" ? index.at(-1) : undefined;
    const logical = this.word ? index.slice(0, -1) : index;
    const place = region.place(logical);
    return {
      index: flatIndex(this.out, this.word ? [...place, this.word] : place),
      value: region.element(logical),
    };
  }
}

/** Runs of regions of one shape that lie at equal distances, each of at most so many. */
function runsOf(pieces: Pieces, most: number): number[][] {
  const { shapes } = pieces;
  const places = shapes.map((shape, r) =>
    sizeOf(shape) === 0 ? undefined : pieces.at(r, new MemoryReader(), axesOf(shape)).index,
  );
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
function joined(run: readonly number[], reader: Reader, index: readonly Index[], pieces: Pieces): Placed {
  const [which, ...point] = index as [Index, ...Index[]];
  const placed = run.map((r) => pieces.at(r, reader, point));
  const [first, second] = placed as [Placed, Placed, ...Placed[]];
  const number = indexValue(which);
  const value = placed
    .map((p) => p.value)
    .reduceRight((rest, value, k) => makeOp("select", [makeOp("eq", [number, constant("i32", k)]), value, rest]));
  return { index: ix.add(first.index, ix.scale(which, second.index.base - first.index.base)), value };
}
