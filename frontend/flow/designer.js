/* <flow-designer>: turns clicks and keys into operations of the server, and shows its answers. It never decides
   where something may go: it posts {op, step, branch, index, base_version}; the server checks and draws anew. */
import { Dragging } from "./dragging.js";
import { goToField } from "./faults.js";
import { Keys } from "./keys.js";
import { Making } from "./making.js";
import { Menu } from "./menu.js";
import { ids, place, Placing } from "./placing.js";
import { fillBranchMenu, fillSlotMenu, fillStepMenu } from "./menus.js";
import { askRemove, askRemoveBranch } from "./removing.js";
import { searchBoxes } from "./searched-boxes.js";
import { searchSelects } from "./searched.js";
import { Selecting } from "./selecting.js";
import { takeNewest } from "./together.js";
import { askTransfer } from "./transferring.js";

class FlowDesigner extends HTMLElement {
  connectedCallback() {
    this.menus = new Map([...this.querySelectorAll(".flow-menu")].map((menu) => [menu.id, new Menu(menu)]));
    this.making = new Making(this);
    this.placing = new Placing(this);
    this.selecting = new Selecting(this);
    this.dragging = new Dragging(this);
    this.addEventListener("click", (event) => this.click(event));
    this.addEventListener("contextmenu", (event) => this.context(event));
    this.addEventListener("input", (event) => this.touched(event));
    this.addEventListener("htmx:beforeRequest", ({ detail }) => this.panelSends(detail.requestConfig.elt));
    // Dialogs have forms too.
    this.addEventListener("submit", ({ target }) => { if (this.panel.contains(target)) this.dirty = false; });
    this.addEventListener("htmx:afterRequest", ({ target, detail }) => {
      const { elt, formData } = detail.requestConfig;
      if (!this.panel.contains(target) || elt.matches("[data-own]")) return;
      // A form that was refused is still to apply; so is a line taken out, whose button is gone by now.
      if (elt.matches("form") ? !accepted(detail) : accepted(detail) && formData?.has("drop")) this.unapplied();
    });
    this.addEventListener("htmx:beforeSwap", () => {
      this.inPanel = this.panel.contains(document.activeElement);
      this.pressed = document.activeElement.closest("#flow-actions button")?.id;
    });
    this.addEventListener("htmx:afterSettle", () => this.settled());
    this.onAction = (event) => {
      const action = event.target.closest("[data-flow-action]");
      if (action) this.act(action.dataset.flowAction);
    };
    this.keys = new Keys(this);
    this.onKey = (event) => this.keys.key(event);
    // Raised on the page where the button that was pressed went with its line.
    this.onCriteria = ({ detail }) => { if (this.panel.querySelector(`form #criteria-${CSS.escape(detail.prefix)}`)) this.unapplied(); };
    this.onLeave = (event) => { if (this.dirty) event.preventDefault(); };
    document.addEventListener("click", this.onAction);
    document.addEventListener("keydown", this.onKey);
    document.addEventListener("criteria:changed", this.onCriteria);
    addEventListener("beforeunload", this.onLeave);
    this.searchChoices();
    requestAnimationFrame(() => this.arrive());
  }

  /* A link led here to a part, perhaps to a field of it. */
  async arrive() {
    const part = this.openPart;
    if (!part) return;
    await this.unfold(part);
    this.mark(part);
    this.show(part);
    if (this.dataset.field) goToField(this.panel, this.dataset.field);
  }

  disconnectedCallback() {
    this.dragging.stop();
    document.removeEventListener("click", this.onAction);
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener("criteria:changed", this.onCriteria);
    removeEventListener("beforeunload", this.onLeave);
  }

  get editable() { return "editable" in this.state; }
  get state() { return this.querySelector("#flow-data").dataset; }
  get panel() { return this.querySelector("#flow-panel"); }
  get openPart() { return this.panel.firstElementChild?.dataset.part ?? ""; }

  // --- talking to the server

  request(path, values = {}, after) {
    return this.inTurn(() => {
      const sent = { ...values, base_version: this.state.version, part: values.part ?? this.openPart };
      const words = this.panel.querySelector("#flow-find")?.value;
      if (words) sent.q = words;
      const going = { source: this, target: "#flow-root", swap: "morph:outerHTML", values: sent };
      return htmx.ajax("POST", this.dataset.url + path, going);
    }).then(() => after?.());
  }

