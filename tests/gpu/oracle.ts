import { describe } from "vitest";
import { type Case, dtypesOf } from "../oracle/cases.js";
import { checkCases } from "../oracle/suite.js";
import { webgpu } from "./webgpu.js";

/** Every fifth case; `ORACLE=all` in the environment takes them all. */
const share = process.env["ORACLE"] === "all" ? 1 : 5;

function hash(text: string): number {
  let h = 0;
  for (let i = 0; i < text.length; i++) h = (Math.imul(h, 31) + text.charCodeAt(i)) >>> 0;
  return h;
}

const taken = (c: Case): boolean => hash(c.id) % share === 0 && !dtypesOf(c).has("float64");

/** Runs a part of the recorded cases on webgpu; float64 does not exist there. */
export function checkOnWebgpu(name: string, file: string, only: (fn: string) => boolean = () => true): void {
  describe.skipIf(!webgpu)(`${name} on webgpu`, () =>
    checkCases(name, { file, only, cases: taken, devices: ["webgpu"] }),
  );
}
