import type { NDArray } from "../../core/array.js";
import { type Aval, type HostArray, hostZeros, strengthen, wordLength } from "../../core/aval.js";
import { checkedResults, stateTypes } from "../../core/checks.js";
import { evaluateJaxpr } from "../../core/host-interpreter.js";
import type { Jaxpr } from "../../core/jaxpr.js";
import { isLinear, Linear, type Tangent } from "../../core/primitive.js";
import { bind } from "../../core/trace.js";
import { isZero, Zero } from "../../core/zero.js";
import { definePrimitive, instantiate, moveAxis, type PrimitiveDefinition, zerosOf } from "../../primitives/all.js";
import { checkedBody } from "./checked.js";
import { linearizeFlat } from "../linearize.js";
import { backwardPass } from "../transpose.js";
import { chosen, dependents, present, requireOperands, spreadOver, stacked } from "./shared.js";
import { batchedBody, jvpBody, linearBodies, runHoisted, transposedBody } from "./scan-bodies.js";

/**
 * A loop of known length. Operands: constants, the first carry, arrays of whose leading axis each round sees one element.
 * Results: the last carry, and the elements that the rounds gave, stacked.
 */
export interface ScanParams {
  /** From constants, carry and elements to carry and elements. */
  readonly jaxpr: Jaxpr;
  readonly length: number;
  /** From the last element to the first. */
  readonly reverse: boolean;
  readonly consts: number;
  readonly carry: number;
}

/** A list of operands as constants, carry and the rest. */
const parts = <T>(list: readonly T[], { consts, carry }: { readonly consts: number; readonly carry: number }) =>
  [list.slice(0, consts), list.slice(consts, consts + carry), list.slice(consts + carry)] as const;

function evaluate(inputs: readonly HostArray[], params: ScanParams): readonly HostArray[] {
  const { jaxpr, length, reverse, carry } = params;
  const [consts, first, xs] = parts(inputs, params);
  const elements = jaxpr.inVars.slice(params.consts + carry).map((v) => v.aval);
  const ys = jaxpr.outs.slice(carry).map((a) => hostZeros(stacked(a.aval, length)));
  let state: readonly HostArray[] = first;
  for (let i = 0; i < length; i++) {
    const k = reverse ? length - 1 - i : i;
    const slices = xs.map((x, j): HostArray => {
      const words = wordLength(elements[j]!);
      return { aval: elements[j]!, data: x.data.subarray(k * words, (k + 1) * words) };
    });
    const outs = evaluateJaxpr(jaxpr, [...consts, ...state, ...slices]);
    state = outs.slice(0, carry);
    outs.slice(carry).forEach((y, j) => ys[j]!.data.set(y.data as never, k * y.data.length));
  }
  return [...state, ...ys];
}

/** Linear in some operands, with a carry that does not depend on those: the linear part is taken first. */
function transposeMixed(
  cts: readonly Tangent[],
  inputs: readonly (NDArray | Linear)[],
  params: ScanParams,
): readonly (Tangent | null)[] {
  const linear = inputs.map(isLinear);
  const primals = inputs.map((x) => (isLinear(x) ? zerosOf(x.aval) : x));
  const lin = linearizeFlat((xs) => bind(scanPrimitive, xs, params), primals, linear, "transpose");
  const marks = chosen(inputs, linear).map((x) => new Linear(x.aval));
  const grads = backwardPass(lin.linear.jaxpr, [...lin.linear.consts, ...marks], chosen(cts, lin.outNonzero));
  let next = 0;
  return linear.map((is) => (is ? grads[next++]! : null));
}

