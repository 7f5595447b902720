import { DeviceError } from "../../src/core/errors.js";
import { dtypeInfo, type TypedArray } from "../../src/core/dtype.js";
import { evaluateJaxpr } from "../../src/core/host-interpreter.js";
import type { Jaxpr } from "../../src/core/jaxpr.js";
import { makeEqn, Var } from "../../src/core/jaxpr.js";
import { byteLength, wordLength } from "../../src/core/aval.js";
import {
  type Backend,
  type DeviceBuffer,
  type Executable,
  isScalarInput,
  type ScalarInput,
} from "../../src/kernel-ir/backend.js";
import type { Program } from "../../src/kernel-ir/program.js";

interface FakeBuffer extends DeviceBuffer {
  readonly offset: number;
  freed: boolean;
}

const programs = new WeakMap<Program, Jaxpr>();

/** A "compiler" whose programs name their jaxpr; results that are inputs are found, donated ones of equal size reused. */
export function fakeCompile(
  jaxpr: Jaxpr,
  { name, donated }: { readonly name: string; readonly donated?: readonly boolean[] },
): Program {
  const outputIsInput = jaxpr.outs.map((o) =>
    o instanceof Var && jaxpr.inVars.includes(o) ? jaxpr.inVars.indexOf(o) : null,
  );
  const taken = new Set<number>();
  const outputReusesInput = jaxpr.outs.map((o, k) => {
    if (outputIsInput[k] !== null) return null;
    const i = jaxpr.inVars.findIndex(
      (v, i) => donated?.[i] && !taken.has(i) && !jaxpr.outs.includes(v) && byteLength(v.aval) === byteLength(o.aval),
    );
    if (i < 0) return null;
    taken.add(i);
    return i;
  });
  const type = (a: Jaxpr["outs"][number]): { dtype: typeof a.aval.dtype; bytes: number } => ({
    dtype: a.aval.dtype,
    bytes: byteLength(a.aval),
  });
  const program: Program = {
    name,
    kernels: [],
    functions: [
      {
        name,
        inputs: jaxpr.inVars.map(type),
        outputs: jaxpr.outs.map(type),
        arenaBytes: 0,
        steps: [],
        outputIsInput,
        outputReusesInput,
      },
    ],
  };
  programs.set(program, jaxpr);
  return program;
}

/** The jaxpr of one elementwise equation, for other numbers of elements. */
function resizedJaxpr(jaxpr: Jaxpr, n: number): Jaxpr {
  const { primitive, params } = jaxpr.eqns[0]!;
  const inVars = jaxpr.inVars.map((v) => new Var(v.aval.shape.length === 0 ? v.aval : { ...v.aval, shape: [n] }));
  const eqn = makeEqn(primitive, inVars, params);
  return { ...jaxpr, inVars, eqns: [eqn], outs: eqn.outs };
}

/** A backend over one ArrayBuffer with a first-fit free list; it runs programs by interpreting their jaxprs. */
export class FakeBackend implements Backend {
  readonly name = "fake";
  readonly traits = {
    maxBuffers: Infinity,
    maxKeepBytes: Infinity,
    arenaAlignment: 64,
    dotEpilogue: false,
    dearLaunches: false,
  };
  readonly supports = (): boolean => true;
  readonly memory: ArrayBuffer;
  private free_: { offset: number; bytes: number }[];
  allocated = 0;
  compiles = 0;
  /** Whether programs of elementwise operations serve all sizes. */
  resizes = true;
  /** Called inside of every run, before anything is computed. */
  onRun: (() => void) | undefined;

  constructor(readonly capacity: number) {
    this.memory = new ArrayBuffer(capacity);
    this.free_ = [{ offset: 0, bytes: capacity }];
  }

  allocate(bytes: number): FakeBuffer {
    const need = Math.max(16, Math.ceil(bytes / 16) * 16);
    const i = this.free_.findIndex((f) => f.bytes >= need);
    if (i < 0) throw new DeviceError({ code: "out-of-memory", message: `fake: no ${bytes} bytes` });
    const f = this.free_[i]!;
    const offset = f.offset;
    f.offset += need;
    f.bytes -= need;
    if (f.bytes === 0) this.free_.splice(i, 1);
    this.allocated += need;
    return { offset, bytes: need, freed: false };
  }
  free(b: DeviceBuffer): void {
    const f = b as FakeBuffer;
    if (f.freed) throw new Error("freed twice");
    f.freed = true;
    this.allocated -= f.bytes;
    new Uint8Array(this.memory, f.offset, f.bytes).fill(0xee);
    this.free_.push({ offset: f.offset, bytes: f.bytes });
    this.free_.sort((a, c) => a.offset - c.offset);
    this.free_ = this.free_.reduce<{ offset: number; bytes: number }[]>((list, x) => {
      const last = list.at(-1);
      if (last && last.offset + last.bytes === x.offset) last.bytes += x.bytes;
      else list.push(x);
      return list;
    }, []);
  }
  private bytesOf(b: DeviceBuffer, length: number): Uint8Array {
    if ((b as FakeBuffer).freed) throw new Error("used after free");
    return new Uint8Array(this.memory, (b as FakeBuffer).offset, length);
  }
  write(b: DeviceBuffer, data: TypedArray): void {
    this.bytesOf(b, data.byteLength).set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  readSync(b: DeviceBuffer, into: TypedArray): void {
    new Uint8Array(into.buffer, into.byteOffset, into.byteLength).set(this.bytesOf(b, into.byteLength));
  }
  async read(b: DeviceBuffer, into: TypedArray): Promise<void> {
    this.readSync(b, into);
  }
  compile(program: Program): Executable {
    this.compiles++;
    const jaxpr = programs.get(program)!;
    return this.executable(jaxpr, program);
  }
  private executable(jaxpr: Jaxpr, program: Program): Executable {
    return {
      text: () => program.name,
      resized: (n) => (this.resizes ? this.executable(resizedJaxpr(jaxpr, n), program) : undefined),
      run: (inputs: readonly (DeviceBuffer | ScalarInput)[], outputs: readonly DeviceBuffer[]) => {
        this.onRun?.();
        const hosts = jaxpr.inVars.map((v, i) => {
          const data = new dtypeInfo[v.aval.dtype].storage(wordLength(v.aval));
          const x = inputs[i]!;
          if (isScalarInput(x)) data[0] = x.scalar;
          else this.readSync(x, data);
          return { aval: v.aval, data };
        });
        evaluateJaxpr(jaxpr, hosts).forEach((h, k) => {
          if (program.functions[0]!.outputIsInput[k] === null) this.write(outputs[k]!, h.data);
        });
      },
    };
  }
  stats(): { heapBytes: number; allocatedBytes: number; modules: number } {
    return { heapBytes: this.capacity, allocatedBytes: this.allocated, modules: this.compiles };
  }
}
