/* The drag-and-drop editor of emails: GrapesJS with its MJML plugin. It draws; the server checks, compiles and keeps. */
import grapesjs from "grapesjs";
import mjml from "grapesjs-mjml";

const ICONS = {
  "sw-visibility": ["bounding-box", "Show frames"], preview: ["eye", "Hide the tools"], fullscreen: ["arrows-out", "Full screen"], undo: ["arrow-counter-clockwise", "Undo"],
  redo: ["arrow-clockwise", "Redo"], "open-sm": ["palette", "Style"], "open-tm": ["sliders-horizontal", "Settings"], "open-layers": ["stack", "Layers"],
  "open-blocks": ["squares-four", "Blocks"], "set-device-desktop": ["desktop", "Desktop"], "set-device-tablet": ["device-tablet", "Tablet"], "set-device-mobile": ["device-mobile", "Phone"],
};
// Blocks that call other sites, or that nobody but their own source could change afterwards.
const REMOVED = ["mj-raw", "mj-navbar", "mj-navbar-link", "mj-wrapper", "mj-hero"];

class MjmlCanvas extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.area = this.form.elements.mjml;
    this.editor = grapesjs.init({
      container: this.querySelector("[data-canvas]"), height: "100%", width: "auto", fromElement: false, components: this.area.value,
      blockManager: { appendOnClick: true }, telemetry: false, storageManager: false, cssIcons: "", noticeOnUnload: false,
      plugins: [mjml], pluginsOpts: { [mjml]: { resetDevices: true, useCustomTheme: false } },
    });
    this.editor.on("load", () => this.ready());
    this.form.addEventListener("submit", () => { this.saving = true; this.area.value = this.source(); });
    document.querySelector("[data-preview]").addEventListener("click", () => this.preview());
    window.addEventListener("beforeunload", (event) => { if (!this.saving && this.editor.getDirtyCount() > this.clean) event.preventDefault(); });
  }

  ready() {
    const { editor } = this;
    for (const id of REMOVED) editor.BlockManager.remove(id);
    for (const id of ["export-template", "mjml-import"]) editor.Panels.removeButton("options", id);
    for (const panel of editor.Panels.getPanels().models) {
      for (const button of panel.get("buttons")?.models ?? []) {
        const [name, words] = ICONS[button.id] ?? [];
        if (!name) continue;
        button.set({ className: "", label: `<svg width="18" height="18" fill="currentColor" aria-hidden="true"><use href="${this.dataset.icons}#${name}"></use></svg>`, attributes: { title: words, "aria-label": words, role: "button" } });
      }
    }
    const lock = (component) => {
      if (/\bkept-\d/.test(component.getAttributes()["css-class"] ?? "")) component.set({ editable: false, copyable: false });
      component.components().forEach(lock);
    };
    lock(editor.getWrapper());
    editor.Panels.getButton("views", "open-blocks")?.set("active", true);
    const frame = editor.Canvas.getFrameEl();
    if (frame) frame.title = "The email";
    this.clean = editor.getDirtyCount();
    this.dataset.ready = "";
  }

  source() {
    return this.editor.getHtml();
  }

  async preview() {
    const values = { mjml: this.source(), do: "preview", revision: this.form.elements.revision.value };
    await htmx.ajax("POST", this.form.action, { source: this.form, target: "#canvas-preview-body", swap: "innerHTML", values });
    document.querySelector("#canvas-preview").showModal();
  }
}

customElements.define("mjml-canvas", MjmlCanvas);