export const scanPrimitive: PrimitiveDefinition<ScanParams> = definePrimitive<ScanParams>({
  name: "scan",
  abstract(avals, params) {
    const { jaxpr, length, carry } = params;
    const [consts, state, xs] = parts(
      jaxpr.inVars.map((v) => v.aval),
      params,
    );
    requireOperands(avals, [...consts, ...state, ...xs.map((a) => stacked(a, length))], "scan");
    return [...state, ...jaxpr.outs.slice(carry).map((a) => stacked(a.aval, length))];
  },
  evaluate,
  jvp(primals, tangents, params) {
    const nonzero = tangents.map((t) => !isZero(t));
    const { jaxpr, moving, ysNonzero } = jvpBody(params.jaxpr, params.consts, params.carry, nonzero);
    const [consts, carry, xs] = parts(primals, params);
    const [tConsts, tCarry, tXs] = parts(tangents, params);
    const movingCarry = moving.slice(params.consts, params.consts + params.carry);
    const tFirst = chosen(tCarry, movingCarry).map(instantiate);
    const results = bind(scanPrimitive, [...consts, ...present(tConsts), ...carry, ...tFirst, ...xs, ...present(tXs)], {
      ...params,
      jaxpr,
      consts: params.consts + present(tConsts).length,
      carry: params.carry + tFirst.length,
    });
    const outs = [...results.slice(0, params.carry)];
    const tOuts = results.slice(params.carry, params.carry + tFirst.length);
    const rest = results.slice(params.carry + tFirst.length);
    const ys = rest.slice(0, ysNonzero.length);
    outs.push(...ys);
    const all = spreadOver([...tOuts, ...rest.slice(ys.length)], [...movingCarry, ...ysNonzero], (i) => outs[i]!.aval);
    return { outs, tangents: all };
  },
  linearize(primals, nonzero, params) {
    const split = linearBodies(params.jaxpr, params.consts, params.carry, nonzero);
    const [consts, , xs] = parts(primals, params);
    const results = bind(scanPrimitive, primals, { ...params, jaxpr: split.forward });
    const outs = results.slice(0, params.jaxpr.outs.length);
    const fromRounds = results.slice(outs.length);
    const invariants = runHoisted(split.hoisted, consts);
    const movingCarry = split.moving.slice(params.consts, params.consts + params.carry);
    const outNonzero = [...movingCarry, ...split.ysNonzero];
    return {
      outs,
      linear(tangents) {
        if (!outNonzero.some(Boolean)) return outs.map((x) => new Zero(x.aval));
        const [tConsts, tCarry, tXs] = parts(tangents, params);
        const first = chosen(tCarry, movingCarry).map(instantiate);
        const fixed = [...invariants, ...present(tConsts)];
        const moving = [...fromRounds, ...split.fromXs.map((k) => xs[k]!), ...present(tXs)];
        const linear = bind(scanPrimitive, [...fixed, ...first, ...moving], {
          jaxpr: split.linear,
          length: params.length,
          reverse: params.reverse,
          consts: fixed.length,
          carry: first.length,
        });
        return spreadOver(linear, outNonzero, (i) => outs[i]!.aval);
      },
    };
  },
  transpose(cts, inputs, params) {
    const { jaxpr, consts, carry, length, reverse } = params;
    const linear = inputs.map(isLinear);
    for (;;) {
      const moved = dependents(jaxpr, linear);
      const grown = jaxpr.outs.findIndex((a, i) => i < carry && moved.has(a) && !linear[consts + i]);
      if (grown < 0) break;
      linear[consts + grown] = true;
    }
    const [linearConsts, linearCarry, linearXs] = parts(linear, params);
    if (!linearCarry.every(Boolean)) return transposeMixed(cts, inputs, params);
    const back = transposedBody(
      jaxpr,
      consts,
      carry,
      linear,
      cts.map((ct) => !isZero(ct)),
    );
    const [inConsts, inCarry, inXs] = parts(inputs, params);
    const isKnown = (x: NDArray | Linear): x is NDArray => !isLinear(x);
    const known = inConsts.filter(isKnown);
    const constAvals = chosen(inConsts, linearConsts).map((x) => x.aval);
    const sums = chosen(constAvals, back.constsNonzero).map((a) => zerosOf(strengthen(a)));
    const ctCarry = chosen(cts.slice(0, carry), back.carryNonzero).map(instantiate);
    const ctYs = present(cts.slice(carry));
    const results = bind(scanPrimitive, [...known, ...ctCarry, ...sums, ...inXs.filter(isKnown), ...ctYs], {
      jaxpr: back.jaxpr,
      length,
      reverse: !reverse,
      consts: known.length,
      carry: ctCarry.length + sums.length,
    });
    const avalOf =
      (list: readonly (NDArray | Linear)[]) =>
      (i: number): Aval =>
        list[i]!.aval;
    const gradCarry = spreadOver(results.slice(0, ctCarry.length), back.carryNonzero, avalOf(inCarry));
    const gradConsts = spreadOver(
      results.slice(ctCarry.length, ctCarry.length + sums.length),
      back.constsNonzero,
      (i) => constAvals[i]!,
    );
    const xsLinear = chosen(inXs, linearXs);
    const gradXs = spreadOver(results.slice(ctCarry.length + sums.length), back.xsNonzero, avalOf(xsLinear));
    const take = [...gradConsts, ...gradCarry, ...gradXs];
    let next = 0;
    return linear.map((is, i) => {
      if (!is) return null;
      const grad = take[next++]!;
      // a carry that begins with zeros is known, though it becomes linear
      return isLinear(inputs[i]!) ? grad : null;
    });
  },
  batch(size, inputs, dims, params, axisName) {
    const { consts, carry } = params;
    const [cIn, sIn, xIn] = parts(inputs, params);
    const [cDims, sDims, xDims] = parts(dims, params);
    const body = batchedBody(
      params.jaxpr,
      consts,
      carry,
      size,
      cDims,
      sDims.map((d) => d !== null),
      xDims.map((d) => d !== null),
      axisName,
    );
    const operands = [
      ...cIn,
      ...sIn.map((x, i) => body.first(x, sDims[i]!, i)),
      ...xIn.map((x, i) => (xDims[i] === null ? x : moveAxis(x, xDims[i]!, 1))),
    ];
    const outs = bind(scanPrimitive, operands, { ...params, jaxpr: body.jaxpr });
    const outDims = [...body.carried.map((is) => (is ? 0 : null)), ...body.ysBatched.map((is) => (is ? 1 : null))];
    return { outs, dims: outDims };
  },
  lower: {
    kind: "rounds",
    rounds: ({ jaxpr, length, reverse, consts, carry }) => ({ body: jaxpr, length, reverse, consts, carry }),
  },
  facts: {},
  jaxprs: (p) => [p.jaxpr],
  checked(inputs, params, check) {
    const inner = check(params.jaxpr);
    if (inner.sites.count === 0) {
      return { outs: bind(scanPrimitive, inputs, { ...params, jaxpr: inner.jaxpr }), state: undefined };
    }
    const [consts, state, xs] = parts(inputs, params);
    const first = stateTypes(inner).map(zerosOf);
    const values = bind(scanPrimitive, [...consts, ...first, ...state, ...xs], {
      ...params,
      jaxpr: checkedBody(inner, params.consts),
      carry: params.carry + first.length,
    });
    return checkedResults(inner, values);
  },
});
