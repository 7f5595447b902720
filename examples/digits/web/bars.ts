import { CLASSES } from "../examples.js";

interface Row {
  readonly item: HTMLLIElement;
  readonly meter: HTMLElement;
  readonly share: HTMLElement;
}

const percent = (p: number): string => `${(100 * p).toFixed(1)}%`;

/** A bar for each digit, as long as it is probable. */
export class Bars {
  readonly #rows: readonly Row[];

  constructor(list: HTMLOListElement) {
    this.#rows = Array.from({ length: CLASSES }, (_, digit) => {
      const item = document.createElement("li");
      item.innerHTML =
        `<span>${digit}</span><div class="bar" role="meter" aria-label="${digit}" aria-valuemin="0" aria-valuemax="1">` +
        `<span></span></div><span class="share"></span>`;
      list.append(item);
      return {
        item,
        meter: item.querySelector<HTMLElement>(".bar")!,
        share: item.querySelector<HTMLElement>(".share")!,
      };
    });
    this.show(undefined);
  }

  /** Shows probabilities, or none; gives the most probable digit. */
  show(probabilities: ArrayLike<number> | undefined): number | undefined {
    const list = probabilities && Array.from(probabilities);
    const best = list?.indexOf(Math.max(...list));
    this.#rows.forEach(({ item, meter, share }, digit) => {
      const p = list?.[digit] ?? 0;
      meter.setAttribute("aria-valuenow", String(p));
      meter.setAttribute("aria-valuetext", percent(p));
      meter.style.setProperty("--share", String(p));
      share.textContent = list ? percent(p) : "–";
      item.classList.toggle("best", digit === best);
    });
    return best;
  }
}