  /* One request after the other, each with the version that the one before left: htmx would queue a second one of the
     same element, and say at once that it is done. */
  inTurn(start) {
    this.turn = (this.turn ?? Promise.resolve()).catch(() => {}).then(start);
    return this.turn;
  }

  /* A panel's form is sent by htmx itself. It has its turn too: what is done meanwhile waits for the version that it
     leaves, else one's own Apply would be taken for somebody else's. */
  panelSends(form) {
    if (!form.matches("#flow-panel form:not([data-own])")) return;
    this.inTurn(() => new Promise((resolve) => {
      const heard = ({ detail }) => {
        if (detail.requestConfig.elt !== form) return;
        this.removeEventListener("htmx:afterRequest", heard);
        resolve();
      };
      this.addEventListener("htmx:afterRequest", heard);
    }));
  }

  op(op, values = {}) {
    this.dirty = false;
    return this.request("op/", { op, ...values });
  }

  /* An operation that somebody began outside the panel: what was typed there is applied first. */
  async change(op, values = {}) {
    if (this.dirty && !(await this.apply(this.openPart))) return undefined;
    return this.op(op, values);
  }

  say(words) { this.querySelector("#flow-live").textContent = words; }

  /* Folds or unfolds a split or branch; `reveal` unfolds whatever hides a step or branch. What was typed stays in the
     panel: folding changes nothing of the flow. */
  fold(values) { return this.request("fold/", this.dirty ? { ...values, keep: "1" } : values); }

  async open(part, { focus = true, field = "" } = {}) {
    if (this.dirty && !(await this.apply(part))) return;
    await this.unfold(part);
    const url = `${this.dataset.url}panel/?part=${encodeURIComponent(part)}`;
    await this.inTurn(() => htmx.ajax("GET", url, { source: this, target: "#flow-panel", swap: "innerHTML" }));
    this.dirty = false;
    this.mark(part);
    this.show(part);
    if (field && goToField(this.panel, field)) return;
    if (focus && part) this.enterPanel();
  }

  enterPanel() { (this.panel.querySelector("[autofocus]") ?? this.panel.querySelector("h2"))?.focus(); }

  /* Unfolds whatever hides a step or a branch. */
  async unfold(part) {
    const [kind, id] = cardPart(part).split(":");
    if (["step", "branch"].includes(kind) && !this.querySelector(`#${kind}-${CSS.escape(id)}`)) await this.fold({ reveal: id });
  }

  /* What was typed is applied before something else is opened; with an error the panel stays. */
  async apply(next) {
    const form = this.panel.querySelector("form");
    if (!form) return true;
    form.querySelector('[name="next"]').value = next;
    const done = new Promise((resolve) => {
      const heard = (event) => {
        if (event.detail.requestConfig.elt !== form) return;
        this.removeEventListener("htmx:afterRequest", heard);
        resolve(accepted(event.detail));
      };
      this.addEventListener("htmx:afterRequest", heard);
    });
    htmx.trigger(form, "submit");
    const well = await done;
    // Where a refused panel kept one from going.
    this.wanted = well ? undefined : next;
    return well;
  }

  /* What was typed and not applied is dropped: then it goes on to where the panel kept one from going, or shows the
     part as it is. */
  discard() {
    const next = this.wanted ?? this.openPart;
    this.dirty = false;
    this.wanted = undefined;
    return next ? this.open(next) : this.closePanel();
  }

  /* Long lists of choices are searched on the server. */
  searchChoices() {
    searchSelects(this.panel);
    searchBoxes(this.panel);
  }

  settled() {
    this.searchChoices();
    this.selecting.settle(this.chosenNow());
    this.dragging.refresh();
    const said = this.state.said;
    const live = this.querySelector("#flow-live");
    if (said && live.textContent !== said) live.textContent = said;
    this.mark(this.openPart);
    const focus = this.state.focus && this.querySelector(`#${CSS.escape(this.state.focus)}`);
    if (focus && this.focused !== this.state.version) {
      this.focused = this.state.version;
      // Not a note above the step.
      const stop = focus.querySelector(".flow-card__body, .flow-branch__name, .flow-slot__button") ?? focus;
      stop.focus({ preventScroll: true });
      stop.scrollIntoView({ block: "nearest", inline: "nearest" });
    }
    // What was pressed went with the panel that it was in: the keyboard goes on in the one that came.
    if (this.inPanel && document.activeElement === document.body) this.enterPanel();
    if (this.pressed) this.leaveSpent(document.activeElement);
  }

