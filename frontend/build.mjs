/* Bundles the front end: every .js and .css file directly in this folder is one entry and becomes
   build/bundle/<name>; folders below hold the modules they import. icons.txt names the icons of the sprite
   build/bundle/icons.svg, one a line: `name` or `name weight` (regular, bold, fill, light, thin, duotone).
   Run by `make setup`; `node frontend/build.mjs --watch` bundles again at every change. */
import { build, context } from "esbuild";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const target = join(root, "build", "bundle");

function entries() {
  return readdirSync(here).filter((name) => [".js", ".css"].includes(extname(name))).map((name) => join(here, name));
}

function symbol(line) {
  const [name, weight = "regular"] = line.split(/\s+/);
  const file = weight === "regular" ? `${name}.svg` : `${name}-${weight}.svg`;
  const path = join(root, "node_modules/@phosphor-icons/core/assets", weight, file);
  if (!existsSync(path)) throw new Error(`frontend/icons.txt: there is no icon "${name}" of weight "${weight}"`);
  const [, box, inner] = readFileSync(path, "utf8").match(/viewBox="([^"]+)"[^>]*>(.*)<\/svg>/s);
  const id = weight === "regular" ? name : `${name}-${weight}`;
  return `<symbol id="${id}" viewBox="${box}">${inner}</symbol>`;
}

function sprite() {
  const list = join(here, "icons.txt");
  if (!existsSync(list)) return;
  const lines = readFileSync(list, "utf8").split("\n").map((line) => line.replace(/#.*/, "").trim()).filter(Boolean);
  const symbols = [...new Set(lines)].sort().map(symbol).join("\n");
  writeFileSync(join(target, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols}\n</svg>\n`);
}

const options = {
  entryPoints: entries(),
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  outdir: target,
  legalComments: "linked",
  loader: { ".woff2": "file", ".svg": "file" },
  logLevel: "warning",
};

mkdirSync(target, { recursive: true });
sprite();
if (process.argv.includes("--watch")) {
  const watcher = await context({ ...options, minify: false, sourcemap: "linked", logLevel: "info" });
  await watcher.watch();
} else {
  await build(options);
}
