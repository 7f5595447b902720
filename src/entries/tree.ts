import "../runtime/install.js";
import "../numpy/methods.js";

export * from "../tree/index.js";
