import * as cumulative from "./cumulative.js";
import { ops } from "./define.js";
import * as dot from "./dot.js";
import * as elementwise from "./elementwise.js";
import * as movement from "./movement.js";
import * as reduce from "./reduce.js";

Object.assign(ops, elementwise, reduce, cumulative, movement, dot);

/** Every primitive's wrapper. Importing this file is what makes the families know each other. */
export * from "./cumulative.js";
export * from "./define.js";
export * from "./dot.js";
export * from "./elementwise.js";
export * from "./movement.js";
export * from "./reduce.js";
