import { checkOnWebgpu } from "./oracle.js";

checkOnWebgpu("numpy, first half", "numpy", (fn) => fn < "numpy.l");
