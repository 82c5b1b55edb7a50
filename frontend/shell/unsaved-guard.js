/* <unsaved-guard><form>…</form></unsaved-guard>: asks before leaving a form that was typed in. */
class UnsavedGuard extends HTMLElement {
  connectedCallback() {
    this.dirty = false;
    this.onLeave = (event) => { if (this.dirty) event.preventDefault(); };
    this.addEventListener("input", () => { this.dirty = true; });
    this.addEventListener("submit", () => { this.dirty = false; });
    this.addEventListener("htmx:afterRequest", (event) => { if (event.detail.successful) this.dirty = false; });
    addEventListener("beforeunload", this.onLeave);
  }

  disconnectedCallback() {
    removeEventListener("beforeunload", this.onLeave);
  }
}

customElements.define("unsaved-guard", UnsavedGuard);
