import "../runtime/install.js";
import "../numpy/methods.js";

export * from "../random/index.js";
