import { InternalError, invariant } from "../../core/errors.js";
import type { Kernel } from "../../kernel-ir/kernel.js";
import { printKernel } from "../../kernel-ir/printer.js";
import { type BankLayout, type Conflict, layOutBanks, type Tenant } from "./banks.js";
import { bindingAlignment, wholeVectors } from "./constants.js";
import { copyCode } from "./copy.js";
import { controlled } from "./control.js";
import type { Control, Dispatch, KernelCode, LaunchContext, Limits, View } from "./dispatch.js";
import { type KernelDescription, overLimit } from "./errors.js";
import { fusedCode } from "./fused/code.js";
import { gateCode } from "./gate.js";
import { type Bound, join, type Joint, type Planned } from "./joint.js";
import { type Node, regionsOf, renumbered, runsOf, type Slice, type Work } from "./recording.js";
import type { Pipeline, Pipelines } from "./pipelines.js";
import { lastingThrough, type Place, type PlacedLaunch, type PlacedProgram } from "./temporaries.js";

export type Lower = (kernel: Kernel, launch: LaunchContext) => KernelCode;

/** What lies in the storage of an (earlier) input in a call: an output that takes it over, and other inputs that are the same array. */
export type Sharing = readonly Shared[];
export interface Shared {
  readonly kind: "input" | "output";
  readonly index: number;
  readonly input: number;
}
export const keyOf = (sharing: Sharing): string => sharing.map((s) => `${s.kind} ${s.index} ${s.input}`).join(",");

/** Where a binding's bytes are in a call. */
export type Resource =
  | { readonly kind: "input" | "output"; readonly index: number; readonly size: number }
  | { readonly kind: "bank"; readonly bank: number; readonly offset: number; readonly size: number }
  | { readonly kind: "gates" };

export interface BoundDispatch {
  readonly dispatch: Dispatch;
  /** What it does: one launch's work, or that of several. */
  readonly works: readonly Work[];
  readonly pipeline: Pipeline;
  readonly resources: readonly Resource[];
  readonly gate: number | null;
}

/** A program for one way in which outputs share storage with inputs: everything that a call does not have to decide. */
export interface Specialised {
  readonly dispatches: readonly BoundDispatch[];
  /** How a call goes through the dispatches. */
  readonly nodes: readonly Node[];
  readonly gates: number;
  /** Bytes of the arena's banks. */
  readonly banks: readonly number[];
}

export interface SpecialiseContext {
  readonly limits: Limits;
  /** The most bytes that one buffer may have and be bound with, and the limit that says so. */
  readonly largest: { readonly name: string; readonly bytes: number };
  readonly lower: Lower;
  /** Kernels that were lowered before, by which arguments share storage. */
  readonly lowered: WeakMap<Kernel, Map<string, KernelCode>>;
  readonly pipelines: Pipelines;
}

export const describe = (works: readonly Work[]): KernelDescription => ({
  name: works.map(({ name }) => name).join(" | "),
  ir: works.map(irOf).join("\n"),
});

function irOf(work: Work): string {
  switch (work.kind) {
    case "copy":
    case "birth":
      return `${work.kind} of ${work.bytes} bytes`;
    case "gate":
      return JSON.stringify(work.rule);
    case "fused":
      return work.ir();
    default:
      return printKernel(work);
  }
}

