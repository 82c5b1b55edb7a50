/* Short messages at the corner. The server sends them as Django messages, or in an htmx answer as the event
   {"toast": {"text": …, "level": success|info|warning|error}} (core.htmx.toast). Errors stay until closed. */
const STAYS_MS = 6000;

class ToastStack extends HTMLElement {
  connectedCallback() {
    this.querySelectorAll(".toast-note").forEach((note) => this.arm(note));
    this.addEventListener("click", (event) => event.target.closest("button")?.closest(".toast-note")?.remove());
  }

  arm(note) {
    if (!note.classList.contains("is-error")) setTimeout(() => note.remove(), STAYS_MS);
  }

  add(text, level) {
    const note = this.querySelector("template").content.firstElementChild.cloneNode(true);
    note.classList.add(`is-${level}`);
    note.querySelector("span").textContent = text;
    this.append(note);
    this.arm(note);
  }
}

customElements.define("toast-stack", ToastStack);

export function toast(text, level = "info") {
  document.querySelector("toast-stack")?.add(text, level);
}

document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.level));
