/* Choosing a place: for steps that are moved or copied (menu, bar, or x on a card) and for a new one from the palette.
   Every slot lights up; the keyboard's and the finger's way to do what dragging does. */

/* The pluses where steps would not change place: inside them, and right beside one that stands alone. */
export function nothingChanges(cards) {
  const own = cards.map((card) => card.closest(".flow-step"));
  const beside = own.length === 1 ? [own[0].previousElementSibling, own[0].nextElementSibling] : [];
  return [
    ...own.flatMap((step) => [...step.querySelectorAll(".flow-slot__button")]),
    ...beside.map((slot) => slot?.querySelector(".flow-slot__button")).filter(Boolean),
  ];
}

export class Placing {
  constructor(designer) {
    this.designer = designer;
    this.what = null;
  }

  get active() { return this.what !== null; }
  get slots() { return this.designer.querySelectorAll(".flow-slot__button"); }

  /* Steps to move, or to put copies of ("copy_to"). */
  pick(card, op = "move") {
    const cards = this.designer.cardsWith(card);
    const what = cards.length > 1 ? `${cards.length} steps` : `“${card.dataset.title}”`;
    const verb = op === "move" ? "Move" : "Copy";
    this.start({ op, values: { steps: ids(cards) }, from: card }, `${verb} ${what}: choose a place`);
    if (op !== "move") return;
    for (const one of cards) one.classList.add("is-picked");
    for (const button of nothingChanges(cards)) button.disabled = true;
    this.designer.querySelector(".flow-slot__button:not(:disabled)")?.focus({ preventScroll: true });
  }

  start(what, words) {
    this.stop();
    this.what = what;
    this.designer.classList.add("is-placing");
    // What a plus shows now is part of its name, for those who speak it.
    for (const slot of this.slots) slot.setAttribute("aria-label", `${slot.getAttribute("aria-label")}: put it here`);
    const banner = this.designer.querySelector(".flow-placing");
    banner.querySelector("span").textContent = words;
    banner.hidden = false;
    this.designer.querySelector("#flow-live").textContent = `${words}. Arrows walk, Enter puts it there, Escape stops.`;
    this.designer.querySelector(".flow-slot__button")?.focus({ preventScroll: true });
  }

  drop(slot) {
    const what = this.what;
    this.stop({ focus: false });
    this.designer.change(what.op, { ...what.values, ...place(slot) });
  }

  stop({ focus = true } = {}) {
    if (!this.what) return;
    const from = this.what.from;
    this.what = null;
    this.designer.classList.remove("is-placing");
    this.designer.querySelector(".flow-placing").hidden = true;
    for (const slot of this.slots) {
      slot.disabled = false;
      slot.setAttribute("aria-label", slot.getAttribute("aria-label").replace(/: put it here$/, ""));
    }
    for (const picked of this.designer.querySelectorAll(".is-picked")) picked.classList.remove("is-picked");
    if (focus) (from?.querySelector("[data-open]") ?? from)?.focus({ preventScroll: true });
  }
}

export const ids = (cards) => cards.map((card) => card.dataset.step).join();

/* What the server is told of a plus. */
export const place = (slot) => ({ branch: slot.dataset.slotBranch, index: slot.dataset.slotIndex });
