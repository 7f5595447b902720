import type { Expr } from "../scalar.js";
import {
  abs,
  add,
  and,
  bitcast,
  c,
  convert,
  eq,
  fma,
  formatOf,
  fromBits,
  ge,
  intConst,
  k,
  lowBitsOf,
  lt,
  mul,
  mulhi,
  nearest,
  or,
  select,
  shl,
  shlBy,
  shrABy,
  shrL,
  shrLBy,
  sub,
  toBits,
  xor,
} from "./build.js";

/**
 * |x| = (quadrant + 4k)·π/2 + r with |r| ≤ π/4 (a rounding more); `quadrant`'s low two bits count (i32).
 * r is head + tail, the tail what rounding took off the head; `r` itself is their rounded sum.
 */
export interface Quadrant {
  readonly quadrant: Expr;
  readonly r: Expr;
  readonly head: Expr;
  readonly tail: Expr;
}
type Remainder = Omit<Quadrant, "r">;

/** π/2 in three parts whose products with the count of quadrants below `limit` are exact, and a rest. */
const PARTS = {
  f32: { limit: 1600, parts: [1.5706787109375, 0.00011761486530303955, 9.920313459588215e-10, 6.223372171896613e-14] },
  f64: { limit: 1e6, parts: [1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32] },
} as const;

/** 2/π in words of 32 bits behind the binary point. */
const TWO_OVER_PI = [
  0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab, 0xdebbc561, 0xb7246e3a,
  0x424dd2e0, 0x06492eea, 0x09d1921c, 0xfe1deb1c, 0xb129a73e, 0xe88235f5, 0x2ebb4484, 0xe99c7026, 0xb45f7e41,
  0x3991d639, 0x835339f4, 0x9c845f8b, 0xbdf9283b, 0x1ff897ff, 0xde05980f, 0xef2f118b, 0x5a0a6d1f, 0x6d367ecf,
  0x27cb09b7, 0x4f463f66, 0x9e5fea2d, 0x7527bac7, 0xebe5f17b, 0x3d0739f7, 0x8a5292ea, 0x6bfb5fb1, 0x1f8d5d08,
  0x56033046,
];

/**
 * Reduces |x| to a quadrant: by parts of π/2 up to a limit, by multiplying with the bits of 2/π that matter (Payne and
 * Hanek) above it. Both selects have one condition: a machine may skip the second way where no lane needs it.
 */
export function reduceQuadrant(x: Expr): Quadrant {
  const { type } = formatOf(x);
  const { limit, parts } = PARTS[type];
  const a = abs(x);
  const n = nearest(mul(a, k(a, 2 / Math.PI)));
  const first = fma(n, k(a, -parts[1]), fma(n, k(a, -parts[0]), a));
  const third = mul(n, k(a, parts[2]));
  const head = sub(first, third);
  const tail = fma(n, k(a, -parts[3]), sub(sub(first, head), third));
  const low = lowBitsOf(n, 0);
  const quadrant = type === "f32" ? low : convert(low, "i32");
  const large = ge(a, k(a, limit));
  const exact = type === "f32" ? reduceLarge32(a) : reduceLarge64(a);
  const chosen = select(large, exact.head, head);
  const rest = select(large, exact.tail, tail);
  return { quadrant: select(large, exact.quadrant, quadrant), r: add(chosen, rest), head: chosen, tail: rest };
}

/** `count` consecutive entries of a table from entry `index` on, picked bit by bit. */
function pick(table: readonly Expr[], index: Expr, indexBits: number, count: number): readonly Expr[] {
  let row = table;
  for (let bit = indexBits - 1; bit >= 0; bit--) {
    const step = 1 << bit;
    const isSet = eq(and(shrLBy(index, bit), k(index, 1)), k(index, 1));
    const next: Expr[] = [];
    for (let j = 0; j < step - 1 + count && j < row.length; j++) {
      const far = row[j + step];
      next.push(far === undefined ? row[j]! : select(isSet, far, row[j]!));
    }
    row = next;
  }
  return row.slice(0, count);
}

