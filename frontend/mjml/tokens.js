/* Merge tags on the canvas: each is one piece with a name, which the caret steps over. The same menu as the block
   editor's puts them in; the server writes and reads the same elements (content/blocks/tokens.py). */
const TAG = /\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}/gs;
const LONGEST = 40;

const escaped = (text) => text.replace(/[&<>"]/g, (char) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[char]);

function nameOf(tag, names) {
  const inside = tag.slice(2, -2).replace(/^[-+\s]+|[-+\s]+$/g, "").replace(/\s+/g, " ");
  const name = tag.startsWith("{{") ? names[inside.split("|")[0].trim()] : undefined;
  return name ?? (inside.length <= LONGEST ? inside : `${inside.slice(0, LONGEST - 1)}…`);
}

const encoded = (tag) => encodeURIComponent(tag).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
const element = (tag, label) => `<span data-merge="${encoded(tag)}">${escaped(label)}</span>`;

/* Words with merge tags as HTML with tokens. */
export function tokens(text, names) {
  let made = "", end = 0;
  for (const match of text.matchAll(TAG)) {
    made += escaped(text.slice(end, match.index)) + element(match[0], nameOf(match[0], names));
    end = match.index + match[0].length;
  }
  return made + escaped(text.slice(end));
}

/* GrapesJS' type for them: nobody writes in one; it goes as a whole. */
export function tokenType(editor) {
  editor.Components.addType("merge-tag", {
    isComponent: (el) => (el.getAttribute?.("data-merge") ? { type: "merge-tag" } : undefined),
    model: {
      defaults: { tagName: "span", name: "Merge tag", editable: false, droppable: false, textable: true, highlightable: false, traits: [], stylable: [], attributes: { contenteditable: "false" } },
      toHTML() {
        const label = this.components().map((one) => one.get("content") ?? "").join("") || this.get("content");
        return `<span data-merge="${this.getAttributes()["data-merge"]}">${escaped(label)}</span>`;
      },
    },
    view: {
      onRender() { this.el.title = decodeURIComponent(this.model.getAttributes()["data-merge"]); },
    },
  });
}

export class TagMenu {
  constructor(editor, menu, names, say) {
    Object.assign(this, { editor, menu, names, say });
    // What is pressed here must not end the writing in the frame.
    menu.addEventListener("mousedown", (event) => { event.preventDefault(); event.stopPropagation(); });
    menu.addEventListener("click", (event) => this.clicked(event.target.closest("[data-insert]")));
  }

  clicked(button) {
    if (!button) return;
    this.menu.removeAttribute("open");
    const html = tokens(button.dataset.insert, this.names);
    if (this.editor.getEditing() && this.insert(html)) return;
    const text = this.texts(this.editor.getSelected());
    if (!text) this.say("Choose a text or a button in the email first: the tag goes to its end, or to where you write in it.");
    else text.append(html);
  }

  /* At the caret, which then stands behind it. */
  insert(html) {
    const doc = this.editor.Canvas.getDocument();
    const chosen = doc.getSelection();
    if (!chosen.rangeCount) return false;
    doc.defaultView.focus();
    const range = chosen.getRangeAt(0);
    range.collapse(false);
    const made = range.createContextualFragment(html);
    made.querySelectorAll("[data-merge]").forEach((one) => one.setAttribute("contenteditable", "false"));
    const last = made.lastChild;
    range.insertNode(made);
    chosen.collapse(last.parentNode, [...last.parentNode.childNodes].indexOf(last) + 1);
    return true;
  }

  /* The text that is chosen, or that what is chosen stands in. */
  texts(component) {
    const known = (one) => one && ["mj-text", "mj-button"].includes(one.get("type"));
    for (let one = component; one; one = one.parent()) if (known(one)) return one.get("editable") === false ? undefined : one;
    return undefined;
  }
}
