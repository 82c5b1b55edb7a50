/* What the canvas shows, as plain shapes in its own pixels: boxes, lines, icons, words. Read from the page as the browser
   laid it out, in the light theme, unzoomed, without what is only for the hand; nothing of that is ever painted, because
   everything is put back before the browser draws again. Knows nothing of files: flow/picture.js writes them. */
const MARGIN = 32;

export function sceneOf(canvas, icons) {
  const root = document.documentElement;
  const { bsTheme } = root.dataset;
  const zoom = canvas.style.getPropertyValue("--flow-zoom");
  const wires = canvas.querySelector("flow-wires");
  canvas.classList.add("is-drawn");
  root.dataset.bsTheme = "light";
  canvas.style.setProperty("--flow-zoom", 1);
  try {
    wires.draw();
    return new Scene(canvas.querySelector(".flow-canvas__tree"), icons).read();
  } finally {
    canvas.classList.remove("is-drawn");
    root.dataset.bsTheme = bsTheme;
    canvas.style.setProperty("--flow-zoom", zoom || 1);
    wires.draw();
  }
}

class Scene {
  constructor(tree, icons) {
    this.tree = tree;
    this.icons = icons;
    this.shapes = [];
    this.pen = document.createElement("canvas").getContext("2d");
  }

  read() {
    const box = this.tree.getBoundingClientRect();
    this.left = box.left - MARGIN;
    this.top = box.top - MARGIN;
    const paper = plain(getComputedStyle(this.tree).getPropertyValue("background-color")) ?? "#ffffff";
    for (const path of this.tree.querySelectorAll("flow-wires path")) this.wire(path);
    for (const slot of this.tree.querySelectorAll(".flow-slot")) this.line(slot);
    this.walk(this.tree.querySelector(".flow-canvas__root"));
    return { width: Math.ceil(box.width) + 2 * MARGIN, height: Math.ceil(box.height) + 2 * MARGIN, paper, shapes: this.shapes };
  }

  wire(path) {
    const d = path.getAttribute("d");
    const style = getComputedStyle(path);
    if (d) this.shapes.push({ kind: "path", d, x: MARGIN, y: MARGIN, stroke: plain(style.stroke), width: parseFloat(style.strokeWidth) });
  }

  /* The line through a place between steps; where a plus stands it goes through. */
  line(slot) {
    const style = getComputedStyle(slot, "::before");
    const box = this.placed(slot.getBoundingClientRect());
    const width = parseFloat(style.borderLeftWidth);
    if (!box.height || !width) return;
    const x = box.x + box.width / 2;
    this.shapes.push({ kind: "path", d: `M${round(x)},${round(box.y)}V${round(box.y + box.height)}`, x: 0, y: 0, stroke: plain(style.borderLeftColor), width });
  }

  placed({ left, top, width, height }) { return { x: left - this.left, y: top - this.top, width, height }; }

  walk(element) {
    const style = getComputedStyle(element);
    if (style.display === "none" || style.visibility === "hidden" || element.matches(".visually-hidden")) return;
    if (element.matches("svg.icon")) return void this.icon(element, style);
    this.box(element, style);
    for (const child of element.childNodes) {
      if (child.nodeType === Node.ELEMENT_NODE) this.walk(child);
      else if (child.nodeType === Node.TEXT_NODE && child.data.trim()) this.words(child, style);
    }
  }

  box(element, style) {
    const fill = plain(style.backgroundColor);
    const line = parseFloat(style.borderTopWidth);
    const stroke = line ? plain(style.borderTopColor) : null;
    if (!fill && !stroke) return;
    const box = this.placed(element.getBoundingClientRect());
    const radius = Math.min(parseFloat(style.borderTopLeftRadius) || 0, box.height / 2, box.width / 2);
    this.shapes.push({ kind: "box", ...box, radius, fill, stroke, line, dashed: style.borderTopStyle === "dashed" });
  }

  icon(element, style) {
    const name = element.querySelector("use").getAttribute("href").split("#")[1];
    const found = this.icons.get(name);
    const box = this.placed(element.getBoundingClientRect());
    if (found && box.width) this.shapes.push({ kind: "icon", ...box, ...found, fill: plain(style.color) });
  }

  /* A text, line by line as it was broken. */
  words(node, style) {
    const range = document.createRange();
    const lines = [];
    for (const found of node.data.matchAll(/\S+/g)) {
      range.setStart(node, found.index);
      range.setEnd(node, found.index + found[0].length);
      const [box] = range.getClientRects();
      if (!box?.width) continue;
      const line = lines.at(-1);
      if (line && Math.abs(line.top - box.top) < 3) Object.assign(line, { text: `${line.text} ${found[0]}`, right: box.right });
      else lines.push({ text: found[0], left: box.left, right: box.right, top: box.top, height: box.height });
    }
    this.pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = this.pen.measureText("x");
    for (const { text, left, right, top, height } of lines) {
      this.shapes.push({
        kind: "text", text, x: left - this.left, y: top - this.top + (height * up) / (up + down), width: right - left,
        fill: plain(style.color), size: parseFloat(style.fontSize), weight: style.fontWeight, family: style.fontFamily,
      });
    }
  }
}

export const round = (number) => Math.round(number * 100) / 100;

/* A computed colour as every program reads it; null where there is nothing to see. */
function plain(colour) {
  const mixed = colour.match(/^color\(srgb ([\d.e-]+) ([\d.e-]+) ([\d.e-]+)(?: \/ ([\d.]+))?\)$/);
  const parts = mixed ? mixed.slice(1, 4).map((part) => part * 255) : (colour.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
  const alpha = Number(mixed ? mixed[4] ?? 1 : colour.match(/[\d.]+/g)?.[3] ?? 1);
  if (parts.length < 3 || !alpha) return null;
  const [red, green, blue] = parts.map((part) => Math.max(0, Math.min(255, Math.round(part))));
  return alpha < 1 ? `rgba(${red},${green},${blue},${round(alpha)})` : `#${[red, green, blue].map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}
