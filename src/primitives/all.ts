import * as cumulative from "./cumulative.js";
import { ops } from "./define.js";
import * as dot from "./dot.js";
import * as dynamic from "./dynamic.js";
import * as elementwise from "./elementwise.js";
import * as gather from "./gather.js";
import * as movement from "./movement.js";
import * as random from "./random.js";
import * as reduce from "./reduce.js";
import * as scatter from "./scatter.js";
import * as sort from "./sort.js";

Object.assign(ops, elementwise, reduce, cumulative, movement, dot, dynamic, gather, random, scatter, sort);

/** Every primitive's wrapper. Importing this file is what makes the families know each other. */
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
