const [WIDTH, HEIGHT] = [560, 260];
const [LEFT, RIGHT, TOP, BOTTOM] = [40, 8, 8, 24];

/** How many points a curve keeps: more cannot be told apart on the screen. */
const MOST_POINTS = 600;

/** Round steps of an axis from 0 to `most`, about four of them. */
function ticks(most: number): number[] {
  const rough = most / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((s) => s >= rough) ?? rough;
  return Array.from({ length: Math.floor(most / step + 1e-9) + 1 }, (_, i) => i * step);
}

const short = (x: number): string => (x >= 10_000 ? `${x / 1000}k` : String(Number(x.toPrecision(3))));

/** The loss by step, drawn while it comes in. */
export class LossCurve {
  #points: (readonly [step: number, loss: number])[] = [];
  /** A point is kept only so many steps after the one before it. */
  #apart = 1;

  constructor(private readonly svg: SVGSVGElement) {
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.draw();
  }

  clear(): void {
    this.#points = [];
    this.#apart = 1;
    this.draw();
  }

  add(step: number, loss: number): void {
    const last = this.#points.at(-1);
    if (last && step - last[0] < this.#apart) return;
    this.#points.push([step, loss]);
    if (this.#points.length > MOST_POINTS) {
      this.#points = this.#points.filter((_, i) => i % 2 === 0);
      this.#apart *= 2;
    }
    this.draw();
  }

  private draw(): void {
    const points = this.#points;
    const lastStep = Math.max(10, points.at(-1)?.[0] ?? 0);
    const most = Math.max(0.1, ...points.map(([, loss]) => loss));
    const x = (step: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * step) / lastStep;
    const y = (loss: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * loss) / most;
    const rows = ticks(most).map(
      (loss) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(loss)}" y2="${y(loss)}" />` +
        `<text x="${LEFT - 8}" y="${y(loss) + 4}" text-anchor="end">${short(loss)}</text>`,
    );
    const columns = ticks(lastStep).map(
      (step) => `<text x="${x(step)}" y="${HEIGHT - 6}" text-anchor="middle">${short(step)}</text>`,
    );
    const line = points.map(([step, loss]) => `${x(step).toFixed(1)},${y(loss).toFixed(1)}`).join(" ");
    this.svg.innerHTML = [...rows, ...columns, `<polyline points="${line}" />`].join("");
    const [first, last] = [points[0], points.at(-1)];
    this.svg.setAttribute(
      "aria-label",
      first && last
        ? `Loss by step: ${first[1].toFixed(3)} at step ${first[0]}, ${last[1].toFixed(3)} at step ${last[0]}`
        : "Loss by step: nothing yet",
    );
  }
}
