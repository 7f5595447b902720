import { MODEL_DEFAULTS, type ModelName } from "../options.js";
import { PIXELS } from "../examples.js";
import { Bars } from "./bars.js";
import { fetchDigits } from "./data.js";
import { LossCurve } from "./loss-curve.js";
import type { View } from "./program.js";
import { Sketch } from "./sketch.js";
import { Trainer, type Settings, type Watcher } from "./trainer.js";

function element<T extends Element>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as Element as T;
}

const form = element<HTMLFormElement>("settings");
const trainButton = element<HTMLButtonElement>("train");
const stopButton = element<HTMLButtonElement>("stop");
const sampleButton = element<HTMLButtonElement>("sample");
const verdict = element("verdict");
const curve = new LossCurve(element<SVGSVGElement>("curve"));
const bars = new Bars(element<HTMLOListElement>("bars"));

function say(text: string, kind: "plain" | "error" = "plain"): void {
  const status = element("status");
  status.textContent = text;
  status.classList.toggle("error", kind === "error");
}

const sayError = (error: unknown): void => say(error instanceof Error ? error.message : String(error), "error");

function show(id: string, text: string): void {
  element(id).textContent = text;
}

function settings(): Settings {
  const data = new FormData(form);
  const number = (name: string): number => Number(data.get(name));
  return {
    device: String(data.get("device")),
    model: data.get("model") as ModelName,
    epochs: number("epochs"),
    batch: number("batch"),
    lr: number("lr"),
  };
}

/** What is being drawn is looked at again whenever it or the weights change, but never twice at a time. */
class Guesser {
  #busy = false;
  #again = false;
  readonly #sketch: Sketch;

  constructor(private readonly trainer: Trainer) {
    this.#sketch = new Sketch(element("sketch"), element("seen"), () => this.again());
    element("clear").addEventListener("click", () => this.#sketch.clear());
  }

  /** Shows an image of the data set, and what it is taken for. */
  show(pixels: Float32Array, label: number | undefined): void {
    this.#sketch.show(pixels, label);
  }

  again(): void {
    this.#again = true;
    if (!this.#busy) void this.look().catch(sayError);
  }

  private async look(): Promise<void> {
    this.#busy = true;
    try {
      while (this.#again) {
        this.#again = false;
        const { pixels, label } = this.#sketch;
        const probabilities = pixels && (await this.trainer.classify(pixels));
        const best = bars.show(probabilities);
        verdict.textContent = this.words(best, label);
      }
    } finally {
      this.#busy = false;
    }
  }

  private words(best: number | undefined, label: number | undefined): string {
    if (!this.trainer.trained) return "Train first, or draw already.";
    if (best === undefined) return "Draw something.";
    return label === undefined ? `Looks like a ${best}.` : `Looks like a ${best}; it is a ${label}.`;
  }
}

/** Tabs over the forms of the program. */
function showProgram(views: readonly View[]): void {
  const list = element("views");
  const text = element<HTMLPreElement>("program");
  const select = (chosen: number, focus: boolean): void => {
    Array.from(list.children).forEach((tab, i) => {
      tab.setAttribute("aria-selected", String(i === chosen));
      (tab as HTMLButtonElement).tabIndex = i === chosen ? 0 : -1;
    });
    text.textContent = views[chosen]?.text ?? "";
    text.setAttribute("aria-label", views[chosen]?.name ?? "");
    if (focus) (list.children[chosen] as HTMLButtonElement).focus();
  };
  const tabs = views.map(({ name }, i) => {
    const tab = document.createElement("button");
    tab.type = "button";
    tab.role = "tab";
    tab.textContent = name;
    tab.setAttribute("aria-controls", "program");
    tab.addEventListener("click", () => select(i, false));
    tab.addEventListener("keydown", ({ key }) => {
      const move = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
      if (move !== 0) select((i + move + views.length) % views.length, true);
    });
    return tab;
  });
  list.replaceChildren(...tabs);
  select(0, false);
}

function enable(training: boolean): void {
  form.querySelectorAll("input").forEach((input) => (input.disabled = training));
  trainButton.disabled = training;
  stopButton.disabled = !training;
}

async function train(trainer: Trainer, watcher: Watcher): Promise<void> {
  const chosen = settings();
  curve.clear();
  for (const id of ["step", "loss", "accuracy", "rate"]) show(id, "–");
  enable(true);
  say(chosen.device === "webgpu" ? "Preparing the GPU and compiling …" : "Compiling …");
  try {
    const started = performance.now();
    // The words above are painted before the work begins.
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const ended = await trainer.run(chosen, watcher);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    say(`${ended ? "Done" : "Stopped"} after ${seconds} s on ${chosen.device}.`);
  } catch (error) {
    sayError(error);
  } finally {
    enable(false);
  }
}

const digits = await fetchDigits().catch((error: unknown) => {
  sayError(error);
  throw error;
});
const trainer = new Trainer(digits);
const guesser = new Guesser(trainer);

const watcher: Watcher = {
  onProgram: showProgram,
  onProgress({ step, steps, loss, stepsPerSecond }) {
    curve.add(step, loss);
    show("step", `${step} / ${steps}`);
    show("loss", loss.toFixed(4));
    show("rate", stepsPerSecond.toFixed(0));
    say("Training …");
  },
  onWeights: () => guesser.again(),
  onAccuracy: (share) => show("accuracy", `${(100 * share).toFixed(1)}%`),
};

form.addEventListener("change", ({ target }) => {
  // Each model has a step size that suits it.
  if (!(target instanceof HTMLInputElement) || target.name !== "model") return;
  const { lr } = MODEL_DEFAULTS[settings().model];
  form.querySelector<HTMLInputElement>('[name="lr"]')!.value = String(lr);
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  void train(trainer, watcher);
});
stopButton.addEventListener("click", () => trainer.stop());
sampleButton.addEventListener("click", () => {
  const { images, labels, count } = digits.test;
  const which = Math.floor(Math.random() * count);
  guesser.show(images.slice(which * PIXELS, (which + 1) * PIXELS), labels[which]);
});

trainButton.disabled = false;
sampleButton.disabled = false;
const gpu = "gpu" in navigator ? "" : " This browser has no WebGPU.";
say(`${digits.train.count} images to learn from and ${digits.test.count} to test with.${gpu}`);
