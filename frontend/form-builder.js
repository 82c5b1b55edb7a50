/* The form builder: fields are dragged to their place, kinds out of the palette; the server draws what came of it. */
import Sortable from "sortablejs";

const place = (item) => [...item.parentElement.children].indexOf(item);

class FormBuilder extends HTMLElement {
  connectedCallback() {
    this.draw();
    this.addEventListener("htmx:afterSwap", (event) => { if (event.target === this) this.draw(true); });
    this.addEventListener("input", (event) => { if (event.target.matches("[data-search]")) this.search(event.target.value); });
    // Enter in the search must not press the first kind.
    this.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("[data-search]")) event.preventDefault(); });
    this.addEventListener("keydown", (event) => this.key(event));
  }

  draw(moved = false) {
    const fields = this.querySelector("[data-fields]");
    if (!fields) return;
    Sortable.create(fields, {
      group: { name: "fields" }, handle: "[data-handle]", animation: 120, draggable: "li",
      onUpdate: (event) => this.post({ do: "place", key: event.item.dataset.key, at: place(event.item) }),
      onAdd: (event) => {
        const { kind, target = "" } = event.item.dataset;
        const at = place(event.item);
        event.item.remove();
        this.post({ do: "add", kind, target, at });
      },
    });
    for (const palette of this.querySelectorAll("[data-palette]")) {
      Sortable.create(palette, { group: { name: "fields", pull: "clone", put: false }, sort: false, draggable: ".builder-kind" });
    }
    if (moved) this.querySelector(".builder-card.is-chosen")?.scrollIntoView({ block: "nearest" });
    if (moved && matchMedia("(max-width: 900px)").matches && this.querySelector(".is-chosen")) this.querySelector(".builder-panel").scrollIntoView({ block: "start" });
  }

  post(values) {
    const revision = this.querySelector("[data-revision]").dataset.revision;
    htmx.ajax("POST", this.dataset.url, { source: this, target: this, swap: "innerHTML", values: { ...values, revision } });
  }

  /* Alt and the arrows move the field whose card has the focus. */
  key(event) {
    const way = { ArrowUp: "up", ArrowDown: "down" }[event.key];
    const card = event.target.closest(".builder-card");
    if (!way || !event.altKey || !card) return;
    event.preventDefault();
    card.querySelector(`[name="do"][value="${way}"]`).click();
  }

  search(text) {
    const wanted = text.trim().toLowerCase();
    for (const button of this.querySelectorAll('[data-kind="crm"]')) button.hidden = !button.textContent.toLowerCase().includes(wanted);
    for (const group of this.querySelectorAll("[data-group]")) group.hidden = !group.nextElementSibling.querySelector(":not([hidden])");
  }
}

customElements.define("form-builder", FormBuilder);
