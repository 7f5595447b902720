import type { Lanes } from "./types.js";

/**
 * Functions that the text of ops calls. F, I, U, B stand for the types f32, i32, u32, bool, or the vectors of four of them.
 * NaN is told by its bits, and made by adding what is NaN.
 */
const bodies = {
  is_nan: `(x: F) -> B {
  return (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u);
}`,
  unordered: `(x: F, y: F) -> B {
  return max(bitcast<U>(x) & U(0x7fffffffu), bitcast<U>(y) & U(0x7fffffffu)) > U(0x7f800000u);
}`,
  // Of two zeros the bits decide: +0 has none of −0's.
  max_f: `(x: F, y: F) -> F {
  let a = bitcast<U>(x);
  let b = bitcast<U>(y);
  let m = select(max(x, y), bitcast<F>(a & b), ((a | b) << U(1u)) == U(0u));
  return select(m, x + y, max(a & U(0x7fffffffu), b & U(0x7fffffffu)) > U(0x7f800000u));
}`,
  min_f: `(x: F, y: F) -> F {
  let a = bitcast<U>(x);
  let b = bitcast<U>(y);
  let m = select(min(x, y), bitcast<F>(a | b), ((a | b) << U(1u)) == U(0u));
  return select(m, x + y, max(a & U(0x7fffffffu), b & U(0x7fffffffu)) > U(0x7f800000u));
}`,
  // WGSL's conversion ends at the largest float below 2^31.
  to_i32: `(x: F) -> I {
  let y = select(I(x), I(2147483647), x >= F(2147483648.0f));
  return select(y, I(0), (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u));
}`,
  to_u32: `(x: F) -> U {
  let y = select(U(x), U(4294967295u), x >= F(4294967296.0f));
  return select(y, U(0u), (bitcast<U>(x) & U(0x7fffffffu)) > U(0x7f800000u));
}`,
  // Conversions may round either way; of the halves nothing is rounded but their sum.
  from_u32: `(x: U) -> F {
  return F(x >> U(16u)) * F(65536.0f) + F(x & U(0xffffu));
}`,
  // Drivers multiply by a reciprocal, some units in the last place off; beyond 2^126 that is subnormal, and counts as zero. What
  // the quotient leaves is put right by products of halves, which are exact also where fma rounds twice. What is held no compiler
  // knows to cancel. Where q is zero, infinite or NaN, or halves of it count as zero, the comparison does not hold.
  divide: `(x: F, y: F, zero: u32) -> F {
  let s = select(F(1.0f), F(0.25f), abs(y) > F(8.507059e37f));
  let a = x * s;
  let b = y * s;
  let z = U(zero);
  let q = bitcast<F>(bitcast<U>(a / b) ^ z);
  let q1 = bitcast<F>(bitcast<U>(q) & U(0xfffff000u));
  let q2 = bitcast<F>(bitcast<U>(q - q1) ^ z);
  let b1 = bitcast<F>(bitcast<U>(b) & U(0xfffff000u));
  let b2 = bitcast<F>(bitcast<U>(b - b1) ^ z);
  let c = (((a - q1 * b1) - q1 * b2) - q2 * b1 - q2 * b2) / b;
  return select(q, q + c, abs(c) < abs(q) * F(0.000001f));
}`,
  square_root: `(x: F, zero: u32) -> F {
  let z = U(zero);
  let s = bitcast<F>(bitcast<U>(sqrt(x)) ^ z);
  let s1 = bitcast<F>(bitcast<U>(s) & U(0xfffff000u));
  let s2 = bitcast<F>(bitcast<U>(s - s1) ^ z);
  let d = s + s;
  let c = (((x - s1 * s1) - (s1 + s1) * s2) - s2 * s2) / d;
  return select(s, s + c, abs(c) < s * F(0.000001f));
}`,
  // Divisors are positive.
  floor_div: `(x: I, d: I) -> I {
  return (x - select(I(0), d - I(1), x < I(0))) / d;
}`,
  floor_mod: `(x: I, d: I) -> I {
  let r = x % d;
  return select(r, r + d, r < I(0));
}`,
  mulhi: `(x: U, y: U) -> U {
  let a = x & U(0xffffu);
  let b = x >> U(16u);
  let c = y & U(0xffffu);
  let d = y >> U(16u);
  let p = b * c + ((a * c) >> U(16u));
  let q = a * d + (p & U(0xffffu));
  return b * d + (p >> U(16u)) + (q >> U(16u));
}`,
} as const;

export type HelperName = keyof typeof bodies;

const types: Readonly<Record<Lanes, Readonly<Record<string, string>>>> = {
  1: { F: "f32", I: "i32", U: "u32", B: "bool" },
  4: { F: "vec4f", I: "vec4i", U: "vec4u", B: "vec4<bool>" },
};

export const helperId = (name: HelperName, lanes: Lanes): string => (lanes === 1 ? name : `${name}_x4`);

/** The whole function. */
export function helperText(name: HelperName, lanes: Lanes): string {
  // Literals are scalars already.
  const body =
    lanes === 1
      ? bodies[name].replace(/\b[FIU]\((\w[\w.]*)\)/g, (call, x: string) => (/^\d/.test(x) ? x : call))
      : bodies[name];
  const text = body.replace(/\b[FIUB]\b/g, (t) => types[lanes][t]!);
  return `fn ${helperId(name, lanes)}${text}\n`;
}

/** All helpers in the order in which modules write them. */
export const helperNames = Object.keys(bodies) as readonly HelperName[];
