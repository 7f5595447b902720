import type { NDArray } from "../../core/array.js";
import type { HostArray } from "../../core/aval.js";
import {
  type CheckCategory,
  type CheckState,
  type CheckStateType,
  noChecks,
  stateTypeOf,
  stateValues,
} from "../../core/checks.js";
import { TracerError } from "../../core/errors.js";
import { registerPytreeNode } from "../../core/tree.js";
import { hostNow } from "../../core/values-now.js";
import { checkError, failureOf } from "./primitive.js";

/**
 * What went wrong first in a function under `checkify`, if anything: a pytree, which goes through `jit` and `vmap` like any
 * result. Under `vmap` it holds what went wrong in each example.
 */
export class CheckResult {
  constructor(
    private readonly values: readonly NDArray[],
    private readonly type: CheckStateType,
  ) {}

  static of(state: CheckState | undefined): CheckResult {
    return new CheckResult(stateValues(state), state ? stateTypeOf(state) : noChecks);
  }
  static parts(x: CheckResult): readonly [values: readonly NDArray[], type: CheckStateType] {
    return [x.values, x.type];
  }

  /**
   * The message, or null if nothing went wrong.
   * @throws TracerError `tracer-read` under jit, DeviceError `async-read` on a GPU: there `await err.getAsync()`.
   */
  get(): string | null {
    return this.read()?.message ?? null;
  }
  /** `get()` for every device. */
  async getAsync(): Promise<string | null> {
    return (await this.readAsync())?.message ?? null;
  }
  /** Throws the error if something went wrong. @throws CheckError; as get. */
  throw(): void {
    const failure = this.read();
    if (failure) throw checkError(failure.category, failure.message);
  }
  /** `throw()` for every device. */
  async throwAsync(): Promise<void> {
    const failure = await this.readAsync();
    if (failure) throw checkError(failure.category, failure.message);
  }
  toString(): string {
    return `CheckResult(${this.values.length === 0 ? "null" : (this.values[0]!.concrete()?.storage.synchronous ?? false) ? String(this.get()) : "unread"})`;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }

  private read(): Found | undefined {
    for (const x of this.values) if (x.concrete() === undefined) throw unread(x);
    const data = this.values.map((x) => hostNow("CheckResult.get()", x));
    return this.failure(data);
  }
  private async readAsync(): Promise<Found | undefined> {
    const data = this.values.map(async (x): Promise<HostArray> => {
      const c = x.concrete();
      if (!c) throw unread(x);
      return { aval: c.aval, data: await c.storage.read() };
    });
    return this.failure(await Promise.all(data));
  }

  private failure([code, ...values]: readonly HostArray[]): Found | undefined {
    if (!code) return undefined;
    const types = [...this.type.slots.values()].flat();
    const { shape } = code.aval;
    const messages: string[] = [];
    let category: CheckCategory | undefined;
    for (let i = 0; i < code.data.length; i++) {
      const own = values.map((x, k): HostArray => {
        const words = x.data.length / code.data.length;
        return { aval: types[k]!, data: x.data.subarray(i * words, (i + 1) * words) };
      });
      const failed = failureOf(this.type, code.data[i]!, own);
      if (!failed) continue;
      category ??= failed.site.category;
      messages.push(
        shape.length === 0 ? failed.message : `at mapped index ${indexOf(i, shape).join(", ")}: ${failed.message}`,
      );
    }
    return category && { category, message: messages.join("\n") };
  }
}

const unread = (x: NDArray): TracerError =>
  new TracerError({
    code: "tracer-read",
    message: "what checkify found is only known when the program runs",
    details: [["value", x.describe()]],
    hint: "return err from the transformed function and read it outside, or call checkify.checkError(err) with a checkify around it all",
  });

/** What failed, as it is told. */
interface Found {
  readonly category: CheckCategory;
  readonly message: string;
}

function indexOf(flat: number, shape: readonly number[]): number[] {
  const index: number[] = [];
  for (let k = shape.length - 1; k >= 0; k--) {
    index.unshift(flat % shape[k]!);
    flat = Math.floor(flat / shape[k]!);
  }
  return index;
}

registerPytreeNode(
  CheckResult,
  CheckResult.parts,
  (type: CheckStateType, values) => new CheckResult(values as readonly NDArray[], type),
);
