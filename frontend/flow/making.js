/* "New …" beside a choice: a dialog asks for what is needed, the server makes it, and it comes back chosen. The panel
   stays as it is, with everything that was typed. */
import { addBox } from "./searched-boxes.js";

export class Making {
  constructor(designer) {
    this.designer = designer;
    this.dialog = designer.querySelector("#flow-make");
    this.dialog.addEventListener("submit", (event) => this.send(event));
    // The way to what was chosen goes with the choice.
    designer.addEventListener("change", ({ target }) => { if (target.matches("select")) target.closest(".field")?.querySelector(".field-make a")?.remove(); });
  }

  async start(button) {
    this.asked = button.dataset;
    const answer = await this.ask(`${this.designer.dataset.url}choices/${button.dataset.kind}/new/${button.dataset.make}/`);
    if (!answer) return;
    this.dialog.innerHTML = answer;
    if (!this.dialog.open) this.dialog.showModal();
    this.dialog.querySelector("input:not([type=hidden]), textarea, select")?.focus();
  }

  async send(event) {
    event.preventDefault();
    const form = event.target;
    if (this.busy) return;
    this.busy = true;
    const html = await this.ask(form.action, { method: "POST", body: new FormData(form) });
    this.busy = false;
    if (!html) return;
    this.dialog.innerHTML = html;
    const made = this.dialog.querySelector("[data-made]");
    if (made) this.choose(made.dataset);
    else this.dialog.querySelector(".has-error :is(input, textarea, select)")?.focus();
  }

  /* A refused form (422) comes back to be mended; anything else that is no success is said. */
  async ask(url, options = {}) {
    try {
      const answer = await fetch(url, { ...options, headers: { "HX-Request": "true" } });
      if (answer.redirected || (!answer.ok && answer.status !== 422)) throw new Error(answer.statusText);
      return await answer.text();
    } catch {
      document.dispatchEvent(new CustomEvent("toast", { detail: { text: "That did not work; nothing was made. Try again.", level: "error" } }));
      return "";
    }
  }

  choose({ value, label, title, url }) {
    this.dialog.close();
    const place = [...this.designer.panel.querySelectorAll("[data-make]")].find((one) => one.dataset.name === this.asked.name && one.dataset.make === this.asked.make);
    const field = place?.closest(".field");
    if (!field) return;
    const select = field.querySelector("select");
    if (select) {
      if (![...select.options].some((one) => one.value === value)) select.add(new Option(label, value));
      select.value = value;
      for (const name of ["input", "change"]) select.dispatchEvent(new Event(name, { bubbles: true }));
    } else {
      const list = field.querySelector(".choice-box");
      const box = list ? addCheck(list, this.asked.name, value, label) : addBox(field.querySelector(":scope > div:not([class])"), this.asked.name, value, label);
      box.checked = true;
      for (const name of ["input", "change"]) box.dispatchEvent(new Event(name, { bubbles: true }));
    }
    this.designer.say(`“${title}” was made and chosen.`);
    this.link(place.parentElement, title, url);
    place.focus();
  }

  /* The way to what was made: in a tab of its own, so that the panel stays. */
  link(buttons, title, url) {
    buttons.querySelector("a")?.remove();
    if (!url) return;
    buttons.append(Object.assign(document.createElement("a"), { href: url, target: "_blank", rel: "noopener", textContent: `Open “${title}”` }));
  }
}

/* One more box in a list behind a line of choices, drawn as components/choice_list.html draws them. */
function addCheck(list, name, value, text) {
  list.querySelector("p")?.remove();
  const label = Object.assign(document.createElement("label"), { className: "check" });
  const box = Object.assign(document.createElement("input"), { type: "checkbox", name, value });
  label.append(box, Object.assign(document.createElement("span"), { textContent: text }));
  list.append(label);
  return box;
}
