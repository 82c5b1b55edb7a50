/* <file-limit data-most="bytes" data-text="…"> around a file input: says that a file is too large before it is sent. */
class FileLimit extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", (event) => {
      const tooLarge = (event.target.files?.[0]?.size ?? 0) > Number(this.dataset.most);
      const problem = this.querySelector("[data-problem]");
      problem.hidden = !tooLarge;
      problem.textContent = tooLarge ? this.dataset.text : "";
      event.target.setCustomValidity(tooLarge ? this.dataset.text : "");
    });
  }
}

customElements.define("file-limit", FileLimit);
