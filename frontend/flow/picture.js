/* Writes the whole canvas as a file: a drawing (SVG) or a picture (PNG), always on light paper. Both are made from the
   same shapes (flow/scene.js), so no style, font or script of the page has to go along. */
import { round, sceneOf } from "./scene.js";

const SHARP = 2;
// What browsers let a picture be: pixels of a side, and of all.
const LONGEST = 16000;
const MOST = 200e6;

export async function download(canvas, format) {
  const icons = await iconsOf(canvas);
  await document.fonts.ready;
  const scene = sceneOf(canvas, icons);
  const file = format === "svg" ? new Blob([drawing(scene)], { type: "image/svg+xml" }) : await picture(scene);
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(file), download: `${document.querySelector("h1")?.textContent.trim() || "flow"}.${format}` });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/* The paths of the sprite's icons, by name. */
async function iconsOf(canvas) {
  const use = canvas.querySelector("svg.icon use");
  const answer = await fetch(use.getAttribute("href").split("#")[0]);
  const sprite = new DOMParser().parseFromString(await answer.text(), "image/svg+xml");
  return new Map([...sprite.querySelectorAll("symbol")].map((symbol) => [
    symbol.id, { view: symbol.viewBox.baseVal.width || 256, paths: [...symbol.querySelectorAll("path")].map((path) => path.getAttribute("d")) },
  ]));
}

// --- SVG

const safe = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const tag = (name, values, inner = "") => {
  const written = Object.entries(values).filter(([, value]) => value !== null && value !== undefined)
    .map(([key, value]) => ` ${key}="${safe(typeof value === "number" ? round(value) : value)}"`).join("");
  return `<${name}${written}>${inner}</${name}>`;
};

const WRITE = {
  path: ({ d, x, y, stroke, width }) => tag("path", { d, transform: `translate(${x} ${y})`, fill: "none", stroke, "stroke-width": width }),
  box: ({ x, y, width, height, radius, fill, stroke, line, dashed }) => tag("rect", {
    x: x + line / 2, y: y + line / 2, width: width - line, height: height - line, rx: Math.max(0, radius - line / 2), fill: fill ?? "none", stroke,
    "stroke-width": stroke ? line : null, "stroke-dasharray": stroke && dashed ? "4 3" : null,
  }),
  icon: ({ x, y, width, view, paths, fill }) => tag("g", { transform: `translate(${round(x)} ${round(y)}) scale(${width / view})`, fill }, paths.map((d) => tag("path", { d })).join("")),
  text: ({ text, x, y, width, fill, size, weight, family }) => tag("text", {
    x, y, fill, "font-size": size, "font-weight": weight, "font-family": family, textLength: width, lengthAdjust: "spacingAndGlyphs",
  }, safe(text)),
};

function drawing({ width, height, paper, shapes }) {
  const inner = [tag("rect", { width, height, fill: paper }), ...shapes.map((shape) => WRITE[shape.kind](shape))];
  return tag("svg", { xmlns: "http://www.w3.org/2000/svg", width, height, viewBox: `0 0 ${width} ${height}` }, `\n${inner.join("\n")}\n`);
}

// --- PNG

const PAINT = {
  path(pen, { d, x, y, stroke, width }) {
    pen.translate(x, y);
    Object.assign(pen, { strokeStyle: stroke, lineWidth: width });
    pen.stroke(new Path2D(d));
  },
  box(pen, { x, y, width, height, radius, fill, stroke, line, dashed }) {
    pen.beginPath();
    pen.roundRect(x + line / 2, y + line / 2, width - line, height - line, Math.max(0, radius - line / 2));
    if (fill) Object.assign(pen, { fillStyle: fill }).fill();
    if (!stroke) return;
    pen.setLineDash(dashed ? [4, 3] : []);
    Object.assign(pen, { strokeStyle: stroke, lineWidth: line }).stroke();
  },
  icon(pen, { x, y, width, view, paths, fill }) {
    pen.translate(x, y);
    pen.scale(width / view, width / view);
    pen.fillStyle = fill;
    for (const d of paths) pen.fill(new Path2D(d));
  },
  text(pen, { text, x, y, width, fill, size, weight, family }) {
    Object.assign(pen, { fillStyle: fill, font: `${weight} ${size}px ${family}` });
    pen.fillText(text, x, y, width + 1);
  },
};

function picture({ width, height, paper, shapes }) {
  const scale = Math.min(SHARP, LONGEST / Math.max(width, height), Math.sqrt(MOST / (width * height)));
  const sheet = Object.assign(document.createElement("canvas"), { width: Math.ceil(width * scale), height: Math.ceil(height * scale) });
  const pen = sheet.getContext("2d");
  pen.scale(scale, scale);
  pen.fillStyle = paper;
  pen.fillRect(0, 0, width, height);
  for (const shape of shapes) {
    pen.save();
    PAINT[shape.kind](pen, shape);
    pen.restore();
  }
  return new Promise((resolve) => { sheet.toBlob(resolve, "image/png"); });
}
