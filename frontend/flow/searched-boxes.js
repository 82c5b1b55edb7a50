/* A long list of boxes to tick gets a search: what is ticked stays on top, below it stands what the server found. The
   boxes are the form's own; this only takes unticked ones away and brings others. */
let count = 0;

export function searchBoxes(root) {
  for (const box of root.querySelectorAll("fieldset.field input[type=checkbox][data-searched][data-more]")) {
    const list = box.closest("fieldset.field > div");
    if (list && list.previousElementSibling?.localName !== "box-search") new BoxSearch(list, box);
  }
}

/* One more box to tick at the end of a list, drawn as the server draws them. */
export function addBox(list, name, value, text, marks = {}) {
  const there = [...list.querySelectorAll("input")].find((one) => one.value === value);
  if (there) return there;
  const [row, label] = [document.createElement("div"), document.createElement("label")];
  count += 1;
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name, value, id: `${name}-found-${count}` });
  Object.assign(box.dataset, marks);
  label.htmlFor = box.id;
  label.append(box, ` ${text}`);
  row.append(label);
  list.append(row);
  return box;
}

class BoxSearch {
  constructor(list, box) {
    this.list = list;
    this.kind = box.dataset.searched;
    this.name = box.name;
    this.marks = { ...box.dataset };
    const legend = list.closest("fieldset").querySelector("legend").textContent.trim();
    this.bar = document.createElement("box-search");
    this.input = Object.assign(document.createElement("input"), { type: "search", className: "form-control", autocomplete: "off", placeholder: "Find", disabled: box.matches(":disabled") });
    this.input.setAttribute("aria-label", `Find in: ${legend}`);
    this.told = Object.assign(document.createElement("p"), { className: "field-help", textContent: "More are there: type to find them." });
    this.told.setAttribute("role", "status");
    this.bar.append(this.input);
    list.before(this.bar);
    list.after(this.told);
    this.bar.addEventListener("input", (event) => {
      // Looking for something changes nothing of the flow.
      event.stopPropagation();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(this.input.value), 180);
    });
    for (const part of [this.bar, list]) part.addEventListener("keydown", (event) => this.key(event));
  }

  get boxes() { return [...this.list.querySelectorAll("input")]; }

  async search(text) {
    const asked = (this.asked = Symbol("search"));
    const url = `${this.list.closest("flow-designer").dataset.url}choices/${this.kind}/`;
    const found = document.createElement("template");
    try {
      const answer = await fetch(`${url}?q=${encodeURIComponent(text)}`, { headers: { "HX-Request": "true" } });
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      found.innerHTML = await answer.text();
    } catch {
      if (asked === this.asked) this.told.textContent = "The search did not work. Type again.";
      return;
    }
    if (asked !== this.asked || !this.list.isConnected) return;
    this.show([...found.content.querySelectorAll("[data-value]")], found.content.querySelector("[aria-disabled]")?.textContent);
  }

  show(found, words) {
    for (const box of this.boxes) if (!box.checked) box.closest("div").remove();
    const ticked = new Set(this.boxes.map((box) => box.value));
    for (const one of found) if (!ticked.has(one.dataset.value)) addBox(this.list, this.name, one.dataset.value, one.textContent, this.marks);
    this.told.textContent = words ?? `${found.length} found.`;
    this.list.scrollTop = 0;
  }

  /* Arrows walk through the boxes; Enter in the search ticks the first that was found. */
  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const stops = [this.input, ...this.boxes];
      stops[Math.max(0, Math.min(stops.indexOf(document.activeElement) + step, stops.length - 1))].focus();
    }
    if (event.key === "Enter" && event.target === this.input) {
      event.preventDefault();
      this.boxes.find((box) => !box.checked)?.click();
    }
    if (event.key === "Escape" && this.input.value) {
      event.preventDefault();
      event.stopPropagation();
      this.input.value = "";
      this.input.focus();
      this.search("");
    }
  }
}
