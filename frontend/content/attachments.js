/* <mail-attachments data-most="bytes" data-size="bytes">: files by picker or drop, what is too large said before it is sent, progress while it is. */
const MEGABYTE = 1024 * 1024;

class MailAttachments extends HTMLElement {
  connectedCallback() {
    this.input = this.querySelector('input[type="file"]');
    this.bar = this.querySelector("progress");
    if (!this.input) return;
    this.addEventListener("change", (event) => this.chosen(event), true);
    this.addEventListener("dragover", (event) => this.over(event));
    this.addEventListener("dragleave", () => this.classList.remove("is-over"));
    this.addEventListener("drop", (event) => this.dropped(event));
    this.addEventListener("htmx:xhr:progress", ({ detail }) => this.progress(detail));
    this.addEventListener("htmx:afterRequest", () => this.setBusy(false));
    this.onSubmit = (event) => this.held(event);
    this.form = this.closest("form");
    this.form?.addEventListener("submit", this.onSubmit, true);
    // After the request is over: what it changed is not saved yet, and the preview is another one.
    if ("changed" in this.dataset) setTimeout(() => this.dispatchEvent(new Event("input", { bubbles: true })));
  }

  disconnectedCallback() {
    this.form?.removeEventListener("submit", this.onSubmit, true);
  }

  chosen(event) {
    if (event.target !== this.input) return;
    const files = [...this.input.files];
    const size = files.reduce((sum, file) => sum + file.size, Number(this.dataset.size));
    if (files.length && size <= Number(this.dataset.most)) {
      this.say("");
      this.setBusy(true);
      return;
    }
    event.stopImmediatePropagation();
    this.input.value = "";
    if (files.length) this.say(`That would be ${(Math.ceil((size * 10) / MEGABYTE) / 10).toLocaleString()} MB: attachments have at most 25 MB together. Nothing was attached.`);
  }

  over(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    this.classList.add("is-over");
  }

  dropped(event) {
    this.classList.remove("is-over");
    if (!event.dataTransfer?.files.length || this.ariaBusy === "true") return;
    event.preventDefault();
    this.input.files = event.dataTransfer.files;
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  progress({ lengthComputable, loaded, total }) {
    if (lengthComputable && total) this.bar.value = (100 * loaded) / total;
  }

  setBusy(busy) {
    this.ariaBusy = String(busy);
    this.bar.hidden = !busy;
  }

  held(event) {
    if (this.ariaBusy !== "true") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.say("Files are still being uploaded. Save when they are here.");
  }

  say(text) {
    const place = this.querySelector("#attachments-problem");
    // An alert with nothing to say is none.
    if (text) place.setAttribute("role", "alert");
    else place.removeAttribute("role");
    place.textContent = text;
    this.classList.toggle("has-error", Boolean(text));
  }
}

customElements.define("mail-attachments", MailAttachments);
