import type { ConcreteArray } from "../core/array.js";
import { type Aval, formatAval, type HostArray } from "../core/aval.js";
import { config } from "../core/config.js";
import { isFloat } from "../core/dtype.js";
import type { Engine } from "../core/engine.js";
import { DeviceError, type ErrorDetail, FloatingPointError } from "../core/errors.js";
import { evaluateJaxpr, evaluatePrimitive, watchEvaluation } from "../core/host-interpreter.js";
import { formatScalar } from "../core/printing.js";
import { currentSource, lineHere, recordsSources, type Source } from "../core/source.js";

/** An engine that looks for NaN or infinities in all results while that is asked for. */
export function watched(engine: Engine): Engine {
  return {
    ...engine,
    evaluate(primitive, inputs, params) {
      if (!recordsSources()) return engine.evaluate(primitive, inputs, params);
      const outs = engine.evaluate(primitive, inputs, params);
      const hosts = floatsOf(outs);
      const kind = wrongIn(hosts);
      if (!kind) return outs;
      const given = inputs.map(hostOf);
      if (primitive.jaxprs) {
        const avals = outs.map((x) => x.aval);
        operationByOperation(() => evaluatePrimitive(primitive, given, params, avals));
      }
      throw made(kind, primitive.name, given, hosts, currentSource());
    },
    run(jaxpr, inputs, donated) {
      if (!recordsSources()) return engine.run(jaxpr, inputs, donated);
      // what is donated is gone afterwards
      const given = inputs.map((x) => (x.storage.synchronous ? hostOf(x) : undefined));
      const outs = engine.run(jaxpr, inputs, donated);
      const hosts = floatsOf(outs);
      const kind = wrongIn(hosts);
      if (!kind) return outs;
      const args = given.map((h, i) => h ?? hostOf(inputs[i]!));
      operationByOperation(() => evaluateJaxpr(jaxpr, args));
      throw new FloatingPointError({
        code: `${kind}-made`,
        message: `invalid value (${kind}) encountered in the results of a jitted function`,
        details: [...operands(args), ...results(hosts)],
        hint: "no operation of it gives one when they are computed one by one: it was given to the function, or comes of how operations are computed together",
      });
    },
  };
}

type Kind = "nan" | "inf";

/** Evaluates on the host, where each operation is looked at. */
function operationByOperation(evaluate: () => unknown): void {
  watchEvaluation((eqn, inputs, outs) => {
    const kind = wrongIn(outs);
    if (kind) throw made(kind, eqn.primitive.name, inputs, outs, eqn.source);
  }, evaluate);
}

function hostOf(x: ConcreteArray): HostArray {
  const { storage, aval } = x;
  if (!storage.synchronous) {
    throw new DeviceError({
      code: "debug-nans-device",
      message: `debugNans and debugInfs look at each result at once, and device "${x.device}" can only be awaited`,
      details: [["value", formatAval(aval)]],
      hint: 'look for it on wasm: setDefaultDevice("wasm"), and await devicePutAsync(x, "wasm") for arrays; or ask for it with checkify(f, checkify.nanChecks), which works everywhere',
    });
  }
  return { aval, data: storage.readSync() };
}

const floatsOf = (outs: readonly ConcreteArray[]): HostArray[] => outs.filter((x) => isFloat(x.dtype)).map(hostOf);

function wrongIn(arrays: readonly HostArray[]): Kind | undefined {
  for (const { aval, data } of arrays) {
    if (!isFloat(aval.dtype)) continue;
    for (let i = 0; i < data.length; i++) {
      const x = data[i]!;
      if (config.debugNans && Number.isNaN(x)) return "nan";
      if (config.debugInfs && (x === Infinity || x === -Infinity)) return "inf";
    }
  }
  return undefined;
}

function made(
  kind: Kind,
  op: string,
  inputs: readonly HostArray[],
  outs: readonly HostArray[],
  source: Source | undefined,
): FloatingPointError {
  const derived = source !== undefined && (source.backward === true || source.op !== op);
  const of = source?.backward ? ", in the backward pass of" : ", which comes of";
  const line = (source?.line ?? lineHere()).replace(/^at /, "");
  return new FloatingPointError({
    code: `${kind}-made`,
    message: `invalid value (${kind}) encountered in ${op}${derived ? `${of} ${source.op}` : ""}`,
    details: [...operands(inputs), ...results(outs), ["line", line]],
    hint: source?.backward
      ? "where a branch that is not taken makes it, keep its operand away with an inner np.where, as in np.where(ok, f(np.where(ok, x, 1)), 0)"
      : undefined,
  });
}

const operands = (inputs: readonly HostArray[]): ErrorDetail[] =>
  inputs.map((x, i) => [`operand ${i}`, describe(x)] as const);
const results = (outs: readonly HostArray[]): ErrorDetail[] =>
  outs.map((x, i) => [outs.length === 1 ? "result" : `result ${i}`, describe(x)] as const);

/** Type and elements of an array, or what they range over. */
function describe({ aval, data }: HostArray): string {
  const type = formatAval(aval);
  if (aval.dtype === "key" || data.length === 0) return type;
  if (data.length <= 4) return `${type} ${elements(aval, data)}`;
  let [nan, inf, min, max] = [0, 0, Infinity, -Infinity];
  for (const x of data) {
    if (Number.isNaN(x)) nan++;
    else if (x === Infinity || x === -Infinity) inf++;
    else [min, max] = [Math.min(min, x), Math.max(max, x)];
  }
  const finite = min <= max ? [`from ${formatScalar(min, aval.dtype)} to ${formatScalar(max, aval.dtype)}`] : [];
  const count = (n: number, what: string): string[] => (n > 0 ? [`${n} of ${data.length} ${what}`] : []);
  return `${type} ${[...finite, ...count(nan, "NaN"), ...count(inf, "infinite")].join(", ")}`;
}

const elements = ({ shape, dtype }: Aval, data: HostArray["data"]): string => {
  const list = Array.from(data, (x) => formatScalar(dtype === "bool" ? x !== 0 : x, dtype)).join(", ");
  return shape.length === 0 ? list : `(${list})`;
};
