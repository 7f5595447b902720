/** Checks of the kernel IR after it is made: what they throw is a bug of the compiler, with the offending part printed. */
export { verifyKernel } from "./verify-kernel.js";
export { verifyProgram } from "./verify-program.js";
