/**
 * The kernel IR run as it is defined, with every access checked: bounds, access modes, races between points that have no
 * order, reads of what nothing wrote, preconditions of scalar ops. For tests of what the compiler makes.
 */
export { compileExpr, evalExpr, type ExprContext } from "./expr-tape.js";
export { interpretKernel, type InterpretOptions } from "./interpret-kernel.js";
export { interpretProgram } from "./interpret-program.js";
