/** The part of a terminal stream that the bar writes to. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export interface ProgressState {
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
  readonly label: string;
  readonly loss: number | undefined;
}

/** Writes 65 as `1:05`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** One line of the bar: label, bar, share, rate, loss, time left; never wider than `columns`. */
export function progressLine(state: ProgressState, columns: number): string {
  const share = state.total === 0 ? 1 : Math.min(1, state.done / state.total);
  const rate = state.seconds > 0 ? state.done / state.seconds : 0;
  const left = rate > 0 ? clock((state.total - state.done) / rate) : "-:--";
  const tail = [
    `${Math.floor(share * 100)}%`.padStart(4),
    `${rate.toFixed(0)} steps/s`,
    ...(state.loss === undefined ? [] : [`loss ${state.loss.toFixed(4)}`]),
    `ETA ${left}`,
  ].join("  ");
  const room = Math.min(30, columns - state.label.length - tail.length - 5);
  const filled = Math.round(share * room);
  const bar = room >= 5 ? `[${"█".repeat(filled)}${"░".repeat(room - filled)}] ` : "";
  return `${state.label} ${bar}${tail}`.slice(0, Math.max(0, columns - 1));
}

/** A progress bar that redraws one line of a terminal, and is silent where there is none. */
export class Progress {
  #started: number;
  #drawn = -Infinity;
  #visible = false;

  constructor(
    private readonly stream: ProgressStream = process.stderr,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#started = now();
  }

  /** Draws the state, at most ten times a second; rate and time left count from when the bar was made. */
  update(label: string, done: number, total: number, loss: number | undefined): void {
    if (this.stream.isTTY !== true) return;
    const time = this.now();
    if (time - this.#drawn < 100 && done < total) return;
    this.#drawn = time;
    this.#visible = true;
    const seconds = (time - this.#started) / 1000;
    // Some terminals do not know their width and say 0.
    const state = { done, total, seconds, label, loss };
    this.stream.write(`\r\x1b[2K${progressLine(state, this.stream.columns || 80)}`);
  }

  /** Takes the bar off the screen. */
  clear(): void {
    if (this.#visible) this.stream.write("\r\x1b[2K");
    this.#visible = false;
  }
}
