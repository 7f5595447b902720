import { afterEach, beforeEach, expect } from "vitest";

// Warnings are errors: a test that expects one replaces console.warn by a spy of its own.
let warnings: string[] = [];

beforeEach(() => {
  warnings = [];
  console.warn = (...parts: unknown[]): void => {
    warnings.push(parts.map(String).join(" "));
  };
});

afterEach(() => {
  expect(warnings, "console.warn was called; spy on it where a warning is expected").toEqual([]);
});
