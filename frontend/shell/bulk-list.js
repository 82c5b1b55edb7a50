/* <bulk-list data-total="12431"> around a form with a table: a checkbox in the head ([data-all]), one a row
   (name="ids"), and a bar ([data-bulk-bar]) that shows [data-count]. When the whole page is chosen, [data-every]
   (a checkbox name="every") offers all rows that match the filter, not only the page's; data-total-words says how many
   where they were not all counted. */
class BulkList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", (event) => {
      if (event.target.matches("[data-all]")) this.boxes().forEach((box) => { box.checked = event.target.checked; });
      this.show();
    });
    this.addEventListener("click", (event) => {
      if (event.target.closest("[data-clear]")) this.clear();
    });
    this.show();
  }

  boxes() {
    return [...this.querySelectorAll('tbody input[type="checkbox"][name="ids"]')];
  }

  clear() {
    this.querySelectorAll('input[type="checkbox"]').forEach((box) => { box.checked = false; });
    this.show();
  }

  show() {
    const boxes = this.boxes();
    const chosen = boxes.filter((box) => box.checked).length;
    const all = this.querySelector("[data-all]");
    const every = this.querySelector("[data-every]");
    const wholePage = chosen > 0 && chosen === boxes.length;
    if (all) {
      all.checked = wholePage;
      all.indeterminate = chosen > 0 && !wholePage;
    }
    if (every) {
      const total = Number(this.dataset.total || 0);
      every.closest("label").hidden = !wholePage || total <= boxes.length;
      if (!wholePage) every.checked = false;
    }
    const count = every?.checked ? Number(this.dataset.total) : chosen;
    const bar = this.querySelector("[data-bulk-bar]");
    if (bar) bar.hidden = chosen === 0;
    const shown = this.querySelector("[data-count]");
    const words = every?.checked ? this.dataset.totalWords : "";
    if (shown) shown.textContent = words || count.toLocaleString(document.documentElement.lang);
  }
}

customElements.define("bulk-list", BulkList);
