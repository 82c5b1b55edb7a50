/* The keyboard of the designer: what a key means where the focus is. Acts are the designer's own. */
import { place } from "./placing.js";

export class Keys {
  constructor(designer) { this.designer = designer; }

  key(event) {
    // Only our menus: dragging leaves a popover of its own behind for a moment.
    if (document.querySelector("dialog[open], .flow-menu:popover-open, .menu:popover-open")) return;
    if (event.key === "Escape") return this.escape(event);
    if (event.target.closest("input, textarea, select, [contenteditable]") && !this.savesPanel(event)) return;
    if ((event.ctrlKey || event.metaKey) && !event.altKey) return this.chord(event);
    if (event.key === "/") {
      event.preventDefault();
      return this.designer.open("find");
    }
    if (event.key === "?") return this.designer.querySelector("#flow-keys").showModal();
    this.cardKey(event);
  }

  escape(event) {
    if (this.designer.placing.active) this.designer.placing.stop();
    else if (this.designer.selecting.any) this.designer.selecting.clear();
    else if (this.designer.selecting.mode) this.designer.selecting.setMode(false);
    else if (this.designer.openPart) this.designer.closePanel();
    else return;
    event.preventDefault();
  }

  /* A field keeps its own keys, undo too; Ctrl+S has no meaning in it. */
  savesPanel(event) {
    return (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "s" && this.designer.panel.contains(event.target);
  }

  chord(event) {
    const key = event.key.toLowerCase();
    const action = key === "z" ? (event.shiftKey ? "redo" : "undo") : { y: "redo", s: "save" }[key];
    if (action) {
      event.preventDefault();
      // The button rests while the draft is saved, whatever waits in the panel.
      if (action === "save" && this.designer.dirty && this.designer.editable) return this.designer.act("save");
      document.querySelector(`[data-flow-action="${action}"]:not(:disabled)`)?.click();
      return undefined;
    }
    if (!this.designer.editable) return undefined;
    const label = event.target.closest?.("#flow-root .flow-branch__label");
    if (label && key === "c") this.designer.branchAct("copy", label.parentElement);
    const card = this.cardAt(event);
    if ((key === "c" || key === "x") && card && !String(getSelection())) this.designer.stepAct(key === "c" ? "copy" : "cut", card);
    if (key === "a" && event.target.closest?.("flow-canvas")) this.designer.selecting.all();
    else if (key !== "v" || !this.designer.state.clipboard) return undefined;
    event.preventDefault();
    return key === "v" ? this.pasteAt(event.target) : undefined;
  }

  /* At a plus it goes there, at a step right after it, at a branch's name or the start to its first place. */
  pasteAt(target) {
    const label = target.closest?.("#flow-root .flow-branch__label");
    const at = target.closest?.("#card-start")
      ? this.designer.querySelector("#slot-flow-0")
      : label?.parentElement ?? target.closest?.(".flow-step")?.nextElementSibling;
    const slot = target.closest?.(".flow-slot__button") ?? at?.querySelector(".flow-slot__button");
    if (slot) this.designer.change("paste", place(slot));
  }

  /* The card that a key is about: the one with focus, else the first of those that are selected. */
  cardAt(event) {
    const card = event.target.closest?.("#flow-root .flow-card");
    if (card) return card.dataset.step && !event.target.closest("[data-menu]") ? card : null;
    return event.target.closest?.(".flow-panel") ? null : this.designer.selecting.cards[0] ?? null;
  }

  cardKey(event) {
    const near = (selector) => event.target.closest?.(`#flow-root ${selector}`);
    const label = near(".flow-branch__label");
    const about = near("#card-start") ? "start" : this.cardAt(event)?.dataset.step;
    if (event.key === "c" && about) return this.designer.open(`comments:${about}`);
    if (!this.designer.editable) return undefined;
    if (label) return this.branchKey(event, label.parentElement);
    const note = near(".flow-note");
    if (note && ["Delete", "Backspace"].includes(event.key)) return this.designer.change("remove_note", { note: note.dataset.note, part: "" });
    if (event.key === "n" && near("#card-start")) return this.designer.change("add_note");
    const card = this.cardAt(event);
    if (!card) return undefined;
    const act = event.altKey
      ? { ArrowUp: "move_up", ArrowDown: "move_down" }[event.key]
      : { x: "move", d: "duplicate", s: "select", f: "fold", n: "add_note", Delete: "remove", Backspace: "remove" }[event.key];
    if (!act) return undefined;
    event.preventDefault();
    if (act === "select") return this.designer.selecting.toggle(card);
    return this.designer.stepAct(act, card);
  }

  branchKey(event, branch) {
    const act = event.altKey
      ? { ArrowLeft: "branch_left", ArrowRight: "branch_right" }[event.key]
      : { d: "copy_branch", f: "fold", Delete: "remove_branch", Backspace: "remove_branch" }[event.key];
    if (!act) return;
    event.preventDefault();
    this.designer.branchAct(act, branch);
  }
}
