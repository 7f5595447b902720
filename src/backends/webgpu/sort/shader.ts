import type { Binding, Dispatch, DispatchCost, LaunchContext } from "../dispatch.js";
import { foldGroups } from "../wgsl/module.js";

/** Storage that shaders of sorts name: an argument of the kernel, or scratch. */
export type Place = { readonly kind: "arg"; readonly arg: number } | ScratchPlace;
export interface ScratchPlace {
  readonly kind: "scratch";
  readonly scratch: number;
}

export const arg = (k: number): Place => ({ kind: "arg", arg: k });

/** Hands out the memory that the dispatches of one kernel share. */
export class ScratchMemory {
  readonly bytes: number[] = [];

  words(count: number): ScratchPlace {
    return { kind: "scratch", scratch: this.bytes.push(4 * count) - 1 };
  }
}

/** The place where an argument's storage is named: that of the first argument that lies there. */
export function storageOf(place: Place, ctx: LaunchContext): Place {
  return place.kind === "arg" ? arg(ctx.sameAs[place.arg] ?? place.arg) : place;
}

export const samePlace = (a: Place, b: Place): boolean =>
  a.kind === "arg" ? b.kind === "arg" && a.arg === b.arg : b.kind === "scratch" && a.scratch === b.scratch;

/** How many bindings places take. */
export function countPlaces(places: readonly Place[], ctx: LaunchContext): number {
  const distinct: Place[] = [];
  for (const place of places.map((p) => storageOf(p, ctx))) {
    if (!distinct.some((p) => samePlace(p, place))) distinct.push(place);
  }
  return distinct.length;
}

/**
 * One shader over arrays of 32-bit words. Sorts move words whatever they mean, so that no bit of a NaN or of a subnormal is
 * lost to a load as a float.
 */
export class WordShader {
  private readonly places: { readonly place: Place; written: boolean; read: boolean }[] = [];
  private readonly declarations: string[] = [];

  constructor(private readonly ctx: LaunchContext) {}

  private bind(place: Place): { name: string; use: { written: boolean; read: boolean } } {
    const storage = storageOf(place, this.ctx);
    let k = this.places.findIndex((p) => samePlace(p.place, storage));
    if (k < 0) k = this.places.push({ place: storage, written: false, read: false }) - 1;
    return { name: `b${k}`, use: this.places[k]! };
  }
  load(place: Place, index: string): string {
    const { name, use } = this.bind(place);
    use.read = true;
    return `${name}[${index}]`;
  }
  store(place: Place, index: string, value: string): string {
    const { name, use } = this.bind(place);
    use.written = true;
    return `${name}[${index}] = ${value};`;
  }
  /** A declaration at module scope. */
  declare(text: string): void {
    if (!this.declarations.includes(text)) this.declarations.push(text);
  }

  /** The whole module, run by `groups` workgroups of `size`; the body sees `group` and `t`, and may hold barriers. */
  finish(label: string, groups: number, size: number, body: string, cost: DispatchCost): Dispatch {
    const workgroups = foldGroups(groups, this.ctx.limits.maxComputeWorkgroupsPerDimension);
    const [x, y] = workgroups;
    const bindings: Binding[] = [];
    const declared = this.places.map(({ place, written }, k) => {
      bindings.push({ ...place, access: written ? "read_write" : "read" });
      return `@group(0) @binding(${k}) var<storage, ${written ? "read_write" : "read"}> b${k}: array<u32>;`;
    });
    // The group's number is uniform: leaving here keeps barriers in uniform control flow.
    const guard = x * y > groups ? `  if (group >= ${groups}) { return; }\n` : "";
    const number = y > 1 ? `i32(wid.y * ${x}u + wid.x)` : "i32(wid.x)";
    const wgsl = `${[...declared, ...this.declarations].join("\n")}

@compute @workgroup_size(${size})
fn main(@builtin(workgroup_id) wid: vec3<u32>, @builtin(local_invocation_index) lid: u32) {
  let group = ${number};
  let t = i32(lid);
${guard}${indent(body)}
}
`;
    return { label, wgsl, bindings, workgroups, cost };
  }
}

export const indent = (text: string, by = "  "): string =>
  text
    .split("\n")
    .map((line) => (line.trim() === "" ? "" : by + line))
    .join("\n");
