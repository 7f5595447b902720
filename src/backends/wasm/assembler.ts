/**
 * A flat, growable byte writer with WebAssembly's encodings.
 *
 * Code is written straight into one Uint8Array per function; nothing is nested, so that assembling a module costs little
 * more than its bytes.
 */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for n more bytes. */
  reserve(n: number): void {
    if (this.length + n <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + n));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  u8(b: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = b;
  }

  /** LEB128 of an unsigned 32-bit number. */
  u32(n: number): void {
    let x = n >>> 0;
    while (x > 0x7f) {
      this.u8((x & 0x7f) | 0x80);
      x >>>= 7;
    }
    this.u8(x);
  }

  /** LEB128 of a signed 32-bit number; larger numbers wrap. */
  s32(n: number): void {
    let x = n | 0;
    for (;;) {
      const b = x & 0x7f;
      x >>= 7;
      if ((x === 0 && (b & 0x40) === 0) || (x === -1 && (b & 0x40) !== 0)) {
        this.u8(b);
        return;
      }
      this.u8(b | 0x80);
    }
  }

  /** LEB128 of a signed 64-bit number; larger numbers wrap. */
  s64(n: bigint): void {
    let x = BigInt.asIntN(64, n);
    for (;;) {
      const b = Number(x & 0x7fn);
      x >>= 7n;
      if ((x === 0n && (b & 0x40) === 0) || (x === -1n && (b & 0x40) !== 0)) {
        this.u8(b);
        return;
      }
      this.u8(b | 0x80);
    }
  }

  f32(x: number): void {
    f32Bits[0] = x;
    this.append(f32Bytes);
  }

  f64(x: number): void {
    f64Bits[0] = x;
    this.append(f64Bytes);
  }

  append(bytes: ArrayLike<number>, length: number = bytes.length): void {
    this.reserve(length);
    for (let i = 0; i < length; i++) this.bytes[this.length++] = bytes[i]!;
  }

  /** Copies what another writer holds. */
  appendWriter(other: ByteWriter): void {
    this.reserve(other.length);
    this.bytes.set(other.bytes.subarray(0, other.length), this.length);
    this.length += other.length;
  }

  /** A length-prefixed UTF-8 name. */
  name(s: string): void {
    const utf8 = encoder.encode(s);
    this.u32(utf8.length);
    this.append(utf8);
  }

  toBytes(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }
}

const f32Bits = new Float32Array(1);
const f32Bytes = new Uint8Array(f32Bits.buffer);
const f64Bits = new Float64Array(1);
const f64Bytes = new Uint8Array(f64Bits.buffer);
const encoder = new TextEncoder();
