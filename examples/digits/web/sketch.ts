import { IMAGE_SIDE, PIXELS } from "../examples.js";

/** The digits of the data set fill a square of this side, in the middle of the image. */
const DIGIT_SIDE = 20;
const PEN = 20;

/** A black square to draw on in white, and what the model is shown of it. */
export class Sketch {
  readonly #context: CanvasRenderingContext2D;
  readonly #seen: CanvasRenderingContext2D;
  #pixels: Float32Array | undefined;
  #label: number | undefined;

  /** `seen` shows the image as the model gets it; `changed` is called after each stroke. */
  constructor(
    private readonly canvas: HTMLCanvasElement,
    seen: HTMLCanvasElement,
    private readonly changed: () => void,
  ) {
    this.#context = contextOf(canvas);
    this.#seen = contextOf(seen);
    this.blank();
    canvas.addEventListener("pointerdown", (event) => this.start(event));
  }

  /** The image, `[784]` in [0, 1]; undefined while the square is empty. */
  get pixels(): Float32Array | undefined {
    return this.#pixels;
  }

  /** The digit that is meant, where that is known. */
  get label(): number | undefined {
    return this.#label;
  }

  clear(): void {
    this.blank();
    this.take(undefined);
  }

  /** Shows an image of the data set. */
  show(pixels: Float32Array, label: number | undefined): void {
    this.blank();
    this.take(pixels, label);
    this.#context.imageSmoothingEnabled = false;
    this.#context.drawImage(this.#seen.canvas, 0, 0, this.canvas.width, this.canvas.height);
  }

  private blank(): void {
    this.#context.fillStyle = "#000";
    this.#context.fillRect(0, 0, this.canvas.width, this.canvas.height);
  }

  private start(down: PointerEvent): void {
    down.preventDefault();
    this.canvas.setPointerCapture(down.pointerId);
    const context = this.#context;
    const scale = this.canvas.width / this.canvas.clientWidth;
    context.strokeStyle = "#fff";
    context.lineWidth = PEN;
    context.lineCap = "round";
    context.lineJoin = "round";
    let [x, y] = [down.offsetX * scale, down.offsetY * scale];
    const to = (event: PointerEvent): void => {
      context.beginPath();
      context.moveTo(x, y);
      [x, y] = [event.offsetX * scale, event.offsetY * scale];
      context.lineTo(x, y);
      context.stroke();
      this.take(centered(this.canvas));
    };
    to(down);
    const end = new AbortController();
    const during = { signal: end.signal };
    this.canvas.addEventListener("pointermove", to, during);
    for (const over of ["pointerup", "pointercancel"]) this.canvas.addEventListener(over, () => end.abort(), during);
  }

  private take(pixels: Float32Array | undefined, label?: number): void {
    this.#pixels = pixels;
    this.#label = label;
    const image = this.#seen.createImageData(IMAGE_SIDE, IMAGE_SIDE);
    for (let i = 0; i < PIXELS; i++) {
      image.data.fill(Math.round(255 * (pixels?.[i] ?? 0)), 4 * i, 4 * i + 3);
      image.data[4 * i + 3] = 255;
    }
    this.#seen.putImageData(image, 0, 0);
    this.changed();
  }
}

function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("this browser draws on no canvas");
  return context;
}

/**
 * Brings a drawing to the form of the data set's images: the digit scaled into a square of 20 pixels, its center of mass in the
 * middle of 28 × 28 (LeCun et al., MNIST). Undefined for an empty drawing.
 */
function centered(drawing: HTMLCanvasElement): Float32Array | undefined {
  const ink = inkOf(drawing);
  const box = boxOf(ink, drawing.width);
  if (!box) return undefined;
  const [left, top, width, height] = box;
  const scale = DIGIT_SIDE / Math.max(width, height);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = IMAGE_SIDE;
  const context = contextOf(canvas);
  context.imageSmoothingQuality = "high";
  const place = (x: number, y: number): void => {
    context.fillStyle = "#000";
    context.fillRect(0, 0, IMAGE_SIDE, IMAGE_SIDE);
    context.drawImage(drawing, left, top, width, height, x, y, width * scale, height * scale);
  };
  const middle = IMAGE_SIDE / 2;
  const [x, y] = [middle - (width * scale) / 2, middle - (height * scale) / 2];
  place(x, y);
  const [massX, massY] = centerOfMass(inkOf(canvas));
  place(x + middle - massX, y + middle - massY);
  return inkOf(canvas);
}

/** Brightness of each pixel, in [0, 1]. */
function inkOf(canvas: HTMLCanvasElement): Float32Array {
  const { data } = contextOf(canvas).getImageData(0, 0, canvas.width, canvas.height);
  return Float32Array.from({ length: data.length / 4 }, (_, i) => (data[4 * i] ?? 0) / 255);
}

/** Left, top, width and height of what is drawn. */
function boxOf(ink: Float32Array, side: number): readonly [number, number, number, number] | undefined {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  ink.forEach((value, i) => {
    if (value < 0.1) return;
    const [x, y] = [i % side, Math.floor(i / side)];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  });
  return right < 0 ? undefined : [left, top, right - left + 1, bottom - top + 1];
}

function centerOfMass(ink: Float32Array): readonly [number, number] {
  let [x, y, mass] = [0, 0, 0];
  ink.forEach((value, i) => {
    x += value * ((i % IMAGE_SIDE) + 0.5);
    y += value * (Math.floor(i / IMAGE_SIDE) + 0.5);
    mass += value;
  });
  return mass === 0 ? [IMAGE_SIDE / 2, IMAGE_SIDE / 2] : [x / mass, y / mass];
}
