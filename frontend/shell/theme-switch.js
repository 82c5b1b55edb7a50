/* <theme-switch data-url>: light, dark or as the system says; the server keeps the choice in a cookie. */
class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const button = event.target.closest("button[value]");
      if (button) this.choose(button);
    });
  }

  choose(button) {
    document.documentElement.dataset.bsTheme = button.value;
    for (const other of this.querySelectorAll("button[value]")) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const body = new URLSearchParams({ theme: button.value });
    fetch(this.dataset.url, { method: "POST", body, headers: { "X-CSRFToken": token, "HX-Request": "true" } });
    document.dispatchEvent(new CustomEvent("theme:changed", { detail: button.value }));
  }
}

customElements.define("theme-switch", ThemeSwitch);
