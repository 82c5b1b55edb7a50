/* How the canvas draws: in the brand, as compiling does, and what it cannot change as it looks. */

// Empty, these say something (a decoration, a picture that is not chosen yet); the plugin leaves out what is empty.
const SPEAKING = ["alt", "src", "href"];
const EMPTY = "\ue001";

/* The plugin writes defaults of its own into every element, and leaves out on the way back what is the same: 13px that a
   writer chose would be gone, and the brand's size never seen. So there are none, and the brand's stand in the head. */
export function inBrand(editor, head) {
  for (const { model, view } of editor.Components.getTypes()) {
    if (!view.prototype.getMjmlTemplate || view.prototype.isBranded) continue;
    const { init, getAttrToHTML } = model.prototype;
    model.prototype.init = function begin() {
      this.set("style-default", {});
      init.call(this);
    };
    model.prototype.getAttrToHTML = function attributes() {
      const found = getAttrToHTML.call(this);
      for (const name of SPEAKING) if (found[name] === "") found[name] = EMPTY;
      return found;
    };
    const template = view.prototype.getMjmlTemplate;
    view.prototype.getMjmlTemplate = function branded() {
      const { start, end } = template.call(this);
      return { start: start.replace("<mjml>", `<mjml><mj-head>${head}</mj-head>`), end };
    };
    view.prototype.isBranded = true;
  }
}

/* A part that is shown and not changed here: it goes back by its number, or by its kind where it is new. */
export function standInType(editor) {
  editor.Components.addType("stand-in", {
    extend: "mj-text",
    isComponent: (el) => (el.tagName === "MJ-TEXT" && /\b(kept|new)-\w/.test(el.getAttribute("css-class") ?? "") ? { type: "stand-in" } : undefined),
    model: {
      defaults: { name: "Kept as it is", editable: false, droppable: false, copyable: false, stylable: [], traits: [] },
      toHTML() {
        return `<mj-text css-class="${this.get("attributes")["css-class"]}"></mj-text>`;
      },
    },
    view: {
      onRender() {
        this.el.querySelectorAll("a").forEach((link) => link.removeAttribute("href"));
      },
    },
  });
  // What is inside a text is chosen as that text; a link in it has settings of its own.
  editor.on("component:mount", (component) => {
    const around = component.parents();
    if (around.some((one) => one.is("stand-in"))) component.set({ selectable: false, hoverable: false, editable: false, draggable: false, droppable: false });
    else if (around.some((one) => one.is("mj-text") || one.is("mj-button")) && !component.is("link") && !component.is("merge-tag")) component.set({ selectable: false, hoverable: false, draggable: false });
  });
}

const FRAME = `
[data-merge], [data-shown] { padding: 1px 6px; border-radius: 4px; background: #e3efe9; color: #0a4a39; box-shadow: inset 0 0 0 1px #9cc4b4; font-size: .9em; }
[data-merge] { cursor: default; user-select: all; }`;

export function dressFrame(editor, { style, direction }) {
  const doc = editor.Canvas.getDocument();
  const sheet = doc.createElement("style");
  sheet.textContent = style + FRAME;
  doc.head.append(sheet);
  doc.body.dir = direction;
  doc.documentElement.lang = "en";
  doc.title = "The email";
}

/* By a click: behind what is chosen, or at the end. */
export function append(block, editor) {
  const within = block.getId().startsWith("section-") ? "mj-body" : "mj-column";
  const places = editor.getWrapper().findType(within);
  let one = editor.getSelected();
  if (one?.is(within)) one = one.components().last() ?? one;
  while (one && one.parent()?.get("type") !== within) one = one.parent();
  const content = block.get("content");
  const [made] = one ? one.parent().append(content, { at: one.index() + 1 })
    : places.length ? places.at(-1).append(content)
    : editor.getWrapper().findType("mj-body")[0].append(`<mj-section><mj-column>${content}</mj-column></mj-section>`);
  editor.select(made);
  made.getEl()?.scrollIntoView({ block: "nearest" });
}

/* The block editor's own sections and blocks, instead of the plugin's. */
export function offer(editor, pieces, icons) {
  const { Blocks } = editor;
  Blocks.getAll().reset();
  for (const { id, label, icon, category, content } of pieces) {
    Blocks.add(id, { label, category, content, select: true, media: `<svg fill="currentColor" aria-hidden="true"><use href="${icons}#${icon}"></use></svg>` });
  }
}
