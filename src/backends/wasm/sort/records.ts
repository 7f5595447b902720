import { Op } from "../opcodes.js";
import { type Value, Words } from "../words.js";

/** Bytes of a record: what goes with the key in the low word, the key (unsigned) in the high one. */
export const RECORD = 8;
const KEY = 4;

/** Writes what is done with records: they lie one behind another. */
export class Records extends Words {
  bytes(n: Value): Value {
    return this.shl(n, 3);
  }
  key(record: Value): Value {
    return this.loadWord(record, KEY);
  }
  setKey(record: Value, key: Value): void {
    this.storeWord(record, key, KEY);
  }
  copy(to: Value, from: Value): void {
    this.push(to);
    this.push(from);
    this.f.load(Op.i64_load);
    this.f.store(Op.i64_store);
  }
  /** For each of n ≥ 1 records that begin at `first`, in order. */
  each(first: Value, n: Value, body: (record: number) => void): void {
    const at = this.word(first);
    const end = this.word(this.add(at, this.bytes(n)));
    this.repeat(
      () => {
        body(at);
        this.advance(at, this.i32(RECORD));
      },
      this.less(at, end),
    );
    this.f.free(at);
    this.f.free(end);
  }
}
