import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { loadWeights } from "../../../examples/digits/weights.js";
import { hasSoftwareDriver } from "../../../scripts/software-gpu.mjs";
import { scratchFolder, writeBands } from "./files.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve("tsx")).href;
const folder = scratchFolder();
beforeAll(() => writeBands(folder, 300, 100));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program on the sources (the root tsconfig maps "tsax" there); `watch` sees what it prints. */
function digits(args: readonly string[], watch?: (stdout: string, interrupt: () => void) => void): Promise<Ended> {
  const child = spawn(process.execPath, ["--import", tsx, join(root, "examples/digits/main.ts"), ...args], {
    cwd: folder,
    env: { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.json") },
  });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    watch?.(stdout, () => child.kill("SIGINT"));
  });
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

async function weightsIn(file: string): Promise<number[]> {
  const layers = loadWeights(file, "softmax");
  const arrays = await Promise.all(layers.flatMap(({ w, b }) => [w.data(), b.data()]));
  return arrays.flatMap((values) => Array.from(values as Float32Array));
}

function lastLine({ stdout }: Ended): string {
  return stdout.trimEnd().split("\n").at(-1) ?? "";
}

test("with --json the last line is the result", async () => {
  const ended = await digits(["--data", folder, "--epochs", "5", "--batch", "30", "--lr", "0.1", "--json"]);
  expect(ended.stderr).toBe("");
  expect(ended.code).toBe(0);
  const result = JSON.parse(lastLine(ended)) as Record<string, unknown>;
  expect(Object.keys(result)).toEqual([
    "testAccuracy",
    "finalLoss",
    "epochs",
    "trainSeconds",
    "stepsPerSecond",
    "device",
  ]);
  expect(result).toMatchObject({ epochs: 5, device: expect.any(String) });
  expect(result["testAccuracy"]).toBeGreaterThan(0.9);
  expect(result["finalLoss"]).toBeLessThan(1);
  expect(Number(result["stepsPerSecond"]) * Number(result["trainSeconds"])).toBeCloseTo(50, 3);
  expect(ended.stdout.match(/^epoch \d\/5 .*test accuracy \d+\.\d\d%/gm)).toHaveLength(5);
});

test.skipIf(!hasSoftwareDriver)("on webgpu it comes to the same weights", async () => {
  const [file, onGpu] = [join(folder, "wasm.json"), join(folder, "webgpu.json")];
  const options = ["--data", folder, "--epochs", "1", "--batch", "100", "--json"];
  await digits([...options, "--save", file]);
  const ended = await digits([...options, "--device", "webgpu", "--save", onGpu]);
  expect(ended.code).toBe(0);
  expect(JSON.parse(lastLine(ended))).toMatchObject({ device: "webgpu", epochs: 1 });
  const [expected, found] = await Promise.all([file, onGpu].map((one) => weightsIn(one)));
  expect(found!.length).toBe(7850);
  found!.forEach((value, i) => expect(Math.abs(value - expected![i]!)).toBeLessThan(1e-4));
});

test("saved weights are where a later run starts", async () => {
  const file = join(folder, "saved.json");
  const first = await digits(["--data", folder, "--epochs", "3", "--batch", "30", "--save", file, "--json"]);
  expect(first.code).toBe(0);
  const again = await digits(["--data", folder, "--epochs", "0", "--load", file, "--json"]);
  const pick = (ended: Ended) => {
    const { testAccuracy, finalLoss } = JSON.parse(lastLine(ended)) as Record<string, unknown>;
    return { testAccuracy, finalLoss };
  };
  expect(pick(again)).toEqual(pick(first));
});

test("without --json the mistakes are shown", async () => {
  const ended = await digits(["--data", folder, "--epochs", "0", "--init-scale", "1"]);
  expect(ended.stdout).toContain("predicted →");
  expect(ended.stdout).toMatch(/#\d+: \d, read as \d/);
  expect(lastLine(ended)).toMatch(/^test accuracy \d+\.\d\d%, training loss \d+\.\d+; 0 epochs/);
});

test("Ctrl-C saves what is there and ends cleanly", async () => {
  let sent = false;
  const ended = await digits(
    ["--data", folder, "--epochs", "1000000", "--batch", "30", "--json"],
    (stdout, interrupt) => {
      if (!sent && stdout.includes("epoch 2/")) {
        sent = true;
        interrupt();
      }
    },
  );
  expect(ended.stderr).toBe("");
  expect(ended.code).toBe(0);
  expect(ended.stdout).toMatch(/interrupted after \d+ steps\nweights saved to digits-weights\.json\n/);
  expect(JSON.parse(lastLine(ended))).toMatchObject({ epochs: expect.any(Number) });
  expect(existsSync(join(folder, "digits-weights.json"))).toBe(true);
});

test("errors are one message without a stack", async () => {
  const usage = await digits(["--epoch", "3"]);
  expect([usage.code, usage.stdout]).toEqual([2, ""]);
  expect(usage.stderr).toBe(
    'digits: unknown option "--epoch" (did you mean --epochs?)\nrun with --help for the options\n',
  );
  const data = await digits(["--data", join(folder, "none")]);
  expect(data.code).toBe(1);
  expect(data.stderr).toMatch(/^digits: the data folder .*none does not exist\n$/);
  const device = await digits(["--data", folder, "--device", "abacus"]);
  expect(device.code).toBe(1);
  expect(device.stderr).toMatch(/^digits: [^\n]*abacus/);
  expect(device.stderr).not.toMatch(/\n\s+at /);
});
