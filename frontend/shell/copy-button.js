/* <copy-button data-text="…"><button>Copy</button></copy-button> */
import { toast } from "./toast-stack.js";

class CopyButton extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", async () => {
      await navigator.clipboard.writeText(this.dataset.text);
      toast("Copied.", "success");
    });
  }
}

customElements.define("copy-button", CopyButton);
