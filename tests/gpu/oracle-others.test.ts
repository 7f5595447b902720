import { checkOnWebgpu } from "./oracle.js";

checkOnWebgpu("lax", "lax");
checkOnWebgpu("nn", "nn");
checkOnWebgpu("random", "random");
checkOnWebgpu("other namespaces", "other");
checkOnWebgpu("unusual arguments", "more");
