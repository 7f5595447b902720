import "../runtime/install.js";
import "../numpy/methods.js";
import "../numpy/index-methods.js";

export * from "../scipy/index.js";
