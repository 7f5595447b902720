/** What a driver may make of divisions and roots, and what may be between them and the machine's. */
const functions = (F: string, U: string, suffix: string): string => `
fn rough${suffix}(q: ${F}, x: ${F}, y: ${F}) -> ${F} {
  let b = bitcast<${U}>(q);
  let e = b & ${U}(0x7f800000u);
  let seed = (bitcast<${U}>(x) * ${U}(2654435761u)) ^ (bitcast<${U}>(y) * ${U}(2246822519u));
  let off = ((seed >> ${U}(15u)) % ${U}(5u)) - ${U}(2u);
  let isPower = (bitcast<${U}>(y) & ${U}(0x7fffffu)) == ${U}(0u);
  return select(bitcast<${F}>(b + off), q, isPower | (e == ${U}(0u)) | (e == ${U}(0x7f800000u)));
}
fn rough_divide${suffix}(x: ${F}, y: ${F}) -> ${F} {
  return select(rough${suffix}(x / y, x, y), x * ${F}(0.0f), (abs(y) > ${F}(8.507059e37f)) & (abs(y) < ${F}(3.4028234e38f)));
}
fn rough_root${suffix}(x: ${F}) -> ${F} {
  return rough${suffix}(sqrt(x), x, x);
}
`;

/**
 * The text of a shader as a driver may take it: WebGPU asks for divisions and roots within 2.5 units in the last place, and drivers
 * multiply by reciprocals. Results are up to two units off, except for divisors and radicands that are powers of two, and 0 for
 * divisors beyond 2^126, whose reciprocals are subnormal.
 */
export function roughly(wgsl: string): string {
  const text = wgsl.replace(/fn (?:divide|square_root)(_x4)?\([\s\S]*?\n}\n/g, (helper, lanes = "") =>
    helper
      .replace("a / b", `rough_divide${lanes}(a, b)`)
      .replace(/\bsqrt\(x\)/, `rough_root${lanes}(x)`)
      .replace(/let c = (.*) \/ (\w);/, `let c = rough_divide${lanes}($1, $2);`),
  );
  return text + functions("f32", "u32", "") + functions("vec4f", "vec4u", "_x4");
}
