import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { defaultDevice, setDefaultDevice } from "../../src/index.js";
import recorded from "./callbacks.data.json" with { type: "json" };
import { scenarios } from "./scenarios.js";

const printed = recorded.printed as Readonly<Record<string, readonly string[]>>;
const home = defaultDevice();
let lines: string[] = [];

beforeEach(() => {
  lines = [];
  vi.spyOn(console, "log").mockImplementation((...parts: unknown[]) => {
    lines.push(...parts.map(String).join(" ").split("\n"));
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  setDefaultDevice(home);
});

test("every scenario of JAX is here", () => {
  expect(Object.keys(scenarios).sort()).toEqual(Object.keys(printed).sort());
});

describe.each(["wasm", "reference"])("on %s, JAX's lines in JAX's order", (device) => {
  // what is not needed is not computed, but by an interpreter
  const names = Object.keys(printed).filter((n) => device === "wasm" || n !== "pure_callback_unused_result");
  test.each(names)("%s", (name) => {
    setDefaultDevice(device);
    scenarios[name]!();
    expect(lines).toEqual(printed[name]);
  });
});
