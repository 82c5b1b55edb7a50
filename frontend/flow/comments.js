/* Comments at steps. The server draws the talk of one place (#flow-talk) anew with every answer; here is what it cannot:
   badges of the cards that follow, colleagues' names while one writes, and words that nobody loses. */

/* open: {place: number of open threads}. Cards of a place without any show nothing. */
export function showComments(root, open) {
  for (const badge of root.querySelectorAll("[data-talk]")) {
    const number = open[badge.dataset.talk] ?? 0;
    badge.hidden = !number;
    badge.querySelector("span").textContent = number;
    badge.setAttribute("aria-label", `${number} open comment${number === 1 ? "" : "s"} at ${badge.dataset.at}`);
  }
}

document.addEventListener("flow:commented", ({ detail }) => {
  showComments(document, detail.open);
  const live = document.getElementById("flow-live");
  if (live && detail.said) live.textContent = detail.said;
});

/* <flow-talk data-key data-focus>: after an answer the focus is where one goes on. */
class FlowTalk extends HTMLElement {
  connectedCallback() {
    const { focus } = this.dataset;
    if (focus) requestAnimationFrame(() => (document.getElementById(focus) ?? this).focus());
  }
}

/* <mention-field data-url data-name> around a textarea: "@" and letters offer colleagues; arrows and Enter choose. What is
   typed and not sent is kept in this tab until it is. */
class MentionField extends HTMLElement {
  connectedCallback() {
    [this.text, this.list, this.told] = ["textarea", "[role=listbox]", "[aria-live]"].map((part) => this.querySelector(part));
    this.form = this.closest("form");
    this.kept = `comment:${this.closest("flow-talk")?.dataset.key}:${this.dataset.name}`;
    this.restore();
    this.text.setAttribute("aria-controls", this.list.id);
    this.text.addEventListener("input", () => this.typed());
    this.text.addEventListener("click", () => this.offer());
    this.text.addEventListener("keydown", (event) => this.key(event));
    this.text.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("[role=option]")));
    this.form.querySelector("[data-mention]").addEventListener("click", () => this.begin());
    // Before the answer is drawn: the new form would find the words again.
    this.form.addEventListener("htmx:beforeOnLoad", ({ detail }) => {
      if (detail.xhr.status < 400) sessionStorage.removeItem(this.kept);
    });
  }

  restore() {
    const words = sessionStorage.getItem(this.kept);
    if (!words || words === this.text.value || this.text.ariaInvalid === "true") return;
    this.text.value = words;
    this.closest("details.flow-write")?.setAttribute("open", "");
  }

  typed() {
    if (this.text.value.trim()) sessionStorage.setItem(this.kept, this.text.value);
    else sessionStorage.removeItem(this.kept);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.offer(), 150);
  }

  /* What stands between the last "@" and the caret, where that begins a word. */
  get asked() {
    const before = this.text.value.slice(0, this.text.selectionStart);
    return /(?:^|[\s(])@([^@\n]{0,40})$/u.exec(before)?.[1];
  }

  begin() {
    const { value, selectionStart: at } = this.text;
    const gap = at && !/\s/u.test(value[at - 1]) ? " @" : "@";
    this.text.focus();
    this.text.setRangeText(gap, at, this.text.selectionEnd, "end");
    this.typed();
  }

  async offer() {
    const words = this.asked;
    if (words === undefined) return this.close();
    const turn = (this.turn = Symbol("turn"));
    const answer = await fetch(`${this.dataset.url}?q=${encodeURIComponent(words)}`, { headers: { "HX-Request": "true" } }).catch(() => null);
    if (turn !== this.turn || !answer?.ok || answer.redirected) return undefined;
    const html = await answer.text();
    if (turn !== this.turn) return undefined;
    this.list.innerHTML = html;
    // Words after a name that was chosen are no search for another one.
    if (!this.options.length && /\s/u.test(words)) return this.close();
    this.options.forEach((option, number) => { option.id = `${this.list.id}-${number}`; });
    this.list.hidden = false;
    this.told.textContent = this.options.length ? `${this.options.length} colleagues; arrows choose` : "Nobody found";
    return this.mark(0);
  }

  get options() { return [...this.list.querySelectorAll("[role=option]:not([aria-disabled])")]; }

  mark(at) {
    const { options } = this;
    this.at = options.length ? (at + options.length) % options.length : -1;
    options.forEach((option, number) => option.setAttribute("aria-selected", String(number === this.at)));
    const marked = options[this.at];
    if (!marked) return this.text.removeAttribute("aria-activedescendant");
    this.text.setAttribute("aria-activedescendant", marked.id);
    return marked.scrollIntoView({ block: "nearest" });
  }

  key(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      return this.form.requestSubmit();
    }
    if (this.list.hidden) return undefined;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.mark(this.at + step);
    else if ((event.key === "Enter" || event.key === "Tab") && this.options[this.at]) this.choose(this.options[this.at]);
    else if (event.key === "Escape") this.close();
    else return undefined;
    event.preventDefault();
    return event.stopPropagation();
  }

  choose(option) {
    const words = this.asked;
    if (!option || option.ariaDisabled || words === undefined) return;
    const end = this.text.selectionStart;
    this.text.focus();
    this.text.setRangeText(`${option.dataset.name} `, end - words.length, end, "end");
    this.close();
    this.typed();
    clearTimeout(this.timer);
  }

  close() {
    this.turn = null;
    this.list.hidden = true;
    this.text.removeAttribute("aria-activedescendant");
  }
}

customElements.define("flow-talk", FlowTalk);
customElements.define("mention-field", MentionField);
