/* <add-list> around <details>: one button opens what can be added; the search narrows it, arrows walk, Enter takes the
   first that is left, Escape closes. */
class AddList extends HTMLElement {
  connectedCallback() {
    this.details.addEventListener("toggle", () => { if (this.details.open) this.opened(); });
    this.search.addEventListener("input", () => this.narrow());
    this.addEventListener("keydown", (event) => this.key(event));
  }

  get details() { return this.querySelector("details"); }
  get search() { return this.querySelector("[data-find]"); }
  get shown() { return [...this.querySelectorAll("[data-op]")].filter((button) => !button.closest("li").hidden); }

  opened() {
    this.search.value = "";
    this.narrow();
    this.search.focus();
    this.querySelector(".flow-add__box").scrollIntoView({ block: "nearest" });
  }

  narrow() {
    const wanted = this.search.value.trim().toLowerCase();
    for (const section of this.querySelectorAll("section")) {
      const heading = section.querySelector("h4").textContent.toLowerCase();
      const items = [...section.querySelectorAll("li")];
      for (const item of items) item.hidden = !`${heading} ${item.textContent.toLowerCase()}`.includes(wanted);
      section.hidden = items.every((item) => item.hidden);
    }
    this.querySelector("[data-none]").hidden = this.shown.length > 0;
  }

  key(event) {
    if (event.key === "Escape" && this.details.open) {
      event.stopPropagation();
      event.preventDefault();
      this.details.open = false;
      this.querySelector("summary").focus();
    }
    if (event.key === "Enter" && event.target === this.search) {
      event.preventDefault();
      this.shown[0]?.click();
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !this.details.open) return;
    event.preventDefault();
    const stops = [this.search, ...this.shown];
    stops[(stops.indexOf(document.activeElement) + step + stops.length) % stops.length].focus();
  }
}

customElements.define("add-list", AddList);
