import type { Statement } from "../../../kernel-ir/kernel.js";
import { combination } from "../wgsl/operations.js";
import { bare, gpuType, typeName } from "../wgsl/types.js";
import { type Accumulator, emitStatements } from "./points.js";
import type { Shader } from "./shader.js";
import type { Part } from "./slices.js";
import { identity } from "../../../kernel-ir/combine.js";
import { startOf } from "./slots.js";
import type { Stage } from "./stages.js";
import { oneOf } from "./walk.js";

type Accumulate = Extract<Statement, { kind: "accumulate" }>;

/** Points that an invocation has next to each other in a tile. */
const RUN = 4;

/** Coordinates of a point (or of the first of four), and whether it is there; undefined: it is. */
interface Place {
  readonly axes: readonly string[];
  readonly here: string | undefined;
}

/**
 * Writes a slice's scan of its row, or of its chunk: tile by tile, each invocation with four points next to each other. It
 * combines its own, the slice scans the results, and the statements run with what came before. `carries`: what running slots
 * start with instead of their initial values. Gives what the slots hold at the end; running ones hold all of it, others what
 * this invocation has found.
 */
export function scanTiles(stage: Stage, body: readonly Statement[], carries: ReadonlyMap<number, string>) {
  return new TileScan(stage, body, carries).emit();
}

class TileScan {
  private readonly shader: Shader;
  private readonly points: number;
  /** The four points lie along the innermost axis and are computed at once; else one after another. */
  private readonly isWide: boolean;
  private readonly running: readonly Accumulate[];
  private readonly rest: readonly Statement[];

  constructor(
    private readonly stage: Stage,
    body: readonly Statement[],
    private readonly carries: ReadonlyMap<number, string>,
  ) {
    this.shader = stage.shader;
    const { kernel } = this.shader;
    this.points = kernel.reduced.reduce((a, b) => a * b, 1);
    this.isWide = this.shader.lanes === 4;
    const isRunning = (s: Statement): s is Accumulate => s.kind === "accumulate" && kernel.slots[s.slot]!.running;
    this.running = body.filter(isRunning);
    this.rest = body.filter((s) => !isRunning(s));
  }

  emit(): Map<number, Part> {
    const { shader } = this;
    const carries = new Map<number, string>();
    const others = new Map<number, Accumulator>();
    const found = new Map<number, Part>();
    for (const { slot } of this.running) {
      const { type, combine, initial } = shader.kernel.slots[slot]!;
      const name = shader.variable("carry", type, this.carries.get(slot) ?? shader.number(type, initial));
      carries.set(slot, name);
      found.set(slot, { type, combine, lanes: 1, value: name });
    }
    for (const s of this.rest) {
      if (s.kind !== "accumulate") continue;
      const slot = shader.kernel.slots[s.slot]!;
      const { lanes } = shader;
      const name = shader.variable("a", slot.type, shader.number(slot.type, startOf(slot).start, lanes), lanes);
      others.set(s.slot, { slot: s.slot, name, lanes });
    }
    if (this.points > 0) this.tiles(carries, others);
    for (const a of others.values()) {
      const { type, combine } = shader.kernel.slots[a.slot]!;
      found.set(a.slot, { type, combine, lanes: 1, value: oneOf(shader, a) });
    }
    return found;
  }

