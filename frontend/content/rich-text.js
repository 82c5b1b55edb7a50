/* <rich-text> around a textarea of HTML: words with bold, italics, links and lists. The server cleans what comes. */
class RichText extends HTMLElement {
  connectedCallback() {
    this.area = this.querySelector("textarea");
    if (!this.area || this.box) return;
    this.box = Object.assign(document.createElement("div"), { className: "rich-box form-control", contentEditable: "true" });
    this.box.setAttribute("role", "textbox");
    this.box.setAttribute("aria-multiline", "true");
    this.box.dir = "auto";
    this.box.setAttribute("aria-labelledby", this.dataset.label);
    this.box.dataset.tags = "";
    this.box.innerHTML = this.area.value;
    this.area.hidden = true;
    this.area.before(this.box);
    this.bar = this.querySelector(".rich-bar");
    // A locked email is read, not written: no tools, and nothing that takes words.
    const isLocked = this.area.matches(":disabled");
    this.bar.hidden = isLocked;
    if (isLocked) {
      this.box.contentEditable = "false";
      this.box.setAttribute("aria-readonly", "true");
      this.box.tabIndex = 0;
    }
    this.linkRow = this.querySelector(".rich-link");
    document.execCommand("defaultParagraphSeparator", false, "p");
    this.box.addEventListener("input", () => { this.area.value = this.box.innerHTML; });
    this.box.addEventListener("blur", () => this.keep());
    this.box.addEventListener("paste", (event) => {
      event.preventDefault();
      document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
    });
    this.bar.addEventListener("mousedown", (event) => event.preventDefault());
    this.bar.addEventListener("click", (event) => this.format(event.target.closest("[data-rich]")));
    this.linkRow.addEventListener("keydown", (event) => this.linked(event));
  }

  keep() {
    const chosen = getSelection();
    if (chosen.rangeCount && this.box.contains(chosen.anchorNode)) this.range = chosen.getRangeAt(0).cloneRange();
  }

  back() {
    this.box.focus();
    if (!this.range) return;
    const chosen = getSelection();
    chosen.removeAllRanges();
    chosen.addRange(this.range);
  }

  format(button) {
    if (!button) return;
    if (button.dataset.rich !== "link") {
      if (document.activeElement !== this.box) this.back();
      document.execCommand(button.dataset.rich);
      return;
    }
    this.keep();
    this.linkRow.hidden = !this.linkRow.hidden;
    if (!this.linkRow.hidden) this.linkRow.querySelector("input").focus();
  }

  linked(event) {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    const address = this.linkRow.querySelector("input").value.trim();
    this.linkRow.hidden = true;
    this.back();
    if (event.key === "Enter" && address) document.execCommand("createLink", false, address);
  }

  insert(text) {
    this.back();
    document.execCommand("insertText", false, text);
  }
}

customElements.define("rich-text", RichText);
