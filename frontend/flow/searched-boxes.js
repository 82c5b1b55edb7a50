/* A long list of boxes to tick gets a search: what is ticked stays on top, below it stands what the server found. The
   boxes are the form's own; this only takes unticked ones away and brings others. */
let count = 0;

export function searchBoxes(root) {
  for (const box of root.querySelectorAll("fieldset.field input[type=checkbox][data-searched][data-more]")) {
    const list = box.closest("fieldset.field > div");
    if (list && list.previousElementSibling?.localName !== "box-search") new BoxSearch(list, box);
  }
}

class BoxSearch {
  constructor(list, box) {
    this.list = list;
    this.kind = box.dataset.searched;
    this.row = box.closest("div").cloneNode(true);
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
    for (const one of found) if (!ticked.has(one.dataset.value)) this.add(one.dataset.value, one.textContent);
    this.told.textContent = words ?? `${found.length} found.`;
    this.list.scrollTop = 0;
  }

  add(value, text) {
    const row = this.row.cloneNode(true);
    const label = row.querySelector("label");
    const box = row.querySelector("input");
    count += 1;
    Object.assign(box, { value, checked: false, id: `${box.name}-found-${count}` });
    box.removeAttribute("checked");
    label.htmlFor = box.id;
    label.replaceChildren(box, ` ${text}`);
    this.list.append(row);
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
