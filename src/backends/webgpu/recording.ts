import type { Kernel } from "../../kernel-ir/kernel.js";
import type { BufferRef } from "../../kernel-ir/program.js";
import type { FusedLoop } from "./fused/loop.js";

/**
 * A program as a GPU takes it: launches in a line, and how a call goes through them.
 *
 *   node ::= launches from, to | rounds length × (even, odd …) | while alive: (even, odd …)
 *
 * Branches are no nodes: what they launch is recorded behind each other, and a word on the device (a gate) says of each launch
 * whether it does anything. So is a loop whose end depends on data: rounds are recorded ahead, and those behind the end do nothing.
 */

/** What a launch runs. */
export type Work = Kernel | CopyWork | BirthWork | GateWork | FusedLoop;

/** A plain copy of words from argument 0 to argument 1. */
export interface CopyWork {
  readonly kind: "copy";
  readonly name: string;
  readonly bytes: number;
}

/** Nothing is done: a value begins at argument 0, which several launches write together, and what was there is dead. */
export interface BirthWork {
  readonly kind: "birth";
  readonly name: string;
  readonly bytes: number;
}

/**
 * Sets gates by the word that argument 0 (if any) holds. Gates are numbered; `parent` is the gate that the whole is behind.
 *
 * - branch: of the `count` gates from `first` on, the one that the word (clamped) says is open.
 * - begin: `gate` is open, and the rounds behind it are counted from 0.
 * - while: `gate` stays open if the word is not 0, and a round is counted.
 * - odd: `gate` is open if the rounds behind gate `of` are odd in number.
 */
export type GateRule =
  | { readonly kind: "branch"; readonly parent: number | null; readonly first: number; readonly count: number }
  | { readonly kind: "begin"; readonly parent: number | null; readonly gate: number }
  | { readonly kind: "while"; readonly gate: number }
  | { readonly kind: "odd"; readonly parent: number | null; readonly gate: number; readonly of: number };
export interface GateWork {
  readonly kind: "gate";
  readonly name: string;
  readonly rule: GateRule;
}

/** In round k of the rounds at `depth`, the bytes from k · stride on are meant. */
export interface Slice {
  readonly depth: number;
  readonly stride: number;
}

/** Where a value lies, as the entry sees it; with slices, the bytes are those of all of them. */
export interface Spot {
  readonly ref: BufferRef;
  readonly slices: readonly Slice[];
  readonly bytes: number;
}

/** An argument of a launch; arena offsets count from the base of the entry. */
export interface FlatArg {
  readonly ref: BufferRef;
  readonly slices: readonly Slice[];
  /** Bytes from `ref` on that the launch may touch, in all rounds. */
  readonly bytes: number;
  /** It is a part of what several launches write together: nothing that was there before is dead for it. */
  readonly joins: boolean;
}

export interface FlatLaunch {
  readonly work: Work;
  readonly args: readonly FlatArg[];
  /** It does nothing unless this gate is open. */
  readonly gate: number | null;
  /** Rounds that it lies in: it knows their numbers. */
  readonly depth: number;
}

export type Node =
  | { readonly kind: "launches"; readonly from: number; readonly to: number }
  /** Rounds i = 0 … length − 1, `even` and `odd` by turns; k = i, or length − 1 − i. */
  | {
      readonly kind: "rounds";
      readonly depth: number;
      readonly length: number;
      readonly reverse: boolean;
      readonly even: readonly Node[];
      readonly odd: readonly Node[];
    }
  /** As long as gate `alive` is open. */
  | {
      readonly kind: "while";
      readonly alive: number;
      /** Rounds that are recorded before it is asked for the first time whether there are so many. */
      readonly atFirst: number;
      readonly even: readonly Node[];
      readonly odd: readonly Node[];
    };

/** Launches [from, to). */
export interface Run {
  readonly from: number;
  readonly to: number;
}

export interface Recording {
  readonly launches: readonly FlatLaunch[];
  readonly nodes: readonly Node[];
  readonly gates: number;
  /** What of the program cannot be recorded, in words. */
  readonly lacks: string | undefined;
}

export function argumentBytes(work: Work, i: number): number {
  switch (work.kind) {
    case "copy":
    case "birth":
      return work.bytes;
    case "gate":
      return 4;
    case "fused":
      return work.args[i]!.bytes;
    default:
      return work.buffers[i]!.length * 4;
  }
}

export function argumentAccess(work: Work, i: number): "read" | "write" | "readwrite" {
  switch (work.kind) {
    case "copy":
      return i === 0 ? "read" : "write";
    case "birth":
      return "write";
    case "gate":
      return "read";
    case "fused":
      return work.args[i]!.access;
    default:
      return work.buffers[i]!.access;
  }
}

/** The launches of nodes, by new numbers. */
export function renumbered(nodes: readonly Node[], at: (launch: number) => number): readonly Node[] {
  return nodes.map((node): Node => {
    if (node.kind === "launches") return { kind: "launches", from: at(node.from), to: at(node.to) };
    const even = renumbered(node.even, at);
    return { ...node, even, odd: node.odd === node.even ? even : renumbered(node.odd, at) };
  });
}

/** The runs of launches of nodes, each once, in their order. */
export function runsOf(nodes: readonly Node[]): readonly Run[] {
  return nodes.flatMap((node) => {
    if (node.kind === "launches") return [node];
    return [...runsOf(node.even), ...(node.odd === node.even ? [] : runsOf(node.odd))];
  });
}

/** What is done more than once. */
export function regionsOf(nodes: readonly Node[]): readonly Run[] {
  return nodes.flatMap((node) => {
    if (node.kind === "launches") return [];
    const inner = runsOf([node]);
    const whole = { from: Math.min(...inner.map((r) => r.from)), to: Math.max(...inner.map((r) => r.to)) };
    return [...(inner.length > 0 ? [whole] : []), ...regionsOf(node.even), ...regionsOf(node.odd)];
  });
}
