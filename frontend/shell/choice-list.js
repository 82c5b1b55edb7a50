/* <choice-list> around <details>: the summary says what is ticked, [data-filter] narrows the list, Escape and a click
   elsewhere close it. */
class ChoiceList extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", () => this.summarise());
    this.addEventListener("input", (event) => {
      if (event.target.matches("[data-filter]")) this.filter(event.target.value);
    });
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !this.details.open) return;
      event.preventDefault();
      // It closes the list alone, not the panel around it.
      event.stopPropagation();
      this.details.open = false;
      this.details.querySelector("summary").focus();
    });
    this.outside = (event) => { if (!this.contains(event.target)) this.details.open = false; };
    document.addEventListener("click", this.outside);
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.outside);
  }

  get details() {
    return this.querySelector("details");
  }

  summarise() {
    const names = [...this.querySelectorAll("input:checked")].map((box) => box.closest("label").textContent.trim());
    const more = names.length > 4 ? ` and ${names.length - 3} more` : "";
    const summary = this.querySelector("[data-summary]");
    summary.textContent = names.slice(0, more ? 3 : 4).join(", ") + more || summary.dataset.summary || "Choose …";
  }

  filter(text) {
    const wanted = text.trim().toLowerCase();
    this.querySelectorAll("label").forEach((label) => { label.hidden = !label.textContent.toLowerCase().includes(wanted); });
  }
}

customElements.define("choice-list", ChoiceList);
