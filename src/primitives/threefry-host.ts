/** Distances that the two words are rotated by, in turns of four rounds. */
const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

const rotate = (x: number, n: number): number => (x << n) | (x >>> (32 - n));

/** Threefry-2x32 with 20 rounds (Salmon et al. 2011), on JavaScript's 32-bit integers. */
export function threefryHost(k0: number, k1: number, x0: number, x1: number): [number, number] {
  const keys = [k0, k1, k0 ^ k1 ^ 0x1bd11bda];
  let a = (x0 + k0) | 0;
  let b = (x1 + k1) | 0;
  for (let turn = 0; turn < 5; turn++) {
    for (const n of rotations[turn % 2]!) {
      a = (a + b) | 0;
      b = rotate(b, n) ^ a;
    }
    a = (a + keys[(turn + 1) % 3]!) | 0;
    b = (b + keys[(turn + 2) % 3]! + turn + 1) | 0;
  }
  return [a >>> 0, b >>> 0];
}
