import { DigitsError } from "../errors.js";
import { readExamples, type Digits, type Examples, type IdxFile } from "../examples.js";

async function fetchFile(name: string): Promise<IdxFile> {
  const response = await fetch(`data/${name}`);
  if (!response.ok) throw new DigitsError("data-missing", `${name}: ${response.status} ${response.statusText}`);
  return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function fetchExamples(stem: string): Promise<Examples> {
  const [images, labels] = await Promise.all([
    fetchFile(`${stem}-images-idx3-ubyte`),
    fetchFile(`${stem}-labels-idx1-ubyte`),
  ]);
  return readExamples(images, labels);
}

/** Loads the images that the server of this page gives out. */
export async function fetchDigits(): Promise<Digits> {
  const [train, test] = await Promise.all([fetchExamples("train"), fetchExamples("t10k")]);
  return { train, test };
}
