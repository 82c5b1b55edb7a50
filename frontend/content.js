/* The email editor: line numbers beside the source, merge tags at the caret, a problem's link to its place. */
import "./content/attachments.js";
import "./content/block-editor.js";
import "./content/rich-text.js";
import "./content/tag-menu.js";

const GUTTER = "source-lines";

class MailEditor extends HTMLElement {
  connectedCallback() {
    this.last = this.querySelector("#id_mjml");
    this.addEventListener("focusin", (event) => this.remember(event.target));
    this.addEventListener("click", (event) => this.insertFrom(event.target.closest("[data-insert]")));
    this.gone = new AbortController();
    // Problems also stand above the editor.
    document.addEventListener("click", (event) => this.goTo(event.target.closest("[data-goto]")), { signal: this.gone.signal });
    this.addEventListener("htmx:afterSwap", (event) => {
      if (event.target.id === "preview-contact") event.target.dispatchEvent(new Event("change", { bubbles: true }));
      if (event.target.id === "preview") this.mark();
    });
    this.addEventListener("blocks:drawn", () => this.markBlocks());
    this.number(this.querySelector("[data-source]"));
  }

  disconnectedCallback() {
    this.gone.abort();
  }

  remember(field) {
    if (field.matches("#id_subject, #id_preheader, #id_mjml, #id_text, [data-tags]")) this.last = field;
  }

  number(box) {
    const area = box?.querySelector("textarea");
    if (!area || box.querySelector(`.${GUTTER}`)) return;
    const gutter = document.createElement("pre");
    gutter.className = GUTTER;
    gutter.setAttribute("aria-hidden", "true");
    box.prepend(gutter);
    const draw = () => {
      const lines = area.value.split("\n").length;
      if (gutter.childElementCount === lines) return;
      gutter.replaceChildren(...Array.from({ length: lines }, (_, index) => Object.assign(document.createElement("div"), { textContent: index + 1 })));
    };
    area.addEventListener("input", draw);
    area.addEventListener("scroll", () => { gutter.scrollTop = area.scrollTop; });
    draw();
    this.mark();
  }

  mark() {
    const lines = this.querySelectorAll(`.${GUTTER} > div`);
    lines.forEach((line) => line.classList.remove("is-bad"));
    document.querySelectorAll('[data-goto="mjml"]').forEach((link) => lines[Number(link.dataset.line) - 1]?.classList.add("is-bad"));
    this.markBlocks();
  }

  /* Each problem also stands at its block. */
  markBlocks() {
    const words = new Map();
    for (const link of document.querySelectorAll("[data-problem-block]")) words.set(link.dataset.problemBlock, link.dataset.text);
    for (const place of this.querySelectorAll("[data-problem-of]")) {
      const text = words.get(place.dataset.problemOf) ?? "";
      place.hidden = !text;
      place.textContent = text;
      place.closest(".block").classList.toggle("is-bad", Boolean(text));
    }
  }

  insertFrom(button) {
    const field = this.last?.isConnected ? this.last : this.querySelector("[data-tags]") ?? this.querySelector("#id_subject");
    if (!button || !field || field.disabled) return;
    if (field.isContentEditable) {
      button.closest("details")?.removeAttribute("open");
      field.closest("rich-text").insert(button.dataset.insert);
      return;
    }
    // Never over a selection: reaching a field by keyboard selects all of it.
    field.setRangeText(button.dataset.insert, field.selectionEnd, field.selectionEnd, "end");
    button.closest("details")?.removeAttribute("open");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  goTo(link) {
    const field = link && this.querySelector(`#id_${link.dataset.goto}`);
    if (!field) return;
    const editor = this.querySelector("block-editor");
    if (link.dataset.goto === "mjml" && editor?.isShown) {
      if (link.dataset.problemBlock) {
        editor.run("open", { at: link.dataset.problemBlock });
        return;
      }
      const source = this.querySelector('[name="mode"][value="source"]');
      source.checked = true;
      source.dispatchEvent(new Event("change", { bubbles: true }));
    }
    const lines = field.value.split("\n");
    const line = Math.min(Number(link.dataset.line), lines.length);
    const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + Number(link.dataset.column) - 1;
    field.focus();
    field.setSelectionRange(start, Math.min(start + 1, field.value.length));
    if (field.tagName === "TEXTAREA") field.scrollTop = Math.max(0, (line - 6) * 19);
  }
}

customElements.define("mail-editor", MailEditor);
