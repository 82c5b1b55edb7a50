/* <tag-field>: a button with data-insert puts its merge tag where the caret last stood in one of the fields inside. */
class TagField extends HTMLElement {
  connectedCallback() {
    this.last = this.querySelector("textarea, input[type=text]");
    this.addEventListener("focusin", (event) => {
      if (event.target.matches("textarea, input[type=text]")) this.last = event.target;
    });
    this.addEventListener("click", (event) => this.insertFrom(event.target.closest("[data-insert]")));
  }

  insertFrom(button) {
    // A morphed panel may have put another field in its place.
    const field = this.last?.isConnected ? this.last : this.querySelector("textarea, input[type=text]");
    if (!button || !field || field.disabled) return;
    field.setRangeText(button.dataset.insert, field.selectionEnd, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

customElements.define("tag-field", TagField);
