// WebGPU on a machine without a GPU: the software driver SwiftShader, which comes with the development dependency
// @sparticuz/chromium (Linux x64).
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliDecompressSync } from "node:zlib";

const require = createRequire(import.meta.url);

/** Unpacks the driver once; the folder that holds it. */
function unpacked() {
  const packed = join(dirname(require.resolve("@sparticuz/chromium")), "../../bin/swiftshader.tar.br");
  const folder = fileURLToPath(new URL("../node_modules/.cache/tsax-swiftshader", import.meta.url));
  if (!existsSync(join(folder, "vk_swiftshader_icd.json"))) {
    const fresh = `${folder}-${process.pid}`;
    mkdirSync(fresh, { recursive: true });
    const tar = join(fresh, "swiftshader.tar");
    writeFileSync(tar, brotliDecompressSync(readFileSync(packed)));
    execFileSync("tar", ["xf", tar, "-C", fresh]);
    rmSync(tar);
    try {
      renameSync(fresh, folder);
    } catch {
      // another process was faster
      rmSync(fresh, { recursive: true, force: true });
    }
  }
  return folder;
}

/** Whether this machine can use the software driver. */
export const hasSoftwareDriver = process.platform === "linux" && process.arch === "x64";

/** Lets Dawn for Node find the software driver; call it before a device is asked for. A driver that the user names stays. */
export function useSoftwareDriver() {
  if (!hasSoftwareDriver) return;
  const driver = (process.env.VK_DRIVER_FILES ??= join(unpacked(), "vk_swiftshader_icd.json"));
  try {
    // Where the system has no Vulkan loader: this is no module of Node's, but it is loaded.
    process.dlopen({ exports: {} }, join(dirname(driver), "libvulkan.so.1"), 2 | 0x100 | 0x1000);
  } catch {
    // "Module did not self-register": loaded all the same
  }
}
