/* The drag-and-drop editor of emails: GrapesJS with its MJML plugin. It draws; the server checks, compiles and keeps. */
import grapesjs from "grapesjs";
import mjml from "grapesjs-mjml";

import "./content/tag-menu.js";
import { tidy } from "./mjml/chrome.js";
import { append, dressFrame, inBrand, offer, standInType } from "./mjml/drawing.js";
import { TagMenu, tokenType } from "./mjml/tokens.js";

class MjmlCanvas extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.area = this.form.elements.mjml;
    this.canvas = JSON.parse(document.getElementById("canvas-data").textContent);
    const ours = (editor) => {
      inBrand(editor, this.canvas.head);
      tokenType(editor);
      standInType(editor);
    };
    this.editor = grapesjs.init({
      container: this.querySelector("[data-canvas]"), height: "100%", width: "auto", fromElement: false, components: this.area.value,
      blockManager: { appendOnClick: append }, telemetry: false, storageManager: false, cssIcons: "", noticeOnUnload: false,
      assetManager: { custom: { open: (asked) => this.choose(asked.options?.target), close: () => this.images.close() } },
      plugins: [mjml, ours], pluginsOpts: { [mjml]: { resetDevices: true, useCustomTheme: false } },
    });
    this.images = document.getElementById("choose-image");
    this.images.addEventListener("click", (event) => this.chosen(event.target.closest("[data-pick]")));
    this.editor.on("load", () => this.ready());
    this.form.addEventListener("submit", (event) => this.save(event));
    document.querySelector("[data-preview]").addEventListener("click", () => this.preview());
    window.addEventListener("beforeunload", (event) => { if (!this.saving && this.editor.getDirtyCount() > this.clean) event.preventDefault(); });
  }

  ready() {
    const { editor } = this;
    offer(editor, this.canvas.pieces, this.dataset.icons);
    tidy(editor, this.dataset.icons);
    dressFrame(editor, this.canvas);
    this.menu = new TagMenu(editor, document.querySelector("[data-tag-menu]"), this.canvas.names, (words) => this.say(words));
    editor.Panels.getButton("views", "open-blocks")?.set("active", true);
    this.clean = editor.getDirtyCount();
    this.dataset.ready = "";
  }

  say(words) {
    this.querySelector("[data-said]").textContent = words;
  }

  /* Words that are being written are in the frame alone until the writing ends. */
  async written() {
    await this.editor.getEditing()?.view?.disableEditing?.();
    return this.source();
  }

  source() {
    return this.editor.getHtml();
  }

  async save(event) {
    if (this.saving) return;
    event.preventDefault();
    this.area.value = await this.written();
    this.saving = true;
    this.form.submit();
  }

  choose(target) {
    this.target = target ?? this.editor.getSelected();
    this.images.showModal();
  }

  chosen(button) {
    if (!button) return;
    const { pick, alt } = button.dataset;
    const said = this.target.getAttributes().alt;
    this.target.set("src", pick);
    this.target.addAttributes({ src: pick, ...(said ? {} : { alt }) });
    this.editor.Assets.close();
    this.images.close();
  }

  async preview() {
    const values = { mjml: await this.written(), do: "preview", revision: this.form.elements.revision.value };
    await htmx.ajax("POST", this.form.action, { source: this.form, target: "#canvas-preview-body", swap: "innerHTML", values });
    document.querySelector("#canvas-preview").showModal();
  }
}

customElements.define("mjml-canvas", MjmlCanvas);
