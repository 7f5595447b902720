import { type Operations, ops } from "./define.js";
import {
  abs,
  add,
  and,
  convertElementType,
  div,
  eq,
  exp,
  floor,
  ge,
  gt,
  integerPow,
  log,
  logaddexp,
  lt,
  max,
  min,
  mul,
  ne,
  neg,
  or,
  rsqrt,
  select,
  shareOf,
  shareOfSum,
  sign,
  square,
  sub,
} from "./elementwise.js";
import { gather } from "./gather.js";
import {
  batchInFront,
  broadcastInDim,
  concatenate,
  expandDims,
  iota,
  moveAxis,
  pad,
  reshape,
  rev,
  slice,
  transpose,
} from "./movement.js";
import { reduceSum } from "./reduce.js";
import { gatherBack, scatter, scatterAdd } from "./scatter.js";

const elementwise = { abs, add, and, convertElementType, div, eq, exp, floor, ge, gt, integerPow, log, logaddexp, lt };
const more = { max, min, mul, ne, neg, or, rsqrt, select, shareOf, shareOfSum, sign, square, sub };
const movement = { batchInFront, broadcastInDim, concatenate, expandDims, iota, moveAxis, pad, reshape, rev, slice };
const indexed = { gather, gatherBack, reduceSum, scatter, scatterAdd, transpose };
Object.assign(ops, { ...elementwise, ...more, ...movement, ...indexed } satisfies Operations);

/** Every primitive's wrapper. Importing this file is what makes the families know each other. */
export * from "./conv.js";
export * from "./collectives.js";
export * from "./cumulative.js";
export * from "./define.js";
export * from "./dot.js";
export * from "./dynamic.js";
export * from "./elementwise.js";
export * from "./gather.js";
export * from "./movement.js";
export * from "./random.js";
export * from "./reduce.js";
export * from "./scatter.js";
export * from "./sort.js";
export * from "./window-reduce.js";
export * from "./window-views.js";
