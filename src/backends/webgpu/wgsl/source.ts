import type { ElementType } from "./module.js";
import type { ScalarType } from "../../../kernel-ir/scalar.js";

/** A shader module in parts, so that several can be made one. */
export interface ModuleSource {
  /** Storage `b0`, `b1` … */
  readonly storage: readonly { readonly element: ElementType; readonly written: boolean }[];
  /** Arrays in workgroup memory. */
  readonly arrays: readonly WorkgroupArray[];
  /** Helper functions by their names, in the order in which modules have them. */
  readonly helpers: ReadonlyMap<string, string>;
  readonly size: readonly number[];
  /** Values named at the beginning of `main`. */
  readonly constants: readonly string[];
  /** What `main` does; uses `group`, `lid`, `id` and, like constants, `zero`. */
  readonly body: string;
  readonly workgroups: readonly [x: number, y: number, z: number];
}

export interface WorkgroupArray {
  readonly name: string;
  readonly element: ElementType | ScalarType;
  readonly length: number;
}

const product = (xs: readonly number[]): number => xs.reduce((a, b) => a * b, 1);
const indented = (text: string): string => text.replace(/^(?=.)/gm, "  ");
const isUsed = (name: string, { body, constants }: ModuleSource): boolean =>
  [body, ...constants].some((text) => new RegExp(`\\b${name}\\b`).test(text));

/** The number of a workgroup among those of a dispatch. */
const numberOf = ([x, y]: ModuleSource["workgroups"]): string => (y > 1 ? `wid.y * ${x}u + wid.x` : "wid.x");

/** The lines with which a part of `main` begins; `group`: the number of its workgroup, as an i32. */
function opening(source: ModuleSource, group: string): string[] {
  const { size, constants } = source;
  const usesId = isUsed("id", source);
  return [
    ...(usesId || isUsed("group", source) ? [`let group = ${group};`] : []),
    ...(usesId || isUsed("lid", source) ? ["let lid = i32(place);"] : []),
    ...(usesId ? [`let id = group * ${product(size)} + lid;`] : []),
    ...(isUsed("zero", source) ? ["let zero = wid.z;"] : []),
    ...constants,
  ];
}

const declarations = (storage: ModuleSource["storage"], arrays: readonly WorkgroupArray[]): string[] => [
  ...storage.map(
    ({ element, written }, k) =>
      `@group(0) @binding(${k}) var<storage, ${written ? "read_write" : "read"}> b${k}: array<${element}>;\n`,
  ),
  ...arrays.map(({ name, element, length }) => `var<workgroup> ${name}: array<${element}, ${length}>;\n`),
];

function main(size: readonly number[], text: string): string {
  const parameters = [
    ...(/\bwid\b/.test(text) ? ["@builtin(workgroup_id) wid: vec3u"] : []),
    ...(/\bplace\b/.test(text) ? ["@builtin(local_invocation_index) place: u32"] : []),
  ];
  return `@compute @workgroup_size(${size.join(", ")})\nfn main(${parameters.join(", ")}) {\n${indented(text)}}\n`;
}

/** The text of a module. */
export function printModule(source: ModuleSource): string {
  const start = opening(source, `i32(${numberOf(source.workgroups)})`).map((line) => `${line}\n`);
  return [
    ...declarations(source.storage, source.arrays),
    ...source.helpers.values(),
    main(source.size, start.join("") + source.body),
  ].join("");
}

/** The text of a function of another module that does what `main` does: `fn name(wid: vec3u, place: u32)`. */
export function printFunction(name: string, source: ModuleSource): string {
  const start = opening(source, `i32(${numberOf(source.workgroups)})`).map((line) => `${line}\n`);
  return `fn ${name}(wid: vec3u, place: u32) {\n${indented(start.join("") + source.body)}}\n`;
}

/** A module of a joint one: `storage[k]` is the number that its `b<k>` has there. */
export interface ModulePart {
  readonly source: ModuleSource;
  readonly storage: readonly number[];
}

/**
 * The text of one module for all workgroups of several, which have workgroups of one size: the first ones do what the first
 * module says, those after them what the second says, and so on. All invocations of a workgroup agree on what they do, so that
 * they may meet at barriers.
 */
export function printJoint(
  parts: readonly ModulePart[],
  storage: ModuleSource["storage"],
  workgroups: ModuleSource["workgroups"],
): string {
  const arrays: WorkgroupArray[] = [];
  const helpers = new Map<string, string>();
  let first = 0;
  const branches = parts.map(({ source, storage: numbers }, at) => {
    source.helpers.forEach((text, name) => helpers.set(name, text));
    const names = new Map(source.storage.map((_, k) => [`b${k}`, `b${numbers[k]!}`]));
    for (const array of source.arrays) {
      const name = `${array.name}_of${at}`;
      names.set(array.name, name);
      arrays.push({ ...array, name });
    }
    const begin = first;
    first += product(source.workgroups);
    const text = `${opening(source, begin === 0 ? "joint" : `joint - ${begin}`).join("\n")}\n${source.body}`;
    const renamed = text.replace(/\b[a-zA-Z]\w*\b/g, (name) => names.get(name) ?? name);
    const isLast = at === parts.length - 1 && first === product(workgroups);
    return `${isLast ? "" : `if (joint < ${first}) `}{\n${indented(renamed)}}`;
  });
  return [
    ...declarations(storage, arrays),
    ...helpers.values(),
    main(parts[0]!.source.size, `let joint = i32(${numberOf(workgroups)});\n${branches.join(" else ")}\n`),
  ].join("");
}
