import { formatAval, sameShape } from "./aval.js";
import { InternalError } from "./errors.js";
import type { Var } from "./jaxpr.js";
import { type Atom, type Jaxpr, Literal } from "./jaxpr.js";
import { printJaxpr } from "./printer.js";

/**
 * Checks a jaxpr: every variable is written once and before it is read, and every equation's results have the types that
 * its primitive promises for its operands; inner jaxprs too.
 * @throws InternalError naming the equation, with the whole jaxpr.
 */
export function checkJaxpr(jaxpr: Jaxpr): void {
  const defined = new Set<Var>();
  const fail = (message: string): never => {
    throw new InternalError(message, [["jaxpr", printJaxpr(jaxpr)]]);
  };
  const define = (v: Var, where: string): void => {
    if (defined.has(v)) fail(`${where} writes a variable twice`);
    defined.add(v);
  };
  const read = (a: Atom, where: string): void => {
    if (a instanceof Literal) {
      if (a.aval.shape.length > 0) fail(`${where} holds a literal that is no scalar`);
    } else if (!defined.has(a)) fail(`${where} reads a variable that nothing has written`);
  };
  jaxpr.inVars.forEach((v) => define(v, "the input list"));
  jaxpr.eqns.forEach((eqn, k) => {
    const where = `equation ${k} (${eqn.primitive.name})`;
    eqn.inputs.forEach((a) => read(a, where));
    const promised = eqn.primitive.abstract(
      eqn.inputs.map((a) => a.aval),
      eqn.params as never,
    );
    if (promised.length !== eqn.outs.length)
      fail(`${where} has ${eqn.outs.length} results, ${promised.length} are promised`);
    promised.forEach((a, i) => {
      const got = eqn.outs[i]!.aval;
      if (a.dtype !== got.dtype || !sameShape(a.shape, got.shape))
        fail(`${where}: result ${i} is ${formatAval(got)}, promised is ${formatAval(a)}`);
    });
    eqn.outs.forEach((v) => define(v, where));
    for (const inner of eqn.primitive.jaxprs?.(eqn.params as never) ?? []) checkJaxpr(inner);
  });
  jaxpr.outs.forEach((a) => read(a, "the result list"));
}
