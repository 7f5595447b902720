import type { CombineOp } from "../../../kernel-ir/scalar.js";
import type { KernelCode, LaunchContext } from "../dispatch.js";
import { combination } from "../wgsl/operations.js";
import { gpuType } from "../wgsl/types.js";
import { onlyIf, pointCost, Threads } from "./sequential-emit.js";
import { otherAxes, pointsOf, type ScatterForm } from "./sequential-form.js";

/** An invocation for every point of the axes that are apart; it walks the other axes in order. */
export function scatterApart(form: ScatterForm, ctx: LaunchContext): KernelCode {
  const { kernel, buffer, index, value, combine, when, extents, apart } = form;
  const rest = otherAxes(extents, apart);
  const threads = new Threads(kernel.buffers, ctx);
  const { module, code } = threads;
  const { type } = kernel.buffers[buffer]!;
  const count = pointsOf(extents, apart);
  const cost = pointCost(form);
  const points = count * pointsOf(extents, rest);
  const dispatch = threads.finish(
    `${kernel.name}: points apart`,
    count,
    {
      flops: points * cost.flops,
      loadBytes: 4 * points * (cost.loads + (combine === null ? 0 : 1)),
      storeBytes: 4 * points,
    },
    () => {
      threads.coordinates("id", apart, extents);
      const walk = (axes: readonly number[]): void => {
        const [axis, ...inner] = axes;
        if (axis !== undefined) {
          code.block(`for (var a${axis} = 0; a${axis} < ${extents[axis]}; a${axis}++)`, () => walk(inner));
          return;
        }
        const values = threads.values();
        values.plan([index, value, ...(when ? [when] : [])]);
        onlyIf(code, when && values.expr(when), () => {
          const at = values.index(index);
          const v = values.expr(value);
          code.line(
            module.store(
              buffer,
              at,
              combine === null ? v : combination(module, combine, type, module.load(buffer, at), v),
            ),
          );
        });
      };
      walk(rest);
    },
  );
  return { dispatches: [dispatch], scratch: [] };
}

/** Whether updates may come in any order and leave the same bits: integers and bools, and extremes of floats. */
export function isOrderless({ kernel, buffer, combine }: ScatterForm): boolean {
  if (combine === null) return false;
  return kernel.buffers[buffer]!.type !== "f32" || combine === "min" || combine === "max";
}

const atomicFunctions: Partial<Record<CombineOp, string>> = {
  add: "atomicAdd",
  min: "atomicMin",
  max: "atomicMax",
  and: "atomicAnd",
  or: "atomicOr",
  xor: "atomicXor",
};

/**
 * An invocation for every point, that updates by an atomic operation. Where WGSL has none, it tries until nobody else came
 * between; floats are compared by words in the order of the numbers: −0 below 0, NaN beyond all.
 */
export function scatterAtomic(form: ScatterForm, ctx: LaunchContext): KernelCode {
  const { kernel, buffer, index, value, when, extents } = form;
  const combine = form.combine!;
  const type = gpuType(kernel.buffers[buffer]!.type);
  const threads = new Threads(kernel.buffers, ctx);
  const { module, code } = threads;
  const axes = otherAxes(extents, []);
  const count = pointsOf(extents, axes);
  const cost = pointCost(form);
  const dispatch = threads.finish(
    `${kernel.name}: atomic updates`,
    count,
    { flops: count * cost.flops, loadBytes: 4 * count * (cost.loads + 1), storeBytes: 4 * count },
    () => {
      threads.coordinates("id", axes, extents);
      const values = threads.values();
      values.plan([index, value, ...(when ? [when] : [])]);
      onlyIf(code, when && values.expr(when), () => {
        const v = values.named(value);
        const at = values.index(index);
        const place = `&${module.atomics(buffer, type === "i32" ? "atomic<i32>" : "atomic<u32>")}[${at}]`;
        const update = atomicFunctions[combine];
        if (type === "f32") {
          // The word that stands for the update: as for the order of numbers, and past them where it is NaN.
          const past = combine === "max" ? "0xffffffffu" : "0u";
          const beyond = combine === "max" ? ">=" : "<=";
          const rank = (bits: string): string =>
            `select(select(${bits} ^ 0x80000000u, ~${bits}, ${bits} >= 0x80000000u), ${past}, (${bits} & 0x7fffffffu) > 0x7f800000u)`;
          code.line(`let fresh = bitcast<u32>(${v});`);
          code.line(`let rank = ${rank("fresh")};`);
          code.line(`var old = atomicLoad(${place});`);
          code.block("loop", () => {
            code.line(`if (${rank("old")} ${beyond} rank) { break; }`);
            code.line(`let tried = atomicCompareExchangeWeak(${place}, old, fresh);`);
            code.line("if (tried.exchanged) { break; }");
            code.line("old = tried.old_value;");
          });
        } else if (update !== undefined) {
          code.line(`${update}(${place}, ${type === "bool" ? `u32(${v})` : v});`);
        } else {
          code.line(`var old = atomicLoad(${place});`);
          code.block("loop", () => {
            code.line(
              `let tried = atomicCompareExchangeWeak(${place}, old, ${combination(module, combine, type, "old", v)});`,
            );
            code.line("if (tried.exchanged) { break; }");
            code.line("old = tried.old_value;");
          });
        }
      });
    },
  );
  return { dispatches: [dispatch], scratch: [] };
}
