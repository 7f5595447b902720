import type { FunctionBuilder } from "./module-builder.js";
import { Op } from "./opcodes.js";

/** Names by opcode: WebAssembly's, the first "_" of ours being its ".". */
const names = new Map<number, string>(
  Object.entries(Op).map(([name, code]) => [
    code,
    name === "br_if" || name === "br_table" ? name : name.replace("_", "."),
  ]),
);

/** What follows an opcode. */
type Immediate =
  | "none"
  | "block"
  | "index"
  | "memory"
  | "memory lane"
  | "lane"
  | "s32"
  | "s64"
  | "f32"
  | "f64"
  | "v128"
  | "shuffle"
  | "two bytes"
  | "one byte";

function immediateOf(op: number): Immediate {
  if (op === Op.block || op === Op.loop || op === Op.if) return "block";
  if (op === Op.br || op === Op.br_if || op === Op.call || (op >= Op.local_get && op <= Op.global_set)) return "index";
  if (op >= Op.i32_load && op <= Op.i32_store16) return "memory";
  if (op === Op.memory_copy) return "two bytes";
  if (op === Op.memory_fill || op === Op.memory_size || op === Op.memory_grow) return "one byte";
  switch (op) {
    case Op.i32_const:
      return "s32";
    case Op.i64_const:
      return "s64";
    case Op.f32_const:
      return "f32";
    case Op.f64_const:
      return "f64";
    case Op.v128_const:
      return "v128";
    case Op.i8x16_shuffle:
      return "shuffle";
    default:
  }
  const name = names.get(op) ?? "";
  if (/^v128\.(load|store)\d+_lane/.test(name)) return "memory lane";
  if (/^v128\.(load|store)/.test(name) || name.includes("atomic")) return "memory";
  return /extract_lane|replace_lane/.test(name) ? "lane" : "none";
}

/** The listing of a function: one instruction a line, indented by block. */
export function disassemble(f: Pick<FunctionBuilder, "name" | "params" | "results" | "code">): string {
  const { bytes, length } = f.code;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const lines = [`func ${f.name} (${f.params.join(" ")})${f.results.length > 0 ? ` → ${f.results.join(" ")}` : ""}`];
  let at = 0;
  let indent = 1;
  const unsigned = (): number => {
    let n = 0;
    for (let shift = 0; ; shift += 7) {
      const b = bytes[at++]!;
      n += (b & 0x7f) * 2 ** shift;
      if (b < 0x80) return n;
    }
  };
  const signed = (): bigint => {
    let n = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const b = bytes[at++]!;
      n |= BigInt(b & 0x7f) << shift;
      if (b < 0x80) return b & 0x40 ? n - (1n << (shift + 7n)) : n;
    }
  };
  const hex = (n: number): string =>
    Array.from(bytes.subarray(at, (at += n)), (b) => b.toString(16).padStart(2, "0")).join("");
  const read = (kind: Immediate): string => {
    switch (kind) {
      case "none":
        return "";
      case "block":
      case "one byte":
        at++;
        return "";
      case "two bytes":
        at += 2;
        return "";
      case "index":
        return ` ${unsigned()}`;
      case "lane":
        return ` ${bytes[at++]}`;
      case "memory":
      case "memory lane": {
        at++;
        const offset = unsigned();
        return `${offset > 0 ? ` offset=${offset}` : ""}${kind === "memory lane" ? ` ${bytes[at++]}` : ""}`;
      }
      case "s32":
      case "s64":
        return ` ${signed()}`;
      case "f32":
        at += 4;
        return ` ${view.getFloat32(at - 4, true)}`;
      case "f64":
        at += 8;
        return ` ${view.getFloat64(at - 8, true)}`;
      case "v128":
        return ` ${hex(4)} ${hex(4)} ${hex(4)} ${hex(4)}`;
      case "shuffle":
        return ` ${Array.from(bytes.subarray(at, (at += 16))).join(" ")}`;
    }
  };
  while (at < length) {
    let op = bytes[at++]!;
    if (op >= 0xfc) op = (op << 12) | unsigned();
    if (op === Op.end || op === Op.else) indent--;
    lines.push(`${"  ".repeat(indent)}${names.get(op) ?? `0x${op.toString(16)}`}${read(immediateOf(op))}`);
    if (op === Op.block || op === Op.loop || op === Op.if || op === Op.else) indent++;
  }
  return lines.join("\n");
}
