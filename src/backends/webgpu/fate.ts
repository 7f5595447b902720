import type { TsaxError } from "../../core/errors.js";

/**
 * What became of work that was handed to the device: undecided, well, or failed. The device tells of errors later than work that
 * builds on the failed one is handed over, so that work's fate hangs on those of its operands.
 */
export class Fate {
  error: TsaxError | undefined;
  /** Resolves when it is decided; undefined: it is. */
  settled: Promise<void> | undefined;

  static failed(error: TsaxError): Fate {
    const fate = new Fate();
    fate.error = error;
    return fate;
  }

  /** Decided by what the work built on, then by `outcome` (its own error, if any). */
  static of(outcome: Promise<TsaxError | undefined>, operands: readonly (Fate | undefined)[] = []): Fate {
    const fate = new Fate();
    const open = new Set(operands.filter((f): f is Fate => f?.settled !== undefined));
    const decide = (own: TsaxError | undefined): void => {
      for (const f of open) fate.error ??= f.error;
      fate.error ??= own;
      fate.settled = undefined;
    };
    fate.settled =
      open.size === 0
        ? outcome.then(decide)
        : Promise.all([outcome, ...[...open].map((f) => f.settled)]).then(([own]) =>
            decide(own as TsaxError | undefined),
          );
    return fate;
  }
}
