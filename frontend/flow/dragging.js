/* Dragging with a mouse or pen: kinds from the palette, steps and branches. It only finds the place; the server's
   operation moves. The tree stays as it is while dragging: slots light up, the nearest one opens. A finger picks up and
   drops by tapping (placing.js), as the keyboard does. */
import { autoScrollForElements } from "@atlaskit/pragmatic-drag-and-drop-auto-scroll/element";
import {
  draggable, dropTargetForElements, monitorForElements,
} from "@atlaskit/pragmatic-drag-and-drop/adapter/element-adapter";
import { combine } from "@atlaskit/pragmatic-drag-and-drop/utils/combine";
import { setCustomNativeDragPreview } from "@atlaskit/pragmatic-drag-and-drop/utils/set-custom-native-drag-preview";
import { nothingChanges } from "./placing.js";

const steps = (number) => (number === 1 ? "1 step" : `${number} steps`);

export class Dragging {
  constructor(designer) {
    this.designer = designer;
    this.byFinger = false;
    designer.addEventListener("pointerdown", (event) => { this.byFinger = event.pointerType === "touch"; }, true);
    this.stopWatching = monitorForElements({
      onDragStart: ({ source }) => this.begin(source.data),
      onDropTargetChange: ({ location }) => this.over(location.current.dropTargets[0]),
      onDrag: ({ location }) => this.over(location.current.dropTargets[0]),
      onDrop: ({ source, location }) => this.end(source.data, location.current.dropTargets[0]),
    });
    this.refresh();
  }

  /* After every answer of the server: morphing takes away what the library writes on elements. */
  refresh() {
    if (this.what) return;
    this.cleanup?.();
    this.cleanup = null;
    if (!this.designer.editable) return;
    const all = (selector) => [...this.designer.querySelectorAll(selector)];
    this.cleanup = combine(
      ...all("[data-drag-kind]").map((element) => this.source(element, () => kindOf(element))),
      ...all("#flow-root .flow-card[data-step]:not([data-held])").map((card) => this.source(card, () => this.stepsOf(card))),
      ...all("#flow-root .flow-branches:not([hidden]) > .flow-branch:not(.flow-branch--else)").map((branch) => (
        this.source(branch.querySelector(".flow-branch__label"), () => branchOf(branch)))),
      ...all("#flow-root .flow-note").map((note) => this.source(note, () => ({ type: "note", id: note.dataset.note, words: "Note" }))),
      ...all("#flow-root .flow-slot").map((slot) => this.slotTarget(slot)),
      ...all("#flow-root .flow-card").map((card) => this.cardTarget(card)),
      ...all("#flow-root .flow-branches:not([hidden]) > .flow-branch").map((branch) => this.branchTarget(branch)),
      autoScrollForElements({ element: this.designer.querySelector("flow-canvas") }),
    );
  }

  stop() {
    this.cleanup?.();
    this.stopWatching();
  }

  // --- what can be dragged

  source(element, data) {
    return draggable({
      element,
      canDrag: () => !this.byFinger && !this.designer.placing.active && !this.designer.querySelector("flow-canvas.is-hand"),
      getInitialData: data,
      onGenerateDragPreview: ({ nativeSetDragImage, source }) => setCustomNativeDragPreview({
        nativeSetDragImage,
        render: ({ container }) => { container.append(preview(element, source.data.words)); },
      }),
    });
  }

  stepsOf(card) {
    const cards = this.designer.cardsWith(card);
    const words = cards.length > 1 ? steps(cards.length) : card.dataset.title;
    return { type: "steps", words, cards, ids: cards.map((one) => one.dataset.step) };
  }

  // --- where it can go

  slotTarget(slot) {
    return dropTargetForElements({
      element: slot,
      canDrop: ({ source }) => ["kind", "steps"].includes(source.data.type) && this.free(slot),
      getData: () => ({ slot }),
    });
  }

  /* A card stands for the slot above or below it, whichever is nearer. */
  cardTarget(card) {
    const beside = (input) => {
      const box = card.getBoundingClientRect();
      const below = input.clientY > box.top + box.height / 2 && !("splits" in card.dataset);
      const item = card.closest(".flow-step");
      if (!item) return card.id === "card-start" ? this.first() : this.last();
      return below ? item.nextElementSibling : item.previousElementSibling;
    };
    return dropTargetForElements({
      element: card,
      canDrop: ({ source, input }) => (source.data.type === "note"
        ? card.id !== "card-finish"
        : source.data.type !== "branch" && this.free(beside(input))),
      getData: ({ input, source }) => (source.data.type === "note" ? { card } : { slot: beside(input) }),
    });
  }

