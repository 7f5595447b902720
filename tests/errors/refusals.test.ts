import { afterEach, describe, expect, it } from "vitest";
import { traceDepth } from "../../src/core/trace.js";
import { grad, jit, type NDArray, numpy as np, TsaxError } from "../../src/index.js";
import { refusals } from "./refusals.js";

afterEach(() => {
  expect(traceDepth()).toBe(0);
  expect(jit(grad((x: NDArray) => x.mul(x)))(3).item()).toBe(6);
});

describe.each(Object.entries(refusals))("bad %s", (_, rows) => {
  it.each(rows)("%s", (_name, call, type, code, says) => {
    let thrown: unknown;
    try {
      call();
    } catch (e) {
      thrown = e;
    }
    expect(thrown, "nothing was thrown").toBeInstanceOf(type);
    const error = thrown as TsaxError;
    expect([error.name, error.code]).toEqual([type.name, code]);
    expect(error.message).toMatch(says);
    expect(error.message).toContain(`[${code}]`);
  });
});

it("the same table has no row twice", () => {
  const names = Object.entries(refusals).flatMap(([group, rows]) => rows.map(([name]) => `${group}: ${name}`));
  expect(new Set(names).size).toBe(names.length);
});

it("errors of the machine are told from errors of the user", () => {
  for (const [, call] of Object.values(refusals).flat()) {
    try {
      call();
    } catch (e) {
      expect((e as TsaxError).code).not.toBe("internal");
      expect(e).toBeInstanceOf(TsaxError);
    }
  }
  expect(np.add(1, 2).item()).toBe(3);
});