  /* A button of the header that can do no more loses the keyboard, some time after: it goes on at the one beside it, or
     on the canvas. */
  leaveSpent(at) {
    if (at !== document.body && !at.disabled) return;
    const beside = { "flow-undo": "flow-redo", "flow-redo": "flow-undo" }[this.pressed];
    const next = document.querySelector(`#${beside}:enabled`) ?? this.querySelector("flow-canvas");
    next.focus({ preventScroll: true });
  }

  /* The steps that the server chose, once for each version. */
  chosenNow() {
    if (this.chosenAt === this.state.version) return [];
    this.chosenAt = this.state.version;
    return (this.state.chosen ?? "").split(" ").filter(Boolean);
  }

  mark(part) {
    for (const card of this.querySelectorAll(".is-selected")) card.classList.remove("is-selected");
    for (const open of this.querySelectorAll("#flow-root [data-open][aria-current]")) open.removeAttribute("aria-current");
    if (!part) return;
    const card = this.querySelector(`#flow-root [data-part="${CSS.escape(cardPart(part))}"]`);
    card?.classList.add("is-selected");
    card?.querySelector("[data-open]")?.setAttribute("aria-current", "true");
  }

  /* Brings what was opened into sight, where it is not. */
  show(part) {
    const canvas = this.querySelector("flow-canvas");
    const card = part && this.querySelector(`#flow-root [data-part="${CSS.escape(cardPart(part))}"]`);
    if (!card) return;
    const [at, seen] = [card.getBoundingClientRect(), canvas.getBoundingClientRect()];
    const inSight = at.top >= seen.top && at.bottom <= seen.bottom && at.left >= seen.left && at.right <= seen.right;
    if (!inSight) card.scrollIntoView({ block: "center", inline: "center" });
  }

  touched(event) {
    if (this.panel.contains(event.target) && event.target.closest("form:not([data-own])")) this.unapplied();
  }

  unapplied() {
    this.dirty = true;
    const hint = this.panel.querySelector(".flow-panel__hint");
    if (hint) hint.textContent = "Not applied yet";
    this.panel.querySelector("[data-discard]")?.removeAttribute("hidden");
  }

  // --- clicks

  click(event) {
    const slot = event.target.closest(".flow-slot__button");
    if (slot) return this.pressSlot(slot);
    const opener = event.target.closest("[data-menu]");
    if (opener) return this.openMenu(opener);
    const item = event.target.closest(".flow-menu [role='menuitem']");
    if (item) return this.choose(item);
    const fold = event.target.closest("[data-fold]");
    if (fold) return this.fold({ fold: fold.dataset.fold });
    const open = event.target.closest("[data-open]:not(dialog)");
    if (open && this.selecting.click(event, open.closest("#flow-root .flow-card"))) return undefined;
    if (open) return this.open(open.dataset.open, { field: open.dataset.field });
    const add = event.target.closest("[data-place-kind]");
    if (add) return this.placing.start({ op: "insert", values: { kind: add.dataset.placeKind }, from: add }, `Add “${add.dataset.label}”: choose a place`);
    const op = event.target.closest("[data-op]");
    if (op) return this.panelOp(op);
    const make = event.target.closest("[data-make]");
    if (make) return this.making.start(make);
    const bar = event.target.closest("[data-bar]");
    if (bar) return this.barAct(bar.dataset.bar);
    if (event.target.closest("[data-select-mode]")) return this.selecting.setMode(!this.selecting.mode);
    const newest = event.target.closest("[data-take-newest]");
    if (newest) return takeNewest(this, newest.dataset.takeNewest);
    if (event.target.closest("[data-close-panel]")) return this.closePanel();
    if (event.target.closest("[data-discard]")) return this.discard();
    if (event.target.closest("[data-stop-placing]")) return this.placing.stop();
    if (event.target.closest("[data-dismiss-notice]")) return this.querySelector("#flow-notice").replaceChildren();
    return undefined;
  }

