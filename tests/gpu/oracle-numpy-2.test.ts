import { checkOnWebgpu } from "./oracle.js";

checkOnWebgpu("numpy, second half", "numpy", (fn) => fn >= "numpy.l");
