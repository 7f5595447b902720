/**
 * What an equation does besides giving results, as names of kinds of effects. A set of effects stands on every equation and
 * jaxpr; what has effects is never dropped, repeated or moved past other effects.
 */
export type Effects = ReadonlySet<string>;

/** Effects that look at a program without being part of it: derivatives and examples may repeat them. */
export const debugEffect: Effects = new Set(["Debug"]);
export const orderedDebugEffect: Effects = new Set(["OrderedDebug"]);

/** What may throw: `checkify` makes results of it, nothing else runs it. */
export const checkEffect: Effects = new Set(["Check"]);

/** Effects on the world that a program is run for. */
export const ioEffect: Effects = new Set(["IO"]);
export const orderedIoEffect: Effects = new Set(["OrderedIO"]);

/** Whether there is an effect on the world among some. */
export const touchesWorld = (effects: Effects): boolean => effects.has("IO") || effects.has("OrderedIO");

/** Whether all effects may be repeated where values are computed again. */
export const isRepeatable = (effects: Effects): boolean => {
  for (const e of effects) if (e !== "Debug" && e !== "OrderedDebug" && e !== "Check") return false;
  return true;
};