/** Lowers every launch, lays out what lives between dispatches, and begins to compile all pipelines. */
export function specialise(program: PlacedProgram, sharing: Sharing, context: SpecialiseContext): Specialised {
  const bytes = program.temporaries.map((t) => ({ name: program.launches[t.first]!.work.name, bytes: t.bytes }));
  const plannedOf = (launch: PlacedLaunch): Planned[] => {
    const code = lowerLaunch(launch, sharing, context);
    const scratch = code.scratch.map((n) => bytes.push({ name: launch.work.name, bytes: n }) - 1);
    return code.dispatches
      .filter((d) => !d.workgroups.includes(0))
      .map((dispatch) => ({ dispatch, launch, code, scratch }));
  };
  const joints: Joint[] = [];
  const firsts = new Map<number, number>();
  for (const { from, to } of runsOf(program.nodes)) {
    const joined = join(program.launches.slice(from, to).flatMap(plannedOf), {
      limits: context.limits,
      keyOf: (b) => `${storageNameOf(b, sharing)} ${bindingBytes(b, sharing)}`,
      storageOf: (b) => wholeStorageOf(b, sharing),
      withThreads: ({ launch }, threads) => lowerLaunch(launch, sharing, context, threads),
    });
    firsts.set(from, joints.length);
    joints.push(...joined);
    firsts.set(to, joints.length);
  }
  const nodes = renumbered(program.nodes, (launch) => firsts.get(launch)!);
  const tenants = lastingThrough(tenantsOf(bytes, joints), regionsOf(nodes));
  const layout = layOutBanks(tenants, joints.map(conflictOf), context.largest);
  const dispatches = joints.map(({ dispatch, parts, bound }): BoundDispatch => {
    const works = parts.map((p) => p.launch.work);
    check(dispatch, works, context.limits);
    return {
      dispatch,
      works,
      pipeline: context.pipelines.get(dispatch, () => describe(works)),
      resources: bound.map((b) => resourceOf(b, { layout, sharing, limits: context.limits })),
      gate: parts[0]!.launch.gate,
    };
  });
  return { dispatches, nodes, gates: program.gates, banks: layout.bytes };
}

const nothing: KernelCode = { dispatches: [], scratch: [] };

function lowerLaunch(
  { work, places, gate }: PlacedLaunch,
  sharing: Sharing,
  context: SpecialiseContext,
  threads?: number,
): KernelCode {
  const same = sameAs(places, sharing);
  const views = places.map(viewOf);
  const isViewed = views.some((v) => v !== undefined);
  const turns = work.kind === "fused" ? work.turns : isViewed ? turnsOf(places) : 0;
  const control: Control = { gated: gate !== null, turns };
  const asControlled = (code: KernelCode): KernelCode =>
    control.gated || turns > 0
      ? { ...code, dispatches: code.dispatches.map(({ source: _, ...d }) => controlled(d, control)) }
      : code;
  switch (work.kind) {
    case "birth":
      return nothing;
    case "gate":
      return gateCode(work.rule);
    case "copy":
      return same[1] === 0 ? nothing : asControlled(copyCode(work.bytes, context.limits));
    case "fused":
      return asControlled(fusedCode(work, context.limits));
  }
  let codes = context.lowered.get(work);
  if (!codes) context.lowered.set(work, (codes = new Map()));
  const key = [same.join(" "), threads, control.gated, ...views.map((v) => v?.base)].join(",");
  let code = codes.get(key);
  if (!code) {
    const lowered = context.lower(work, {
      limits: context.limits,
      sameAs: same,
      ...(threads === undefined ? {} : { threads }),
      ...(isViewed ? { views } : {}),
    });
    codes.set(key, (code = asControlled(lowered)));
  }
  return code;
}

/** Element 0 of a slice, by the numbers of the rounds. */
const viewOf = ({ slices }: { readonly slices: readonly Slice[] }): View | undefined =>
  slices.length === 0
    ? undefined
    : { base: slices.map(({ depth, stride }) => `turn${depth} * ${stride / 4}`).join(" + ") };

const turnsOf = (places: readonly Place[]): number =>
  places.reduce((n, { slices }) => slices.reduce((m, { depth }) => Math.max(m, depth + 1), n), 0);

/** Names the storage of an argument: equal for arguments in one storage. */
function storageOf(place: Place, sharing: Sharing): string {
  if (place.kind === "temporary") return `temporary ${place.temporary} ${place.offset}`;
  const shared = sharing.find((s) => s.kind === place.kind && s.index === place.index);
  return shared ? `input ${shared.input}` : `${place.kind} ${place.index}`;
}

function sameAs(places: readonly Place[], sharing: Sharing): readonly number[] {
  const names = places.map((p) => storageOf(p, sharing));
  return names.map((name) => names.indexOf(name));
}