  private tiles(carries: ReadonlyMap<number, string>, others: ReadonlyMap<number, Accumulator>): void {
    const { shader, points } = this;
    const { code, mapping } = shader;
    const { slice, chunks, chunkPoints } = mapping;
    const tiles = Math.ceil(chunkPoints / RUN / slice);
    const first = chunks > 1 ? `chunk * ${chunkPoints} + ` : "";
    const end = chunks === 1 ? `${points}` : shader.named("end", `min(${first}${chunkPoints}, ${points})`);
    const isExact = !shader.mayBeIdle && tiles * slice * RUN === chunkPoints && chunkPoints * chunks === points;
    shader.times = (shader.rows * points) / RUN;
    const tile = shader.module.fresh("tile");
    code.block(`for (var ${tile} = 0; ${tile} < ${tiles}; ${tile}++)`, () =>
      shader.values.scope(() => {
        const at = shader.named("e", `${first}(${tile} * ${slice} + lane) * ${RUN}`);
        const places = this.places(at, isExact ? undefined : end);
        const prefixes = this.prefixes(places);
        const scanned = this.stage.slices.scan(
          this.running.map((s, k): Part => {
            const { type, combine } = shader.kernel.slots[s.slot]!;
            return { type, combine, lanes: 1, value: prefixes[k]![RUN - 1]! };
          }),
        );
        const sums = this.running.map((s, k) => {
          const { type, combine } = shader.kernel.slots[s.slot]!;
          const join = (a: string, b: string): string => combination(shader.module, combine, type, a, b);
          const carry = carries.get(s.slot)!;
          const before = shader.named("before", join(carry, scanned[k]!.before));
          const values = prefixes[k]!.map((p) => shader.named("s", join(before, p)));
          code.line(`${carry} = ${bare(join(carry, scanned[k]!.all))};`);
          if (!this.isWide) return values;
          return [shader.named("s", `${typeName(gpuType(type), 4)}(${values.join(", ")})`)];
        });
        places.forEach((place, j) => {
          this.running.forEach((s, k) => shader.slots.set(s.slot, { text: sums[k]![j]!, lanes: this.isWide ? 4 : 1 }));
          this.goTo(place);
          shader.branch(place.here === undefined ? [] : [place.here], () =>
            emitStatements(shader, this.rest, { accumulators: others, keep: () => undefined }),
          );
        });
      }),
    );
  }

  /** The invocation's points: four at once, or one by one. Those beyond the end are looked up where the last ones are. */
  private places(at: string, end: string | undefined): readonly Place[] {
    const { shader, isWide } = this;
    const { kernel } = shader;
    const from = kernel.parallel.length;
    const width = isWide ? RUN : 1;
    return Array.from({ length: RUN / width }, (_, j): Place => {
      const point = j === 0 ? at : `${at} + ${j}`;
      const inside = shader.mayBeIdle ? " && inside" : "";
      const here = end === undefined ? undefined : shader.named("here", `${point} < ${end}${inside}`);
      const clamped = end === undefined ? `(${point})` : `min(${point}, ${end} - ${width})`;
      shader.unflatten(shader.named("e", isWide ? `${clamped} / ${RUN}` : clamped), from, kernel.reduced, isWide);
      return { axes: shader.axes.slice(from), here };
    });
  }

  private goTo(place: Place): void {
    const { axes, kernel } = this.shader;
    axes.splice(kernel.parallel.length, kernel.reduced.length, ...place.axes);
  }

  /** For each running slot, what the invocation's points up to each of its four give; points that are not there give nothing. */
  private prefixes(places: readonly Place[]): string[][] {
    const { shader, running, isWide } = this;
    const { values } = shader;
    const found = running.map((): string[] => []);
    for (const place of places) {
      this.goTo(place);
      values.scope(() => {
        values.plan(running.map((s) => s.value));
        shader.flops += running.length * shader.times * RUN;
        running.forEach((s, k) => {
          const { type, combine } = shader.kernel.slots[s.slot]!;
          const value = isWide ? shader.named("x", values.vector(s.value)) : values.expr(s.value);
          for (const own of isWide ? [..."xyzw"].map((c) => `${value}.${c}`) : [value]) {
            const nothing = shader.number(type, identity(combine, type));
            const text = place.here === undefined ? own : `select(${nothing}, ${own}, ${place.here})`;
            const before = found[k]!.at(-1);
            const joined = before === undefined ? text : combination(shader.module, combine, type, before, text);
            found[k]!.push(shader.named("p", joined));
          }
        });
      });
    }
    return found;
  }
}