  branchTarget(branch) {
    const place = (input) => {
      const box = branch.getBoundingClientRect();
      const after = !branch.classList.contains("flow-branch--else") && input.clientX > box.left + box.width / 2;
      return [...branch.parentElement.children].indexOf(branch) + (after ? 1 : 0);
    };
    return dropTargetForElements({
      element: branch,
      canDrop: ({ source }) => source.data.type === "branch" && (source.data.branch === branch || !source.data.branch.contains(branch)),
      getData: ({ input }) => ({ branch, position: place(input) }),
    });
  }

  first() { return this.designer.querySelector("#flow-root > .flow-seq > .flow-slot"); }
  last() { return this.designer.querySelector("#flow-root > .flow-seq > .flow-slot:last-child"); }

  free(slot) {
    const button = slot?.querySelector(".flow-slot__button");
    return Boolean(button) && !button.disabled;
  }

  // --- while it goes on

  begin(data) {
    this.what = data;
    document.body.classList.add("dragging");
    this.designer.classList.add({ branch: "is-sorting", note: "is-pinning" }[data.type] ?? "is-dragging");
    if (data.type === "steps") {
      for (const card of data.cards) card.classList.add("is-picked");
      for (const button of nothingChanges(data.cards)) button.disabled = true;
    }
    if (data.type === "branch") data.branch.classList.add("is-picked");
  }

  over(target) {
    const slot = target?.data.slot ?? null;
    if (slot !== this.slot) {
      this.slot?.classList.remove("is-over");
      slot?.classList.add("is-over");
      this.slot = slot;
    }
    for (const marked of this.designer.querySelectorAll(".is-under")) marked.classList.remove("is-under");
    target?.data.card?.classList.add("is-under");
    this.mark(target?.data.branch, target?.data.position);
  }

  /* Where a branch would stand: a bar at the left or right edge of the one below the pointer. */
  mark(branch, position) {
    for (const marked of this.designer.querySelectorAll(".is-before, .is-after")) marked.classList.remove("is-before", "is-after");
    if (!branch || this.where(branch, position) === null) return;
    const at = [...branch.parentElement.children].indexOf(branch);
    branch.classList.add(position > at ? "is-after" : "is-before");
  }

  /* The position among the branches once the dragged one is taken out; null where it would stay. */
  where(branch, position) {
    if (branch.parentElement !== this.what.branch.parentElement) return position;
    const from = [...branch.parentElement.children].indexOf(this.what.branch);
    const to = position > from ? position - 1 : position;
    return to === from ? null : to;
  }

  end(data, target) {
    const going = target && this.operation(data, target.data);
    this.over(null);
    this.what = null;
    document.body.classList.remove("dragging");
    this.designer.classList.remove("is-dragging", "is-sorting", "is-pinning");
    for (const picked of this.designer.querySelectorAll(".is-picked")) picked.classList.remove("is-picked");
    for (const button of this.designer.querySelectorAll(".flow-slot__button:disabled")) button.disabled = false;
    if (going) this.designer.change(...going);
    else this.designer.say("Put back: nothing was moved.");
  }

  operation(data, { slot, branch, position, card }) {
    if (data.type === "note") return card ? ["move_note", { note: data.id, step: card.dataset.step ?? "" }] : null;
    if (data.type === "branch") {
      const to = branch ? this.where(branch, position) : null;
      if (to === null) return null;
      const step = branch.closest(".flow-step").querySelector(":scope > .flow-card").dataset.step;
      return ["place_branch", { branch_id: data.branch.dataset.branch, position: to, step }];
    }
    if (!slot) return null;
    const { slotBranch, slotIndex } = slot.querySelector(".flow-slot__button").dataset;
    const place = { branch: slotBranch, index: slotIndex };
    return data.type === "kind" ? ["insert", { kind: data.kind, ...place }] : ["move", { steps: data.ids.join(), ...place }];
  }
}

function kindOf(element) {
  const button = element.matches("[data-label]") ? element : element.querySelector("[data-label]");
  return { type: "kind", kind: element.dataset.dragKind, words: button.dataset.label };
}

function branchOf(branch) {
  return { type: "branch", branch, words: branch.dataset.name };
}

/* What hangs at the pointer: icon and name, as small as a hand's width. */
function preview(element, words) {
  const box = document.createElement("div");
  box.className = `flow-carried ${[...element.classList].filter((name) => name.startsWith("family-")).join(" ")}`;
  const icon = element.querySelector(".flow-card__icon .icon, .flow-panel__icon .icon")?.cloneNode(true);
  const name = document.createElement("b");
  name.textContent = words;
  box.append(...(icon ? [icon, name] : [name]));
  return box;
}