  panelOp(button) {
    const { op, ...rest } = button.dataset;
    const values = { ...rest };
    if (op === "remove") return askRemove(this, this.card(rest.step));
    return this.dirty && !("force" in rest)
      ? this.apply(this.openPart).then((done) => done && this.op(op, values))
      : this.op(op, values);
  }

  context(event) {
    const menu = event.target.closest("#flow-root :is(.flow-card, .flow-branch__label)")?.querySelector("[data-menu]");
    if (!menu) return;
    event.preventDefault();
    this.openMenu(menu);
  }

  pressSlot(slot) {
    if (this.placing.active) return this.placing.drop(slot);
    this.chosenSlot = slot;
    const menu = this.menus.get("slot-menu");
    fillSlotMenu(menu.element, this.state);
    return menu.open(slot);
  }

  openMenu(button) {
    const menu = this.menus.get(button.dataset.menu);
    if (button.dataset.menu === "step-menu") fillStepMenu(menu.element, button.closest(".flow-step"), this.state);
    if (button.dataset.menu === "branch-menu") fillBranchMenu(menu.element, button.closest(".flow-branch"));
    menu.open(button);
  }

  choose(item) {
    const menu = this.menus.get(item.closest(".flow-menu").id);
    const button = menu.button;
    menu.close();
    if (item.dataset.kind) return this.change("insert", { kind: item.dataset.kind, ...place(this.chosenSlot) });
    if (item.dataset.act === "paste") return this.change("paste", place(this.chosenSlot));
    const branch = button.closest(".flow-branch__label")?.parentElement;
    if (branch) return this.branchAct(item.dataset.act, branch);
    return this.stepAct(item.dataset.act, button.closest(".flow-card"));
  }

  stepAct(act, card) {
    if (act === "edit") return this.open(card.dataset.part);
    if (act === "comment") return this.open(`comments:${card.dataset.step}`);
    if (act === "move" || act === "copy_to") return this.placing.pick(card, act);
    if (act === "remove") return askRemove(this, card);
    if (act === "fold") return "splits" in card.dataset && this.fold({ fold: card.dataset.step });
    const several = ["duplicate", "copy", "cut"].includes(act);
    return this.change(act, several ? { steps: ids(this.cardsWith(card)) } : { step: card.dataset.step });
  }

  barAct(act) {
    const [card] = this.selecting.cards;
    if (act !== "clear") return card && this.stepAct(act, card);
    if (this.selecting.mode) this.selecting.setMode(false);
    this.selecting.clear();
    return card?.querySelector("[data-open]").focus({ preventScroll: true });
  }

  branchAct(act, branch) {
    const id = branch.dataset.branch;
    if (act === "edit") return this.open(`branch:${id}`);
    if (act === "fold") return this.fold({ fold: id });
    if (act === "remove_branch") return askRemoveBranch(this, branch);
    if (act === "transfer") return askTransfer(this, branch);
    return this.change(act, { branch_id: id });
  }

  async act(action) {
    if (action === "keys") return this.querySelector("#flow-keys").showModal();
    if (action === "print") return print();
    if (action === "add-note") return this.change("add_note");
    if (action === "open-problems") return this.open("problems");
    if (action === "open-settings") return this.open("details");
    if (action === "open-revisions") return this.open("revisions");
    if (action === "open-comments") return this.open("comments");
    if (this.dirty && !(await this.apply(this.openPart))) return undefined;
    return this.request(`${action}/`);
  }

  /* The steps that an act on this card is about: all that are selected where it is one of them. */
  cardsWith(card) { return this.selecting.has(card) ? this.selecting.cards : [card]; }

  card(step) { return this.querySelector(`.flow-card[data-step="${CSS.escape(step)}"]`); }

  async closePanel() {
    const part = this.openPart;
    if (this.dirty && !(await this.apply(""))) return;
    await this.open("", { focus: false });
    this.querySelector(`#flow-root [data-open="${CSS.escape(part)}"]`)?.focus({ preventScroll: true });
  }
}

/* htmx calls a refusal a success where the page shows it (409, 422). */
const accepted = ({ successful, xhr }) => Boolean(successful) && xhr.status < 400;

/* The comments of a step belong to its card. */
const cardPart = (part) => part.replace(/^comments:(?!start)/, "step:").replace("comments:start", "start");

customElements.define("flow-designer", FlowDesigner);
