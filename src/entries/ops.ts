import "../runtime/install.js";
import "../numpy/methods.js";
import "../numpy/index-methods.js";

export * from "../ops/index.js";
