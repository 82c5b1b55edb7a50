/* Choosing a place: for a step that is moved (menu, or x on its card) and for a new one from the palette. Every slot
   lights up; the keyboard's and the finger's way to do what dragging does. */
export class Placing {
  constructor(designer) {
    this.designer = designer;
    this.what = null;
  }

  get active() { return this.what !== null; }

  pick(card) {
    const own = card.closest(".flow-step");
    this.start({ step: card.dataset.step, from: card }, `Move “${card.dataset.title}”: choose a place`);
    card.classList.add("is-picked");
    for (const slot of own.querySelectorAll(".flow-slot__button")) slot.disabled = true;
    const beside = [own.previousElementSibling, own.nextElementSibling];
    for (const slot of beside) slot?.querySelector(".flow-slot__button")?.setAttribute("disabled", "");
    this.designer.querySelector(".flow-slot__button:not(:disabled)")?.focus({ preventScroll: true });
  }

  start(what, words) {
    this.stop();
    this.what = what;
    this.designer.classList.add("is-placing");
    const banner = this.designer.querySelector(".flow-placing");
    banner.querySelector("span").textContent = words;
    banner.hidden = false;
    this.designer.querySelector("#flow-live").textContent = `${words}. Arrows walk, Enter puts it there, Escape stops.`;
    this.designer.querySelector(".flow-slot__button")?.focus({ preventScroll: true });
  }

  drop(slot) {
    const what = this.what;
    this.stop({ focus: false });
    const values = { branch: slot.dataset.slotBranch, index: slot.dataset.slotIndex };
    if (what.kind) this.designer.op("insert", { kind: what.kind, ...values });
    else this.designer.op("move", { step: what.step, ...values });
  }

  stop({ focus = true } = {}) {
    if (!this.what) return;
    const from = this.what.from;
    this.what = null;
    this.designer.classList.remove("is-placing");
    this.designer.querySelector(".flow-placing").hidden = true;
    for (const slot of this.designer.querySelectorAll(".flow-slot__button:disabled")) slot.disabled = false;
    this.designer.querySelector(".is-picked")?.classList.remove("is-picked");
    if (focus) from?.querySelector("[data-open]")?.focus({ preventScroll: true });
  }
}
