import { InternalError, TsaxError } from "../../core/errors.js";

/** Something for the device to do, in its turn. */
export interface Entry {
  /** What it has to wait for when its turn has come; undefined: nothing. The promise never rejects. */
  waits(): Promise<void> | undefined;
  execute(): void;
  /** Told instead of being done: its results carry the error. */
  fail(error: TsaxError): void;
}

/**
 * The order in which a device does things. An entry is executed at once unless one before it waits; then it stands in line. An
 * entry that fails does not stop those behind it.
 */
export class Stream {
  private readonly line: Entry[] = [];
  private suspended = false;
  /** Counts suspensions, so that the end of one that `flush` has cut short does nothing. */
  private suspension = 0;

  /** Nothing stands in line: what comes now is executed now. */
  get idle(): boolean {
    return !this.suspended && this.line.length === 0;
  }

  push(entry: Entry): void {
    this.line.push(entry);
    if (!this.suspended && this.line.length === 1) this.advance();
  }

  /** Executes everything without waiting (they find their device lost). */
  flush(): void {
    this.suspended = false;
    this.suspension++;
    while (this.line.length > 0) this.execute();
  }

  private advance(): void {
    while (this.line.length > 0) {
      const wait = this.line[0]!.waits();
      if (wait) {
        this.suspended = true;
        const turn = ++this.suspension;
        void wait.then(() => {
          if (turn !== this.suspension) return;
          this.suspended = false;
          this.advance();
        });
        return;
      }
      this.execute();
    }
  }

  private execute(): void {
    const entry = this.line[0]!;
    try {
      entry.execute();
    } catch (e) {
      entry.fail(asTsaxError(e));
    } finally {
      this.line.shift();
    }
  }
}

export function asTsaxError(e: unknown): TsaxError {
  if (e instanceof TsaxError) return e;
  const error = new InternalError(e instanceof Error ? e.message : String(e));
  error.cause = e;
  return error;
}
