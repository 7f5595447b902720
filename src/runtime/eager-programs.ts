import type { ConcreteArray } from "../core/array.js";
import { type Aval, byteLength, sameShape } from "../core/aval.js";
import { type Jaxpr, makeEqn, Var } from "../core/jaxpr.js";
import type { AnyPrimitive } from "../core/primitive.js";
import type { Executable } from "../kernel-ir/backend.js";
import type { CallLowering } from "../kernel-ir/lowering.js";
import { ArrayType } from "./array-type.js";
import { EagerCache, ProgramTree } from "./eager-cache.js";
import { type Ready, readyOf } from "./ready.js";

/** Programs of eager operations that a device keeps in each generation of its cache, and templates of elementwise ones. */
const kept = 1024;

/** Lengths by which a program tells what depends on them; products of four fit an i32. */
const primes = [101, 103, 107, 109, 113, 127, 131, 137];

/** The programs of a device's eager operations: found by the operation and the types of its operands, else made. */
export class EagerPrograms {
  private readonly exact = new EagerCache<Ready>(kept);
  private elementwise = new ProgramTree<Template | "none">();
  private templates = 0;
  private readonly scaled = new Map<string, ((sizes: readonly number[]) => Executable) | "seen once" | "never">();

  constructor(
    private readonly compile: (jaxpr: Jaxpr, name: string, generic: boolean) => Ready,
    private readonly callee: (jaxpr: Jaxpr) => Ready,
    /** Throws where the device cannot hold what an operation computes. */
    private readonly check: (jaxpr: Jaxpr, name: string) => void,
  ) {}

  get size(): number {
    return this.exact.size + this.templates;
  }

  find(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): Ready {
    if (primitive.facts.elementwise === true) {
      const ready = this.findElementwise(primitive, inputs, params);
      if (ready) return ready;
    }
    let ready = this.exact.find(primitive, inputs, params);
    if (ready) return ready;
    ready = this.make(primitive, inputs, params);
    this.exact.insert(primitive, inputs, params, ready);
    return ready;
  }

  private make(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): Ready {
    const { lower } = primitive;
    if ("kind" in lower && lower.kind === "call") return this.callee((lower as CallLowering<unknown>).jaxpr(params));
    if (reshapes(primitive, inputs, params)) {
      const outs = primitive.abstract([inputs[0]!.aval], params as never);
      return readyOf(1, outs, undefined, [], [0], [null]);
    }
    const avals = inputs.map((x) => x.aval);
    // What holds jaxprs is a whole program, run often: worth code of its own.
    return (
      this.makeScaled(primitive, avals, params) ??
      this.compile(oneEquation(primitive, avals, params), primitive.name, primitive.jaxprs === undefined)
    );
  }

  /**
   * An elementwise operation sees nothing of shapes but how many elements there are: one program serves all of them.
   * undefined: operands do not fit, or the backend cannot.
   */
  private findElementwise(
    primitive: AnyPrimitive,
    inputs: readonly ConcreteArray[],
    params: unknown,
  ): Ready | undefined {
    let whole: Aval | undefined;
    for (let i = 0; i < inputs.length; i++) {
      const { aval } = inputs[i]!;
      if (aval.shape.length === 0 || aval === whole) continue;
      if (whole === undefined) whole = aval;
      else if (!sameShape(aval.shape, whole.shape)) return undefined;
    }
    whole ??= inputs[0]?.aval;
    if (whole === undefined) return undefined;
    let node = this.elementwise.root(primitive, params);
    for (let i = 0; i < inputs.length; i++) {
      const { aval } = inputs[i]!;
      const repeated = aval.shape.length === 0 && whole.shape.length > 0;
      node = node.child(2 * ArrayType.kindOf(aval) + Number(repeated));
    }
    const type = ArrayType.of(whole);
    const template = (node.entry ??= this.makeTemplate(primitive, inputs, params, type));
    return template === "none" ? undefined : template.ready(type);
  }

