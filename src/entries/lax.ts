import "../runtime/install.js";
import "../numpy/methods.js";

export * from "../lax/index.js";
