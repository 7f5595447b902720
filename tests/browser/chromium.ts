import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";
import { chromium, type Browser } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Whether the packaged Chromium runs on this machine. */
export const hasChromium = process.platform === "linux" && process.arch === "x64";

/**
 * Unpacks the Chromium of the development dependency @sparticuz/chromium, once: the program, the software driver that gives it
 * WebGPU (it looks for it next to itself), fonts, and the libraries that a bare system lacks.
 */
function unpacked(): string {
  const manifest = createRequire(import.meta.url).resolve("@sparticuz/chromium");
  const packed = join(dirname(manifest), "../../bin");
  const { version } = JSON.parse(readFileSync(join(packed, "../package.json"), "utf8")) as { readonly version: string };
  const folder = join(root, "node_modules/.cache", `tsax-chromium-${version}`);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}-${process.pid}`;
  mkdirSync(fresh, { recursive: true });
  const inflate = (name: string): Buffer => brotliDecompressSync(readFileSync(join(packed, `${name}.br`)));
  writeFileSync(join(fresh, "chromium"), inflate("chromium"));
  chmodSync(join(fresh, "chromium"), 0o755);
  for (const name of ["swiftshader.tar", "fonts.tar", "al2023.tar"]) {
    const tar = join(fresh, name);
    writeFileSync(tar, inflate(name));
    execFileSync("tar", ["xf", tar, "-C", fresh]);
    rmSync(tar);
  }
  writeFileSync(
    join(fresh, "fonts.conf"),
    `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">` +
      `<fontconfig><dir>${folder}/fonts</dir><cachedir>${folder}/fonts-cache</cachedir></fontconfig>`,
  );
  try {
    renameSync(fresh, folder);
  } catch {
    // another process was faster
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** A headless Chromium with WebGPU on the software driver. */
export function launchChromium(): Promise<Browser> {
  const folder = unpacked();
  const libraries = [join(folder, "lib"), process.env["LD_LIBRARY_PATH"]].filter((path) => path !== undefined);
  return chromium.launch({
    executablePath: join(folder, "chromium"),
    args: [
      // The packaged program is the shell without a window: it has no other mode.
      "--headless=shell",
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
    env: { ...process.env, LD_LIBRARY_PATH: libraries.join(":"), FONTCONFIG_PATH: folder },
  });
}
