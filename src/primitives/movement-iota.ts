import type { NDArray } from "../core/array.js";
import { aval, hostZeros, type Shape, stridesOf } from "../core/aval.js";
import { type DType, isNumeric } from "../core/dtype.js";
import { none } from "../core/primitive.js";
import { bind1 } from "../core/trace.js";
import { Zero } from "../core/zero.js";
import { indexValue, op, type ScalarType } from "../kernel-ir/scalar.js";
import { areAxes, list, requireArgument, requireDType } from "./checks.js";
import { definePrimitive, type PrimitiveDefinition } from "./table.js";

export interface IotaParams {
  readonly dtype: DType;
  readonly shape: Shape;
  readonly dim: number;
}

export const iotaPrimitive: PrimitiveDefinition<IotaParams> = definePrimitive<IotaParams>({
  name: "iota",
  abstract: (_operands, { dtype, shape, dim }) => {
    requireDType(isNumeric(dtype), () => ({
      code: "iota-dtype",
      message: `iota counts in numbers; it has no ${dtype}`,
      hint: "use float32, float64, int32 or uint32",
    }));
    requireArgument(areAxes([dim], shape.length), () => ({
      code: "axis-range",
      message: `iota: axis ${dim} is no axis of the shape ${list(shape)}`,
    }));
    return [aval(shape, dtype)];
  },
  evaluate: (_operands, { dtype, shape, dim }) => {
    const out = hostZeros(aval(shape, dtype));
    const stride = stridesOf(shape)[dim]!;
    for (let i = 0; i < out.data.length; i++) out.data[i] = Math.floor(i / stride) % shape[dim]!;
    return [out];
  },
  jvp: (_primals, _tangents, { dtype, shape, dim }) => {
    const y = iota(dtype, shape, dim);
    return { outs: [y], tangents: [new Zero(y.aval)] };
  },
  transpose: none("it has no operands"),
  batch: none("it has no operands"),
  lower: {
    kind: "element",
    element: (_operands, index, { dtype, dim }) => {
      const i = indexValue(index[dim]!);
      return dtype === "int32" ? i : op("convert", [i], scalarTypes[dtype]!);
    },
  },
  facts: {},
});

const scalarTypes: Partial<Record<DType, ScalarType>> = { float32: "f32", float64: "f64", uint32: "u32" };

/** Each element's place along axis `dim`. */
export function iota(dtype: DType, shape: Shape, dim: number): NDArray {
  return bind1(iotaPrimitive, [], { dtype, shape, dim });
}
