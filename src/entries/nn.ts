import "../runtime/install.js";
import "../numpy/methods.js";

export * from "../nn/index.js";
