import "../runtime/install.js";
import "../numpy/methods.js";

export * from "../numpy/index.js";
