/* <block-editor>: the blocks of the email's source. Each operation goes to the server with the source and the open
   block's fields, and comes back as blocks and source; the source in the page stays the only truth. */
import { BlockDragging } from "./block-dragging.js";

const MOST_STEPS = 100;

class BlockEditor extends HTMLElement {
  connectedCallback() {
    this.form = this.closest("form");
    this.list = this.querySelector("#blocks");
    this.source = this.form.querySelector("#id_mjml");
    this.past = [];
    this.future = [];
    this.addEventListener("click", (event) => this.clicked(event));
    this.addEventListener("keydown", (event) => this.pressed(event));
    this.form.addEventListener("change", (event) => { if (event.target.name === "mode") this.turn(); });
    this.form.addEventListener("htmx:afterRequest", (event) => { if (!event.detail.successful) this.source.readOnly = false; });
    this.form.addEventListener("htmx:afterSettle", (event) => { if (event.target === this.list) this.settled(); });
    this.picking();
    this.buttons();
    this.dragging = new BlockDragging(this);
  }

  disconnectedCallback() {
    this.dragging.stop();
  }

  get isShown() {
    return this.form.querySelector('[name="mode"][value="blocks"]').checked;
  }

  /* To the source: with what the open block holds, and nobody types before it is there. To blocks: drawn anew. */
  turn() {
    if (!this.isShown && !this.list.querySelector(".block-form")) return;
    this.source.readOnly = !this.isShown;
    this.run("close");
  }

  clicked(event) {
    const button = event.target.closest("[data-block-op], [data-undo], [data-redo]");
    if (!button) return;
    if (button.dataset.blockOp) this.run(button.dataset.blockOp, button.dataset);
    else this.travel(button.hasAttribute("data-undo"));
  }

  pressed(event) {
    const block = event.target.closest("[data-block]");
    const op = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    if (!block || !op || !event.altKey || event.target.matches("input, textarea, select, [contenteditable]")) return;
    event.preventDefault();
    this.run(op, { at: block.dataset.block });
  }

  run(op, { at = "", kind = "", to = "" } = {}) {
    this.op = op;
    this.sent = this.source.value;
    window.htmx.ajax("POST", this.dataset.url, {
      source: this.form, target: this.list, swap: "innerHTML", values: { op, at, kind, to },
    });
  }

  travel(back) {
    const [from, onto] = back ? [this.past, this.future] : [this.future, this.past];
    if (!from.length) return;
    onto.push(this.source.value);
    this.write(from.pop());
    this.run("undo");
  }

  settled() {
    const next = this.list.querySelector("[data-next]")?.value;
    // Whatever was typed in the meantime is newer than the answer.
    const isCurrent = this.source.value === this.sent && this.op !== "undo";
    const isNew = isCurrent && next !== undefined && next !== this.source.value;
    this.source.readOnly = false;
    if (isNew) {
      this.past = [...this.past.slice(-MOST_STEPS), this.source.value];
      this.future = [];
      this.write(next);
    }
    this.buttons();
    this.dragging.refresh();
    this.focusOn(this.list.querySelector("[data-focus]"));
    this.dispatchEvent(new CustomEvent("blocks:drawn", { bubbles: true }));
  }

  write(text) {
    this.source.value = text;
    this.source.dispatchEvent(new Event("input", { bubbles: true }));
  }

  focusOn(block) {
    if (!block || !this.isShown) return;
    const field = block.querySelector(".block-form :is([contenteditable], input:not([type=hidden]), textarea:not([hidden]), select)");
    (field ?? block.querySelector(".block-name"))?.focus({ preventScroll: true });
    block.scrollIntoView({ block: "nearest" });
  }

  buttons() {
    this.querySelector("[data-undo]").disabled = !this.past.length;
    this.querySelector("[data-redo]").disabled = !this.future.length;
  }

  /* The picture that the dialog of pictures gives. */
  picking() {
    document.getElementById("choose-image")?.addEventListener("click", (event) => {
      const picked = event.target.closest("[data-pick]");
      const field = picked && this.list.querySelector('[name="b-src"]');
      if (!field) return;
      field.value = picked.dataset.pick;
      const alt = this.list.querySelector('[name="b-alt"]');
      if (alt && !alt.value) alt.value = picked.dataset.alt;
      event.currentTarget.close();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
}

customElements.define("block-editor", BlockEditor);
