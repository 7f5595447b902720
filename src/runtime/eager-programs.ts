import type { ConcreteArray } from "../core/array.js";
import type { ElementwiseFunction } from "../core/at-once.js";
import { type Aval, byteLength, sameShape } from "../core/aval.js";
import { type Eqn, type Jaxpr, makeEqn, Var } from "../core/jaxpr.js";
import type { AnyPrimitive } from "../core/primitive.js";
import { identityOf, structuralKey } from "../core/structural-key.js";
import type { Executable } from "../kernel-ir/backend.js";
import type { CallLowering } from "../kernel-ir/lowering.js";
import { ArrayType } from "./array-type.js";
import { EagerCache, Node, ProgramTree } from "./eager-cache.js";
import { type Ready, readyOf } from "./ready.js";
import { isLate, repetitionOf } from "./repeated-storage.js";

/** Programs of eager operations that a device keeps in each generation of its cache, and templates of elementwise ones. */
const kept = 1024;

/** Lengths by which a program tells what depends on them; products of four fit an i32. */
const primes = [101, 103, 107, 109, 113, 127, 131, 137];

/** The programs of a device's eager operations: found by the operation and the types of its operands, else made. */
export class EagerPrograms {
  private readonly exact = new EagerCache<Ready>(kept);
  private elementwise = new ProgramTree<Template | "none">();
  private readonly fusedOfShapes = new Map<string, Ready>();
  private readonly repeating = new Map<string, Ready | "seen once" | "none">();
  private fused = new WeakMap<ElementwiseFunction, Node<Template | "none">>();
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
    const whole = wholeOf(inputs);
    if (whole === undefined) return undefined;
    const node = ofKinds(this.elementwise.root(primitive, params), inputs, whole);
    node.entry ??= this.makeTemplate(primitive.name, inputs, whole, (avals) => oneEquation(primitive, avals, params));
    return node.entry === "none" ? undefined : node.entry.ready(whole);
  }

  /** The program of a function of elementwise operations; undefined: there is none for these operands. */
  findFused(f: ElementwiseFunction, inputs: readonly ConcreteArray[]): Ready | undefined {
    const whole = wholeOf(inputs);
    // Scalars are soon done, and what functions do with them may depend on their being scalars.
    if (whole === undefined || whole.shape.length === 0) return undefined;
    let root = this.fused.get(f);
    if (!root) this.fused.set(f, (root = new Node()));
    const node = ofKinds(root, inputs, whole);
    node.entry ??= this.makeTemplate(f.name, inputs, whole, (avals) => f.jaxpr(avals));
    return node.entry === "none" ? undefined : (node.entry.ready(whole) ?? this.fusedExactly(f, inputs));
  }

  /** Its program for operands of these shapes, for a backend that has none for all. */
  private fusedExactly(f: ElementwiseFunction, inputs: readonly ConcreteArray[]): Ready {
    let key = `${identityOf(f)}`;
    for (const x of inputs) key += ` ${ArrayType.idOf(x.aval)}`;
    let ready = this.fusedOfShapes.get(key);
    if (!ready) {
      if (this.fusedOfShapes.size >= kept) this.fusedOfShapes.clear();
      ready = this.compile(f.jaxpr(inputs.map((x) => x.aval))!, f.name, true);
      this.fusedOfShapes.set(key, ready);
    }
    return ready;
  }

  /**
   * The program of an elementwise operation that repeats operands' elements as it goes; undefined: none is late, or operations of
   * such types were not seen before, and may not be again.
   */
  findRepeating(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): Ready | undefined {
    if (!inputs.some(isLate)) return undefined;
    const key = `${identityOf(primitive)} ${structuralKey(params)}`;
    return this.withRepetitions(key, primitive.name, inputs, (avals) => oneEquation(primitive, avals, params));
  }

  /** The same for a function of elementwise operations. */
  findFusedRepeating(f: ElementwiseFunction, inputs: readonly ConcreteArray[]): Ready | undefined {
    if (!inputs.some(isLate)) return undefined;
    return this.withRepetitions(`${identityOf(f)}`, f.name, inputs, (avals) => f.jaxpr(avals));
  }

  private withRepetitions(
    operation: string,
    name: string,
    inputs: readonly ConcreteArray[],
    jaxprOf: (avals: readonly Aval[]) => Jaxpr | undefined,
  ): Ready | undefined {
    let key = operation;
    for (const x of inputs) key += ` ${repetitionOf(x)?.key ?? ArrayType.idOf(x.aval)}`;
    let ready = this.repeating.get(key);
    if (ready === undefined) {
      if (this.repeating.size >= kept) this.repeating.clear();
      ready = "seen once";
    } else if (ready === "seen once") {
      const jaxpr = jaxprOf(inputs.map((x) => x.aval));
      ready = jaxpr ? this.compile(repeatedBefore(jaxpr, inputs), name, false) : "none";
    }
    this.repeating.set(key, ready);
    return typeof ready === "string" ? undefined : ready;
  }

  private makeTemplate(
    name: string,
    inputs: readonly ConcreteArray[],
    whole: ArrayType,
    jaxprOf: (avals: readonly Aval[]) => Jaxpr | undefined,
  ): Template | "none" {
    const avals = inputs.map((x) => x.aval);
    if (avals.some((a) => a.dtype === "key")) return "none";
    const jaxpr = jaxprOf(avals);
    if (jaxpr === undefined || !sameShape(jaxpr.outs[0]!.aval.shape, whole.shape)) return "none";
    // says what is wrong in the user's terms: the program is of other shapes
    this.check(jaxpr, name);
    const elements = Math.max(ArrayType.size(whole), 16);
    const shaped = whole.shape.length > 0;
    const flat = avals.map((a): Aval => ({ ...a, shape: shaped && a.shape.length === 0 ? [] : [elements] }));
    const ready = this.compile(jaxprOf(flat)!, name, true);
    if (++this.templates > kept) {
      this.elementwise = new ProgramTree();
      this.fused = new WeakMap();
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

/** The type of the operands that are not scalars; undefined: they differ in shape. */
function wholeOf(inputs: readonly ConcreteArray[]): ArrayType | undefined {
  let whole: Aval | undefined;
  for (let i = 0; i < inputs.length; i++) {
    const { aval } = inputs[i]!;
    if (aval.shape.length === 0 || aval === whole) continue;
    if (whole === undefined) whole = aval;
    else if (!sameShape(aval.shape, whole.shape)) return undefined;
  }
  whole ??= inputs[0]?.aval;
  return whole && ArrayType.of(whole);
}

/** Where the entry for operands of these dtypes is, which are elements or scalars. */
function ofKinds<E>(root: Node<E>, inputs: readonly ConcreteArray[], whole: ArrayType): Node<E> {
  let node = root;
  for (let i = 0; i < inputs.length; i++) {
    const { aval } = inputs[i]!;
    const repeated = aval.shape.length === 0 && whole.shape.length > 0;
    node = node.child(2 * ArrayType.kindOf(aval) + Number(repeated));
  }
  return node;
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

/** A jaxpr of the originals of those operands whose elements are still to be repeated. */
function repeatedBefore(jaxpr: Jaxpr, inputs: readonly ConcreteArray[]): Jaxpr {
  const repeats: Eqn[] = [];
  const inVars = jaxpr.inVars.map((v, i) => {
    const late = repetitionOf(inputs[i]!);
    if (!late) return v;
    const original = new Var(late.type);
    repeats.push({ ...makeEqn(late.primitive, [original], late.params), outs: [v] });
    return original;
  });
  return { ...jaxpr, inVars, eqns: [...repeats, ...jaxpr.eqns] };
}

function reshapes(primitive: AnyPrimitive, inputs: readonly ConcreteArray[], params: unknown): boolean {
  const fact = primitive.facts.reshapes;
  return typeof fact === "function" ? fact(params as never, inputs[0]!.aval) : fact === true;
}
