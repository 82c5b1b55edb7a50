/* Several steps at once: ctrl or shift and click, S on a card, a frame drawn with shift, or the mode "Select" where a
   tap is enough. What is chosen lives here by id; the bar below says how many and what can be done with them. */
const named = (number) => (number === 1 ? "1 step selected" : `${number} steps selected`);

export class Selecting {
  constructor(designer) {
    this.designer = designer;
    this.ids = new Set();
    this.anchor = null;
    this.bar = designer.querySelector(".flow-bar");
    designer.addEventListener("pointerdown", (event) => this.press(event), true);
    designer.addEventListener("pointermove", (event) => this.stretch(event));
    designer.addEventListener("pointerup", () => this.letGo());
    designer.addEventListener("pointercancel", () => this.letGo());
  }

  get mode() { return this.designer.classList.contains("is-selecting"); }
  get any() { return this.ids.size > 0; }

  /* The chosen cards in the order of the flow; what is inside a chosen split goes with it. */
  get cards() {
    const chosen = [...this.designer.querySelectorAll("#flow-root .flow-card[data-step]")]
      .filter((card) => this.ids.has(card.dataset.step));
    const steps = new Set(chosen.map((card) => card.closest(".flow-step")));
    return chosen.filter((card) => {
      let above = card.closest(".flow-step").parentElement.closest(".flow-step");
      while (above && !steps.has(above)) above = above.parentElement.closest(".flow-step");
      return !above;
    });
  }

  has(card) { return this.ids.has(card.dataset.step); }

  /* A click on a card that is about choosing, not opening. Says whether it was. */
  click(event, card) {
    if (!card?.dataset.step || !this.designer.editable) return false;
    if (event.shiftKey) this.range(card);
    else if (event.ctrlKey || event.metaKey || this.mode) this.toggle(card);
    else return false;
    return true;
  }

  toggle(card) {
    const id = card.dataset.step;
    if (!this.ids.delete(id)) this.ids.add(id);
    this.anchor = id;
    this.show(`${card.dataset.title} ${this.ids.has(id) ? "selected" : "no longer selected"}`);
  }

  /* From the card that was chosen last to this one, where both stand in one line. */
  range(card) {
    const line = [...card.closest(".flow-seq").children].filter((item) => item.classList.contains("flow-step"));
    const cards = line.map((item) => item.querySelector(":scope > .flow-card"));
    const from = cards.findIndex((one) => one.dataset.step === this.anchor);
    if (from < 0) return this.toggle(card);
    const to = cards.indexOf(card);
    for (const one of cards.slice(Math.min(from, to), Math.max(from, to) + 1)) this.ids.add(one.dataset.step);
    return this.show();
  }

  all() {
    for (const card of this.designer.querySelectorAll("#flow-root .flow-card[data-step]")) this.ids.add(card.dataset.step);
    this.show();
  }

  clear() {
    if (!this.any) return;
    this.ids.clear();
    this.anchor = null;
    this.show("Nothing selected");
  }

  setMode(on) {
    this.designer.classList.toggle("is-selecting", on);
    this.designer.querySelector("[data-select-mode]")?.setAttribute("aria-pressed", String(on));
    this.designer.say(on ? "Selecting: press steps to select them." : "No longer selecting.");
    if (!on) this.clear();
  }

  /* After an answer: what the server names is chosen (copies, for example), what is gone is forgotten. */
  settle(named_) {
    if (named_?.length) this.ids = new Set(named_);
    const there = new Set([...this.designer.querySelectorAll("#flow-root .flow-card[data-step]")].map((card) => card.dataset.step));
    for (const id of this.ids) if (!there.has(id)) this.ids.delete(id);
    if (!this.designer.editable) this.ids.clear();
    this.draw();
  }

  show(words = "") {
    this.draw();
    const many = this.any ? named(this.ids.size) : "";
    this.designer.say([words, many].filter(Boolean).join(". "));
  }

  draw() {
    for (const card of this.designer.querySelectorAll("#flow-root .flow-card[data-step]")) {
      const chosen = this.has(card);
      card.classList.toggle("is-chosen", chosen);
      const open = card.querySelector("[data-open]");
      if (chosen) open.setAttribute("aria-description", "Selected");
      else open.removeAttribute("aria-description");
    }
    this.bar.hidden = !this.any;
    this.bar.querySelector("[data-chosen-count]").textContent = named(this.ids.size);
    const held = this.cards.some((card) => card.dataset.held);
    for (const button of this.bar.querySelectorAll("[data-bar=move], [data-bar=cut], [data-bar=remove]")) {
      button.disabled = held;
      button.title = held ? "People are in one of these steps, so it cannot be moved or removed." : "";
    }
  }

  // --- the frame

  press(event) {
    if (event.button || event.pointerType === "touch" || !this.designer.editable) return;
    if (!event.shiftKey && !this.mode) return;
    const canvas = event.target.closest("flow-canvas");
    if (!canvas || event.target.closest(".flow-card, .flow-branch__label, .flow-note, button, a, input")) return;
    event.preventDefault();
    event.stopPropagation();
    const frame = Object.assign(document.createElement("div"), { className: "flow-frame" });
    canvas.parentElement.append(frame);
    this.frame = { element: frame, x: event.clientX, y: event.clientY, canvas };
  }

  stretch(event) {
    if (!this.frame) return;
    const { element, x, y } = this.frame;
    const [left, top] = [Math.min(x, event.clientX), Math.min(y, event.clientY)];
    const size = { left, top, width: Math.abs(event.clientX - x), height: Math.abs(event.clientY - y) };
    for (const [name, value] of Object.entries(size)) element.style.setProperty(name, `${value}px`);
  }

  letGo() {
    if (!this.frame) return;
    const { element, canvas } = this.frame;
    const box = element.getBoundingClientRect();
    element.remove();
    this.frame = null;
    if (box.width < 4 && box.height < 4) return this.clear();
    for (const card of canvas.querySelectorAll(".flow-card[data-step]")) {
      const at = card.getBoundingClientRect();
      const inside = at.left < box.right && at.right > box.left && at.top < box.bottom && at.bottom > box.top;
      if (inside) this.ids.add(card.dataset.step);
    }
    return this.show();
  }
}
