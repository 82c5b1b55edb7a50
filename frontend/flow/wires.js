/* <flow-wires>: one SVG over the tree for all forks and joins. CSS alone gets them wrong as soon as an outer branch
   exits. Measured with getBoundingClientRect divided by the zoom; drawn again whenever the tree changes. */
const NS = "http://www.w3.org/2000/svg";
const BEND = 8;
const BAR = 22;
// Lines end below what they lead to, so that no gap is left.
const UNDER = 2;

class FlowWires extends HTMLElement {
  connectedCallback() {
    this.tree = this.parentElement;
    const svg = document.createElementNS(NS, "svg");
    svg.setAttribute("aria-hidden", "true");
    this.path = svg.appendChild(document.createElementNS(NS, "path"));
    this.walked = svg.appendChild(document.createElementNS(NS, "path"));
    this.walked.classList.add("is-walked");
    this.replaceChildren(svg);
    this.later = () => {
      cancelAnimationFrame(this.frame);
      this.frame = requestAnimationFrame(() => this.draw());
    };
    this.observer = new ResizeObserver(this.later);
    this.observer.observe(this.tree);
    document.addEventListener("htmx:afterSettle", this.later);
    document.fonts?.ready.then(this.later);
    this.draw();
  }

  disconnectedCallback() {
    this.observer.disconnect();
    document.removeEventListener("htmx:afterSettle", this.later);
  }

  draw() {
    const point = this.grid();
    const lines = [];
    const walked = [];
    for (const branches of this.tree.querySelectorAll(".flow-branches:not([hidden])")) {
      lines.push(...fork(branches, point), ...join(branches, point));
      walked.push(...fork(branches, point, ".is-walked"), ...join(branches, point, ".is-joined"));
    }
    this.path.setAttribute("d", lines.join(""));
    this.walked.setAttribute("d", walked.join(""));
  }

  /* Lines are whole pixels of the screen wide and stand on whole pixels, at every zoom, as the browser draws the
     straight ones between the cards; it sets the SVG itself on whole pixels too. Returns where an element's edge is. */
  grid() {
    const dots = devicePixelRatio;
    const root = this.tree.getBoundingClientRect();
    const scale = root.width / this.tree.offsetWidth || 1;
    const wide = Math.max(1, Math.round(2 * scale * dots));
    const line = (at) => (Math.round(at * dots - wide / 2) + wide / 2) / dots;
    const whole = (at) => Math.round(at * dots) / dots;
    const [left, top] = [whole(root.left), whole(root.top)];
    const across = (scale * (whole(root.right) - left)) / root.width || scale;
    const down = (scale * (whole(root.bottom) - top)) / root.height || scale;
    // A hair more than the pixels that are meant: borders are rounded down.
    const width = `${(wide + 0.02) / dots / scale}px`;
    if (this.tree.style.getPropertyValue("--flow-wire") !== width) this.tree.style.setProperty("--flow-wire", width);
    return (element, edge) => {
      const box = element.getBoundingClientRect();
      return [(line(box.left + box.width / 2) - left) / across, (line(box[edge]) - top) / down];
    };
  }
}

const chosen = (branches, only) => [...branches.children].filter((branch) => branch.matches(only));

/* From the split's card down to a bar, and from the bar down to each label. */
function fork(branches, point, only = "*") {
  const labels = chosen(branches, only).map((branch) => point(branch.firstElementChild, "top"));
  if (!labels.length) return [];
  const from = point(branches.parentElement.querySelector(":scope > .flow-card"), "bottom");
  const bar = from[1] + BAR;
  return [`M${from[0]},${from[1] - UNDER}V${bar}`, ...labels.map(([x, y]) => bend(from[0], bar, x, y))];
}

/* From the end of each branch that goes on to a bar, and from the bar to the slot after the split. */
function join(branches, point, only = "*") {
  const after = branches.parentElement.nextElementSibling;
  if (!after) return [];
  const slot = point(after.firstElementChild ?? after, "top");
  const bar = slot[1] - BAR;
  const ends = chosen(branches, only)
    .filter((branch) => !branch.classList.contains("flow-branch--exits"))
    .map((branch) => branch.querySelector(":scope > .flow-seq").lastElementChild)
    .map((last) => point(last.firstElementChild ?? last, "bottom"));
  if (!ends.length) return [];
  return [`M${slot[0]},${bar}V${slot[1] + UNDER}`, ...ends.map(([x, y]) => bend(slot[0], bar, x, y))];
}

/* A line along the bar that turns off, rounded, to a point above or below it. */
function bend(start, bar, x, y) {
  const end = y + Math.sign(y - bar) * UNDER;
  if (Math.abs(x - start) < 2) return `M${start},${bar}V${end}`;
  const side = Math.sign(x - start) * Math.min(BEND, Math.abs(x - start));
  const turn = Math.sign(y - bar) * BEND;
  return `M${start},${bar}H${x - side}Q${x},${bar} ${x},${bar + turn}V${end}`;
}

customElements.define("flow-wires", FlowWires);