  private makeTemplate(
    primitive: AnyPrimitive,
    inputs: readonly ConcreteArray[],
    params: unknown,
    whole: ArrayType,
  ): Template | "none" {
    const avals = inputs.map((x) => x.aval);
    if (avals.some((a) => a.dtype === "key")) return "none";
    // says what is wrong in the user's terms: the program is of other shapes
    this.check(oneEquation(primitive, avals, params), primitive.name);
    const elements = Math.max(ArrayType.size(whole), 16);
    const shaped = whole.shape.length > 0;
    const flat = avals.map((a): Aval => ({ ...a, shape: shaped && a.shape.length === 0 ? [] : [elements] }));
    const ready = this.compile(oneEquation(primitive, flat, params), primitive.name, true);
    if (++this.templates > kept) {
      this.elementwise = new ProgramTree();
      this.templates = 1;
    }
    return new Template(ready, elements);
  }

  /**
   * An operation of which only lengths matter: from the second shape on, one program serves all of them. What depends on
   * lengths in it is found by compiling it for two sets of primes.
   */
  private makeScaled(primitive: AnyPrimitive, avals: readonly Aval[], params: unknown): Ready | undefined {
    const [x] = avals;
    const extents = x?.dtype === "key" ? undefined : primitive.facts.extents?.(params as never, x!);
    if (!extents) return undefined;
    const key = `${primitive.name}|${extents.pattern}|${x!.dtype}${x!.weakType ? "~" : ""}`;
    let known = this.scaled.get(key);
    if (known === "seen once") {
      const { length } = extents.sizes;
      const compile = (sizes: readonly number[]): Executable => {
        const { shape, params: scaled } = extents.at(sizes);
        return this.compile(oneEquation(primitive, [{ ...x!, shape }], scaled), primitive.name, true).executable!;
      };
      const [sizes, others] = [primes.slice(0, length), primes.slice(length, 2 * length)];
      known = (others.length === length && compile(sizes).scaled?.(sizes, compile(others), others)) || "never";
    }
    this.scaled.set(key, known ?? "seen once");
    if (typeof known !== "function") return undefined;
    const outs = primitive.abstract(avals, params as never);
    return readyOf(1, outs, known(extents.sizes), outs.map(byteLength), [null], [null]);
  }
}

/** Shapes that a template remembers. */
const recentShapes = 64;

/** The program of an elementwise operation on operands of given dtypes, for any shape. */
class Template {
  private readonly recent = new Map<ArrayType, Ready>();
  private lastType: ArrayType | undefined;
  private last: Ready | undefined;

  constructor(
    private readonly base: Ready,
    private readonly elements: number,
  ) {}

  /** The program for operands of the shape of `whole`; undefined: the backend cannot. */
  ready(whole: ArrayType): Ready | undefined {
    if (whole === this.lastType) return this.last!;
    let ready = this.recent.get(whole);
    if (!ready) {
      const { base } = this;
      const elements = ArrayType.size(whole);
      const executable = elements === this.elements ? base.executable : base.executable!.resized?.(elements);
      if (!executable) return undefined;
      const outs = base.outTypes.map((t) => ArrayType.like(whole, t.dtype, t.weakType));
      ready = readyOf(
        base.args.length,
        outs,
        executable,
        outs.map(byteLength),
        base.outputIsInput,
        base.outputReusesInput,
      );
      if (this.recent.size >= recentShapes) this.recent.clear();
      this.recent.set(whole, ready);
    }
    this.lastType = whole;
    this.last = ready;
    return ready;
  }
}

function oneEquation(primitive: AnyPrimitive, avals: readonly Aval[], params: unknown): Jaxpr {
  const inVars = avals.map((a) => new Var(a));
  const eqn = makeEqn(primitive, inVars, params);
  return { inVars, eqns: [eqn], outs: eqn.outs, effects: eqn.effects };
}

function reshapes(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): boolean {
  const fact = primitive.facts.reshapes;
  return typeof fact === "function" ? fact(params as never, inputs[0]!.aval) : fact === true;
}