function tenantOf({ part, binding }: Bound): number | undefined {
  if (binding.kind === "gates") return undefined;
  if (binding.kind === "scratch") return part.scratch[binding.scratch]!;
  const place = part.launch.places[binding.arg]!;
  return place.kind === "temporary" ? place.temporary : undefined;
}

/** Names what a dispatch binds, and all of the storage that this is a piece of. */
function storageNameOf({ part, binding }: Bound, sharing: Sharing): string {
  if (binding.kind === "gates") return binding.kind;
  if (binding.kind === "scratch") return `scratch ${part.scratch[binding.scratch]!}`;
  return storageOf(part.launch.places[binding.arg]!, sharing);
}
function wholeStorageOf(bound: Bound, sharing: Sharing): string {
  const tenant = tenantOf(bound);
  return tenant === undefined ? storageNameOf(bound, sharing) : `tenant ${tenant}`;
}

/** What lives between dispatches, each from the first of the dispatches that use it to the last. */
function tenantsOf(all: readonly Pick<Tenant, "name" | "bytes">[], joints: readonly Joint[]): Tenant[] {
  const found = all.map((t) => ({ ...t, first: Infinity, last: 0 }));
  joints.forEach(({ bound }, at) => {
    for (const b of bound) {
      const tenant = tenantOf(b);
      if (tenant === undefined) continue;
      const t = found[tenant]!;
      t.first = Math.min(t.first, at);
      t.last = at;
    }
  });
  // One that no dispatch uses takes no room.
  return found.map((t) => (t.first === Infinity ? { ...t, bytes: 0, first: 0 } : t));
}

function conflictOf({ bound }: Joint): Conflict {
  const of = (access: "read" | "read_write"): readonly number[] =>
    bound.flatMap((b) => (b.binding.access === access ? (tenantOf(b) ?? []) : []));
  return { reads: of("read"), writes: of("read_write") };
}

interface ResourceContext {
  readonly layout: BankLayout;
  readonly sharing: Sharing;
  readonly limits: Limits;
}

const bindingBytes = ({ part, binding }: Bound, sharing: Sharing): number =>
  binding.kind === "gates"
    ? 0
    : wholeVectors(
        binding.kind === "scratch"
          ? part.code.scratch[binding.scratch]!
          : storageBytes(part.launch, binding.arg, sharing),
      );

function resourceOf(b: Bound, { layout, sharing, limits }: ResourceContext): Resource {
  const { part, binding } = b;
  if (binding.kind === "gates") return { kind: "gates" };
  const size = bindingBytes(b, sharing);
  const limit = limits.maxStorageBufferBindingSize;
  const { name } = part.launch.work;
  if (size > limit) throw overLimit(size, "maxStorageBufferBindingSize", limit, `an operand of ${name}`);
  const place = binding.kind === "arg" ? part.launch.places[binding.arg]! : undefined;
  if (place && place.kind !== "temporary") return { kind: place.kind, index: place.index, size };
  const { bank, offset } = layout.places[tenantOf(b)!]!;
  const at = offset + (place?.offset ?? 0);
  invariant(at % bindingAlignment === 0, `${name}: an operand at byte ${at} of the arena`);
  return { kind: "bank", bank, offset: at, size };
}

/** Bytes of an argument and of those in the same storage, which go by its binding. */
function storageBytes({ places }: PlacedLaunch, arg: number, sharing: Sharing): number {
  const name = storageOf(places[arg]!, sharing);
  return places.reduce((n, p) => (storageOf(p, sharing) === name ? Math.max(n, p.bytes) : n), 0);
}

function check({ label, bindings, workgroups }: Dispatch, works: readonly Work[], limits: Limits): void {
  const { maxComputeWorkgroupsPerDimension: groups, maxStorageBuffersPerShaderStage: buffers } = limits;
  if (bindings.length <= buffers && workgroups.every((n) => n <= groups)) return;
  const { name, ir } = describe(works);
  throw new InternalError(`kernel ${name} was lowered beyond the limits of the device`, [
    ["dispatch", label],
    ["bindings", `${bindings.length} of ${buffers}`],
    ["workgroups", `${workgroups.join("x")} of ${groups} in a dimension`],
    ["kernel", ir],
  ]);
}
