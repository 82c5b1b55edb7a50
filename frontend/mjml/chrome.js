/* What stands around the canvas: our icons and names in GrapesJS' own panels. */
const ICONS = {
  "sw-visibility": ["bounding-box", "Show frames"], preview: ["eye", "Hide the tools"], fullscreen: ["arrows-out", "Full screen"], undo: ["arrow-counter-clockwise", "Undo"],
  redo: ["arrow-clockwise", "Redo"], "open-sm": ["palette", "Style"], "open-tm": ["sliders-horizontal", "Settings"], "open-layers": ["stack", "Layers"],
  "open-blocks": ["squares-four", "Blocks"], "set-device-desktop": ["desktop", "Desktop"], "set-device-tablet": ["device-tablet", "Tablet"], "set-device-mobile": ["device-mobile", "Phone"],
};

const svg = (icons, name) => `<svg width="18" height="18" fill="currentColor" aria-hidden="true"><use href="${icons}#${name}"></use></svg>`;

const LABELS = { href: "Leads to", alt: "Text for those who do not see it", title: "Title", rel: "Relation", target: "Opens in" };

export function tidy(editor, icons) {
  editor.I18n.addMessages({ en: { traitManager: { traits: { labels: LABELS } } } });
  for (const id of ["export-template", "mjml-import"]) editor.Panels.removeButton("options", id);
  for (const panel of editor.Panels.getPanels().models) {
    for (const button of [...(panel.get("buttons")?.models ?? [])]) {
      const [name, words] = ICONS[button.id] ?? [];
      if (!name) {
        // A button of the plugin's that has no icon of ours would be an empty place.
        panel.get("buttons").remove(button);
        continue;
      }
      button.set({ className: "", label: svg(icons, name), attributes: { title: words, "aria-label": words, role: "button" } });
    }
  }
  // What scrolls can be scrolled by keyboard.
  const views = editor.getContainer().querySelector(".gjs-pn-views-container");
  for (const [name, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", "Blocks, style and settings"]]) views?.setAttribute(name, value);
  const frame = editor.Canvas.getFrameEl();
  if (frame) frame.title = "The email";
}