/** a ≥ 2^10. */
function reduceLarge32(a: Expr): Remainder {
  const u = (n: number): Expr => c("u32", n);
  const bits = bitcast(a, "u32");
  const exponent = shrLBy(bits, 23);
  const m = or(and(bits, u(0x7fffff)), u(0x800000));
  // m·2^t with t = exponent − 150: the bits of 2/π from t − 2 on count modulo 4. A word of zeros stands before the first.
  const position = sub(exponent, u(120));
  const words = pick([u(0), ...TWO_OVER_PI.slice(0, 7).map(u)], shrLBy(position, 5), 3, 4);
  const shift = shl(u(1), and(position, u(31)));
  const window = (i: number): Expr => or(mul(words[i]!, shift), mulhi(words[i + 1]!, shift));
  const w1 = window(1);
  const low = mul(m, w1);
  const r1 = add(low, mulhi(m, window(2)));
  const carry = select(lt(r1, low), u(1), u(0));
  const r0 = add(add(mul(m, window(0)), mulhi(m, w1)), carry);
  // Two bits of quadrant, then the fraction: as a signed number in [−1/2, 1/2) it goes to the nearer quadrant.
  const high = bitcast(or(shlBy(r0, 2), shrLBy(r1, 30)), "i32");
  const sign = shrABy(high, 31);
  const quadrant = sub(bitcast(shrLBy(r0, 30), "i32"), sign);
  const magnitude = bitcast(xor(high, sign), "u32");
  const rest = xor(shlBy(r1, 2), bitcast(sign, "u32"));
  const scale = c("f32", 2 ** -32);
  const upper = mul(convert(and(magnitude, u(0xfff00000)), "f32"), scale);
  const lower = fma(convert(rest, "f32"), c("f32", 2 ** -64), mul(convert(and(magnitude, u(0xfffff)), "f32"), scale));
  return inRadians(upper, lower, sign, quadrant, eq(exponent, u(255)));
}

/** a ≥ 2^19. */
function reduceLarge64(a: Expr): Remainder {
  const i = (n: bigint | number): Expr => c("i64", BigInt(n));
  const mask = i(0xffffffffn);
  const bits = toBits(a);
  const exponent = shrLBy(bits, 52);
  const m = or(and(bits, i(0xfffffffffffffn)), i(0x10000000000000n));
  const m0 = and(m, mask);
  const m1 = shrLBy(m, 32);
  const position = sub(exponent, i(1013));
  const words = pick([i(0), i(0), ...TWO_OVER_PI.map(i)], shrLBy(position, 5), 6, 7);
  const shift = and(position, i(31));
  const w = words.slice(0, 6).map((word, j) => shrLBy(shl(or(shlBy(word, 32), words[j + 1]!), shift), 32));
  // m·w mod 2^192 column by column, from 2^32 up; what is below no longer counts.
  let carry: Expr = shrLBy(mul(m0, w[5]!), 32);
  const columns: Expr[] = [];
  for (let column = 1; column <= 5; column++) {
    const p = mul(m0, w[5 - column]!);
    const q = mul(m1, w[6 - column]!);
    const sum = add(add(and(p, mask), and(q, mask)), carry);
    columns.push(and(sum, mask));
    carry = add(add(shrLBy(p, 32), shrLBy(q, 32)), shrLBy(sum, 32));
  }
  const r0 = or(shlBy(columns[4]!, 32), columns[3]!);
  const r1 = or(shlBy(columns[2]!, 32), columns[1]!);
  const high = or(shlBy(r0, 2), shrLBy(r1, 62));
  const sign = shrABy(high, 63);
  const quadrant = convert(sub(shrLBy(r0, 62), sign), "i32");
  const magnitude = xor(high, sign);
  const rest = shrL(xor(shlBy(r1, 2), sign), i(1));
  const scale = c("f64", 2 ** -64);
  const upper = mul(convert(and(magnitude, i(-(1n << 38n))), "f64"), scale);
  const lower = fma(
    convert(rest, "f64"),
    c("f64", 2 ** -127),
    mul(convert(and(magnitude, i((1n << 38n) - 1n)), "f64"), scale),
  );
  return inRadians(upper, lower, sign, quadrant, eq(exponent, i(2047)));
}

/** π/2 as half a significand and the rest, which is given as a whole one. */
const PI_2 = {
  f32: { whole: 1.5707963705062866, hi: 1.5703125, lo: 0.0004838267953 },
  f64: { whole: Math.PI / 2, hi: 1.570796325802803, lo: 9.920935796805404e-10 },
} as const;

/** (upper + lower)·π/2 with the sign that `sign` (0 or −1) says; `upper` has half a significand. NaN where `undefinedAt`. */
function inRadians(upper: Expr, lower: Expr, sign: Expr, quadrant: Expr, undefinedAt: Expr): Remainder {
  const f = formatOf(upper);
  const { whole, hi, lo } = PI_2[f.type];
  const product = mul(upper, k(upper, hi));
  const rest = fma(upper, k(upper, lo), mul(lower, k(lower, whole)));
  const head = add(product, rest);
  const tail = add(sub(product, head), rest);
  const flip = and(sign, intConst(f, f.signMask));
  const signed = (y: Expr): Expr => fromBits(xor(toBits(y), flip), f);
  return { quadrant, head: select(undefinedAt, k(upper, NaN), signed(head)), tail: signed(tail) };
}
