/** Finding dead objects inside a synchronous job, where no finalizer can run. */
export interface Collector {
  /** Ends the keeping alive of objects that this job made weak references to or dereferenced. Microseconds. */
  settle(): void;
  /** Collects garbage now. Milliseconds. */
  collect(): void;
  /** Bytes of JavaScript's own heap that are in use. */
  heapBytes(): number;
}

interface VmModule {
  createContext(global: object, options: { readonly microtaskMode: "afterEvaluate" }): object;
  runInNewContext(code: string): unknown;
  readonly Script: new (code: string) => { runInContext(context: object): unknown };
}
interface V8Module {
  getHeapStatistics(): { readonly used_heap_size: number };
  setFlagsFromString(flags: string): void;
}
interface NodeProcess {
  readonly getBuiltinModule?: (name: string) => unknown;
}

function builtin(name: string): unknown {
  const { process } = globalThis as { readonly process?: NodeProcess };
  return process?.getBuiltinModule?.(name);
}

/**
 * Node's collector, or undefined elsewhere or where it does not do what it should. V8 keeps the target of a new or dereferenced
 * WeakRef alive until the job ends; a script run in a context with microtasks of its own ends that, without running the
 * user's microtasks. Undocumented, hence the test on the spot.
 */
export function nodeCollector(): Collector | undefined {
  try {
    const vm = builtin("node:vm") as VmModule | undefined;
    const v8 = builtin("node:v8") as V8Module | undefined;
    if (!vm || !v8) return undefined;
    const gc = exposedGc(vm, v8);
    if (!gc) return undefined;
    const context = vm.createContext({}, { microtaskMode: "afterEvaluate" });
    const script = new vm.Script("0");
    const collector: Collector = {
      settle: () => void script.runInContext(context),
      collect: () => gc(),
      heapBytes: () => v8.getHeapStatistics().used_heap_size,
    };
    return works(collector) ? collector : undefined;
  } catch {
    return undefined;
  }
}

function exposedGc(vm: VmModule, v8: V8Module): (() => void) | undefined {
  const own = (globalThis as { readonly gc?: () => void }).gc;
  if (typeof own === "function") return () => own();
  v8.setFlagsFromString("--expose-gc");
  const gc = vm.runInNewContext("gc");
  v8.setFlagsFromString("--no-expose-gc");
  return typeof gc === "function" ? (): void => void (gc as () => void)() : undefined;
}

/** Whether dead objects are found dead, and live ones alive. */
function works(collector: Collector): boolean {
  const live: object[] = [];
  const make = (keep: boolean): WeakRef<object> => {
    const o = { payload: [live.length] };
    if (keep) live.push(o);
    return new WeakRef(o);
  };
  const refs = Array.from({ length: 16 }, (_, i) => make(i % 2 === 0));
  collector.settle();
  collector.collect();
  const right = refs.every((r, i) => (r.deref() === undefined) === (i % 2 === 1));
  collector.settle();
  return right && live.length === 8;
}

/** Whether there is a chance of a collector: decides how arrays are watched before the test has been run. */
export const mayHaveCollector = (): boolean => builtin("node:vm") !== undefined && builtin("node:v8") !== undefined;
