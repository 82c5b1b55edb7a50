/* <flow-canvas>: the sheet. Zoom by buttons, keys, ctrl+wheel and two fingers; pan by dragging the background, or
   anything while Space or the middle button is held; arrows walk the tree. For print it is as wide as the paper. */
import { download } from "./picture.js";

const LEAST = 0.25;
const MOST = 2;
const FIT_LEAST = 0.4;
const BEGIN_LEAST = 0.6;
const PAPER = 700; // pixels of a page in portrait between its margins
const KEYS = { "+": "in", "=": "in", "-": "out", 0: "reset", 1: "fit" };
const STOPS = "[data-open], .flow-slot__button, .flow-fold";

class FlowCanvas extends HTMLElement {
  connectedCallback() {
    this.zoom = 1;
    this.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.addEventListener("pointerdown", (event) => this.grab(event));
    this.addEventListener("pointermove", (event) => this.drag(event));
    this.addEventListener("pointerup", () => this.release());
    this.addEventListener("pointercancel", () => this.release());
    this.addEventListener("keydown", (event) => this.walk(event));
    this.addEventListener("touchstart", (event) => this.pinch(event), { passive: false });
    this.addEventListener("touchmove", (event) => this.pinch(event), { passive: false });
    this.addEventListener("touchend", () => { this.apart = null; });
    this.onKey = (event) => this.hand(event);
    this.onPrint = (event) => this.paper(event.type === "beforeprint");
    for (const type of ["keydown", "keyup"]) document.addEventListener(type, this.onKey);
    for (const type of ["beforeprint", "afterprint"]) addEventListener(type, this.onPrint);
    this.parentElement.addEventListener("click", (event) => {
      const button = event.target.closest("[data-zoom]");
      if (button) this.press(button.dataset.zoom);
      const picture = event.target.closest("[data-picture]");
      if (picture) download(this, picture.dataset.picture);
      if (event.target.closest("[data-print]")) print();
    });
    requestAnimationFrame(() => this.begin());
  }

  disconnectedCallback() {
    for (const type of ["keydown", "keyup"]) document.removeEventListener(type, this.onKey);
    for (const type of ["beforeprint", "afterprint"]) removeEventListener(type, this.onPrint);
  }

  get sheet() { return this.querySelector(".flow-canvas__sheet"); }

  begin() {
    const tree = this.querySelector(".flow-canvas__tree");
    const wanted = tree ? this.clientWidth / (tree.offsetWidth + 48) : 1;
    if (wanted < 1) this.set(Math.max(wanted, BEGIN_LEAST));
    this.middle();
    this.dataset.ready = "";
  }

  middle() {
    this.scrollLeft = (this.scrollWidth - this.clientWidth) / 2;
  }

  press(what) {
    if (what === "fit") return this.fit();
    if (what === "reset") return this.set(1);
    return this.set(this.zoom * (what === "in" ? 1.2 : 1 / 1.2));
  }

  /* Width first: a long flow fitted whole would be unreadable. */
  fit() {
    const tree = this.querySelector(".flow-canvas__tree");
    const wanted = Math.min(this.clientWidth / (tree.offsetWidth + 48), 1);
    this.set(Math.max(wanted, FIT_LEAST));
    this.middle();
    this.scrollTop = 0;
  }

  set(zoom, x = this.clientWidth / 2, y = this.clientHeight / 2) {
    const next = Math.min(MOST, Math.max(LEAST, zoom));
    const left = (this.scrollLeft + x) / this.zoom;
    const top = (this.scrollTop + y) / this.zoom;
    this.zoom = next;
    this.style.setProperty("--flow-zoom", next);
    this.scrollLeft = left * next - x;
    this.scrollTop = top * next - y;
    const shown = this.parentElement.querySelector("[data-zoom-level]");
    if (shown) shown.textContent = `${Math.round(next * 100)}%`;
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    const box = this.getBoundingClientRect();
    this.wanted = (this.wanted ?? this.zoom) * Math.exp(-event.deltaY / 400);
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      this.set(this.wanted, event.clientX - box.left, event.clientY - box.top);
      this.wanted = undefined;
    });
  }

  /* Two fingers: as much larger as they go apart, around the point between them. */
  pinch(event) {
    if (event.touches.length !== 2) return;
    event.preventDefault();
    const [one, two] = event.touches;
    const apart = Math.hypot(one.clientX - two.clientX, one.clientY - two.clientY);
    const box = this.getBoundingClientRect();
    const [x, y] = [(one.clientX + two.clientX) / 2 - box.left, (one.clientY + two.clientY) / 2 - box.top];
    if (this.apart) this.set((this.zoom * apart) / this.apart, x, y);
    this.apart = apart;
  }

  /* Space makes a hand of the pointer; having dragged with it, letting go of it presses no button. */
  hand(event) {
    if (event.key !== " " || event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
    const down = event.type === "keydown";
    if (this.moved || (down && !event.target.closest("button, a, summary"))) event.preventDefault();
    if (!down) this.moved = false;
    this.classList.toggle("is-hand", down);
  }

  paper(begins) {
    const tree = this.querySelector(".flow-canvas__tree");
    this.classList.toggle("is-drawn", begins);
    const zoom = begins ? Math.min(1, PAPER / tree.offsetWidth) : this.zoom;
    this.style.setProperty("--flow-zoom", zoom);
    this.querySelector("flow-wires").draw();
  }

  grab(event) {
    if (event.button > 1 || event.pointerType === "touch") return;
    const anything = event.button === 1 || this.classList.contains("is-hand");
    if (!anything && event.target.closest(".flow-card, .flow-branch__label, button, a, input")) return;
    if (anything) event.preventDefault();
    this.held = { x: event.clientX, y: event.clientY, left: this.scrollLeft, top: this.scrollTop };
    this.setPointerCapture(event.pointerId);
    this.classList.add("is-panning");
  }

  drag(event) {
    if (!this.held) return;
    this.moved = this.classList.contains("is-hand");
    this.scrollLeft = this.held.left - (event.clientX - this.held.x);
    this.scrollTop = this.held.top - (event.clientY - this.held.y);
  }

  release() {
    this.held = null;
    this.classList.remove("is-panning");
  }

  walk(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return undefined;
    if (KEYS[event.key] && !event.target.closest("input, textarea, select")) {
      event.preventDefault();
      return this.press(KEYS[event.key]);
    }
    const target = this.next(event.key, document.activeElement);
    if (!target || event.shiftKey) return undefined;
    event.preventDefault();
    target.focus({ preventScroll: true });
    return target.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  next(key, here) {
    const stops = [...this.querySelectorAll(STOPS)].filter((stop) => !stop.disabled && !stop.hidden);
    if (here === this) return key === "ArrowDown" ? stops[0] : null;
    const at = stops.indexOf(here);
    if (at < 0) return null;
    if (key === "ArrowDown") return stops[at + 1];
    if (key === "ArrowUp") return stops[at - 1];
    if (key === "Home") return stops[0];
    if (key === "End") return stops.at(-1);
    if (key !== "ArrowLeft" && key !== "ArrowRight") return null;
    const branch = here.closest(".flow-branch");
    const beside = key === "ArrowRight" ? branch?.nextElementSibling : branch?.previousElementSibling;
    return beside?.querySelector(STOPS);
  }
}

customElements.define("flow-canvas", FlowCanvas);
