import { config } from "./config.js";

/** Where an operation comes from in what a user wrote. Recorded while `debugNans` or `debugInfs` is on, for it costs. */
export interface Source {
  /** The user's line, as stacks show it. */
  readonly line: string;
  /** The operation that stands there: the one that came of it may be of its derivative. */
  readonly op: string;
  /** It belongs to the backward pass. */
  readonly backward?: boolean;
}

let current: Source | undefined;

/** Whether operations are recorded with their sources. */
export const recordsSources = (): boolean => config.debugNans || config.debugInfs;

/** The source of what is bound now, if one is known. */
export const currentSource = (): Source | undefined => current;

/** Runs what an operation of some source leads to. */
export function withSource<R>(source: Source | undefined, body: () => R): R {
  if (source === undefined) return body();
  const outer = current;
  current = source;
  try {
    return body();
  } finally {
    current = outer;
  }
}

/** Runs what belongs to the backward pass of an operation. */
export const withBackwardSource = <R>(source: Source | undefined, body: () => R): R =>
  withSource(source && { ...source, backward: true }, body);

/** Where a user's line is reached from here. */
export function lineHere(): string {
  const limits = Error as { stackTraceLimit?: number };
  const { stackTraceLimit } = limits;
  limits.stackTraceLimit = 100;
  try {
    return userLine(new Error());
  } finally {
    if (stackTraceLimit === undefined) delete limits.stackTraceLimit;
    else limits.stackTraceLimit = stackTraceLimit;
  }
}

/** The first line of a stack that lies outside of this library. */
export function userLine(e: Error): string {
  const here = import.meta.url.replace(/^file:\/\//, "").replace(/core\/[^/]*$/, "");
  const lines = (e.stack ?? "").split("\n").slice(1);
  return (lines.find((l) => !l.includes(here) && !l.includes("node:")) ?? lines[0] ?? "unknown").trim();
}
