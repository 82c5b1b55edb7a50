/* Bundles the front end: every .js and .css file directly in this folder is one entry and becomes
   build/bundle/<name>; folders below hold the modules they import. icons.txt names the icons of the sprite
   build/bundle/icons.svg, one a line: `name` or `name weight` (regular, bold, fill, light, thin, duotone).
   mail_icons.txt names the icons of mails: build/mail/<name>.png, because mail clients show no SVG.
   Run by `make setup`; `node frontend/build.mjs --watch` bundles again at every change. */
import { Resvg, initWasm } from "@resvg/resvg-wasm";
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

function svg(name, weight) {
  const file = weight === "regular" ? `${name}.svg` : `${name}-${weight}.svg`;
  const path = join(root, "node_modules/@phosphor-icons/core/assets", weight, file);
  if (!existsSync(path)) throw new Error(`There is no icon "${name}" of weight "${weight}"`);
  return readFileSync(path, "utf8");
}

function linesOf(name) {
  const text = readFileSync(join(here, name), "utf8");
  return [...new Set(text.split("\n").map((line) => line.replace(/#.*/, "").trim()).filter(Boolean))];
}

function symbol(line) {
  const [name, weight = "regular"] = line.split(/\s+/);
  const [, box, inner] = svg(name, weight).match(/viewBox="([^"]+)"[^>]*>(.*)<\/svg>/s);
  const id = weight === "regular" ? name : `${name}-${weight}`;
  return `<symbol id="${id}" viewBox="${box}">${inner}</symbol>`;
}

function sprite() {
  const symbols = linesOf("icons.txt").sort().map(symbol).join("\n");
  writeFileSync(join(target, "icons.svg"), `<svg xmlns="http://www.w3.org/2000/svg">\n${symbols}\n</svg>\n`);
}

async function mailIcons() {
  const folder = join(root, "build", "mail");
  mkdirSync(folder, { recursive: true });
  await initWasm(readFileSync(join(root, "node_modules/@resvg/resvg-wasm/index_bg.wasm")));
  for (const line of linesOf("mail_icons.txt")) {
    const [file, name] = line.split(/\s+/);
    const white = svg(name, "fill").replace("currentColor", "#ffffff");
    // Shown at 20 pixels: three times as many, for sharp screens. The box is larger than the glyph, as MJML's own are.
    const padded = white.replace('viewBox="0 0 256 256"', 'viewBox="-24 -24 304 304"');
    writeFileSync(join(folder, `${file}.png`), new Resvg(padded, { fitTo: { mode: "width", value: 60 } }).render().asPng());
  }
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
await mailIcons();
if (process.argv.includes("--watch")) {
  const watcher = await context({ ...options, minify: false, sourcemap: "linked", logLevel: "info" });
  await watcher.watch();
} else {
  await build(options);
}
