import { type Aval, formatAval, sameAval, strengthen } from "../core/aval.js";
import { describeValue } from "../core/literal.js";
import { lineHere } from "../core/source.js";
import { leafPaths, type TreeDef } from "../core/tree.js";

/** What a trace of a function is for: another call that has all of it runs the same program. */
export interface Traced {
  /** The list of the arguments that are traced, with the types of their arrays. */
  readonly def: TreeDef;
  readonly avals: readonly Aval[];
  /** Positions, keys and values of the others. */
  readonly statics: readonly StaticArgument[];
  readonly device: string;
  readonly axes: string;
  readonly x64: boolean;
}

export interface StaticArgument {
  readonly position: number;
  readonly key: string;
  readonly value: unknown;
}

type AnyFunction = (...args: never[]) => unknown;

/** Texts of functions that were traced while misses are explained. */
const texts = new Set<string>();

/** Says what is new about a call that is traced: `seen` are the traces that are kept, `traces` counts all there were. */
export function explainMiss(
  f: AnyFunction,
  name: string,
  call: Traced,
  seen: Iterable<Traced>,
  traces: number,
): string {
  const head = `trace-cache miss: ${name} is traced, called from ${lineHere().replace(/^at /, "")}`;
  const text = `${name}|${f.toString()}`;
  const again = texts.has(text);
  texts.add(text);
  const names = argumentNames(f);
  let nearest: readonly string[] | undefined;
  let distance = Infinity;
  for (const before of seen) {
    const found = differences(call, before, names);
    if (found.weight >= distance) continue;
    distance = found.weight;
    nearest = found.lines;
  }
  if (nearest) return [head, "  compared with the nearest call that was traced before:", ...nearest].join("\n");
  if (traces > 0) {
    return `${head}\n  its traces are not kept: it captures values of a transformation that is running; pass them as arguments`;
  }
  if (!again) return `${head}\n  this function was not traced before`;
  return [
    head,
    "  this function was not traced before, but another one of the same name and text was:",
    "  it may be defined anew each time, in a loop or in a function that is called again; define it, and call jit, once outside",
  ].join("\n");
}

interface Differences {
  readonly lines: readonly string[];
  /** How much differs. */
  readonly weight: number;
}

function differences(now: Traced, before: Traced, names: readonly string[]): Differences {
  const lines: string[] = [];
  let weight = 0;
  const say = (what: string, a: string, b: string, ...why: readonly string[]): void => {
    lines.push(`  * ${what}: now ${a}, before ${b}${why.length === 0 ? "" : ` (${why.join(", ")})`}`);
    weight += Math.max(1, why.length);
  };
  const [nowNames, beforeNames] = [dynamicNames(now, names), dynamicNames(before, names)];
  if (now.def.key === before.def.key) {
    const paths = now.def.children.flatMap((c, i) => leafPaths(c, nowNames[i]!));
    now.avals.forEach((a, i) => {
      const b = before.avals[i]!;
      if (!sameAval(a, b)) say(paths[i]!, typeText(a), typeText(b), ...whatDiffers(a, b));
    });
  } else {
    const count = Math.max(now.def.children.length, before.def.children.length);
    for (let i = 0; i < count; i++) {
      const [a, b] = [now.def.children[i], before.def.children[i]];
      if (a?.key === b?.key) continue;
      say(nowNames[i] ?? beforeNames[i]!, structureText(a), structureText(b), "another structure");
    }
  }
  for (const s of now.statics) {
    const b = before.statics.find((t) => t.position === s.position);
    const what = `static ${nameAt(names, s.position)}`;
    if (b === undefined) say(what, describeValue(s.value), "not static");
    else if (b.key !== s.key)
      say(
        what,
        describeValue(s.value),
        describeValue(b.value),
        ...(identity(s.value) ? ["objects count by identity"] : []),
      );
  }
  if (now.device !== before.device) say("the default device", now.device, before.device);
  if (now.x64 !== before.x64) say("enableX64", String(now.x64), String(before.x64));
  if (now.axes !== before.axes)
    say("named axes and what is recorded", now.axes || "nothing", before.axes || "nothing", "see axisName, debugNans");
  return { lines, weight };
}

const typeText = (a: Aval): string => `${formatAval(strengthen(a))}${a.weakType ? " of weak type" : ""}`;
const structureText = (def: TreeDef | undefined): string => def?.key ?? "not given";
const identity = (x: unknown): boolean =>
  typeof x === "function" || (typeof x === "object" && x !== null && !Array.isArray(x));

function whatDiffers(a: Aval, b: Aval): string[] {
  const what: string[] = [];
  if (formatAval({ ...a, dtype: b.dtype, weakType: b.weakType }) !== formatAval(b)) what.push("shape");
  if (a.dtype !== b.dtype) what.push("dtype");
  if (a.weakType !== b.weakType) what.push("weak type: a JS number here, an array there");
  return what;
}

const nameAt = (names: readonly string[], position: number): string => names[position] ?? `argument ${position}`;

/** Names of the arguments that are traced. */
function dynamicNames({ def, statics }: Traced, names: readonly string[]): string[] {
  const positions: number[] = [];
  for (let p = 0; positions.length < def.children.length; p++)
    if (!statics.some((s) => s.position === p)) positions.push(p);
  return positions.map((p) => nameAt(names, p));
}

/** What a function calls its arguments, as far as these are simple names. */
function argumentNames(f: AnyFunction): string[] {
  const text = f.toString();
  const list =
    /^(?:async\s+)?(?:function\b[^(]*)?\(([^()]*)\)/.exec(text)?.[1] ?? /^([\w$]+)\s*=>/.exec(text)?.[1] ?? "";
  const names: string[] = [];
  for (const part of list.split(",")) {
    const name = /^\s*([A-Za-z_$][\w$]*)\s*(?:=.*)?$/s.exec(part)?.[1];
    if (name === undefined) break;
    names.push(name);
  }
  return names;
}
