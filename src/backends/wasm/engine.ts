import { ModuleBuilder } from "./module-builder.js";
import { Op } from "./opcodes.js";

/**
 * What the JavaScript engine's WebAssembly can do, and how modules are compiled in it.
 *
 * Relaxed SIMD is part of WebAssembly 3, but Node 20 has it behind a flag that may be set at run time. Engines that have it
 * complain of the flag, so it is set only after validating has failed.
 */
let relaxed: boolean | undefined;
let relaxedAllowed = true;

/** Whether kernels may use relaxed SIMD (fused multiply-add, lane select by the sign bit). */
export function relaxedSimd(): boolean {
  if (!relaxedAllowed) return false;
  return (relaxed ??= probeRelaxedSimd());
}

/** Forbids (or allows again) relaxed SIMD in modules compiled from now on: to test and to measure what runs without it. */
export function allowRelaxedSimd(allowed: boolean): void {
  relaxedAllowed = allowed;
}

function probeRelaxedSimd(): boolean {
  const m = new ModuleBuilder();
  const f = m.func("probe", ["v128"], ["v128"]);
  f.get(0);
  f.get(0);
  f.get(0);
  f.op(Op.f32x4_relaxed_madd);
  const bytes = m.toBytes();
  if (WebAssembly.validate(bytes)) return true;
  setEngineFlags("--experimental-wasm-relaxed-simd");
  return WebAssembly.validate(bytes);
}

type SetFlags = (flags: string) => void;
let setFlags: SetFlags | null | undefined;

/** Sets V8 flags where the engine is V8 and lets us (Node); elsewhere nothing happens. */
function setEngineFlags(flags: string): void {
  if (setFlags === undefined) setFlags = findSetFlags();
  setFlags?.(flags);
}

function findSetFlags(): SetFlags | null {
  if (typeof process === "undefined" || process.versions?.v8 === undefined) return null;
  // Who has chosen V8's tiers on the command line keeps them.
  if (process.execArgv?.some((a) => /^--(no-)?(liftoff|turbofan|wasm)/.test(a))) return null;
  const v8 = process.getBuiltinModule?.("node:v8");
  return v8 ? (flags) => v8.setFlagsFromString(flags) : null;
}

/**
 * Compiles a module. `optimised`: its code is to run at full speed from the first call on.
 *
 * V8 compiles lazily and in two tiers, and a running call stays in the slow tier: a first call that takes a second would take
 * it all there. Where the engine lets us, flags that stand only while the module is compiled make it optimise at once.
 */
export function compileModule(bytes: Uint8Array<ArrayBuffer>, optimised: boolean): WebAssembly.Module {
  if (!optimised) return new WebAssembly.Module(bytes);
  setEngineFlags("--no-liftoff --no-wasm-lazy-compilation");
  try {
    return new WebAssembly.Module(bytes);
  } finally {
    setEngineFlags("--liftoff --wasm-lazy-compilation");
  }
}
