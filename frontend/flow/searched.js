/* A select whose list is long becomes a combobox: it searches on the server where the list has more than was brought,
   else among its own options. The select stays, out of sight, and carries the value: forms and their checks know
   nothing of this. With few choices the select is left as it is; so are those of lines and criteria. */
const FEW = 12;
let count = 0;

export function searchSelects(root) {
  for (const select of root.querySelectorAll(".field > select:not([multiple])")) {
    if (!isLong(select)) continue;
    if (select.previousElementSibling?.localName !== "search-select") new Search(select);
    else if (!select.classList.contains("visually-hidden")) hide(select);
  }
}

function isLong(select) {
  return "more" in select.dataset || (select.options.length > FEW && !select.closest(".flow-line, .criteria"));
}

function hide(select) {
  select.classList.add("visually-hidden");
  select.tabIndex = -1;
  select.setAttribute("aria-hidden", "true");
}

class Search {
  constructor(select) {
    this.select = select;
    this.at = -1;
    count += 1;
    this.box = document.createElement("search-select");
    this.input = Object.assign(document.createElement("input"), { type: "text", id: `search-${count}`, className: "form-select", autocomplete: "off", disabled: select.matches(":disabled") });
    this.list = Object.assign(document.createElement("ul"), { id: `search-${count}-list`, hidden: true });
    this.list.setAttribute("role", "listbox");
    for (const [name, value] of Object.entries({ role: "combobox", "aria-expanded": "false", "aria-autocomplete": "list", "aria-controls": this.list.id })) this.input.setAttribute(name, value);
    const label = select.labels[0];
    this.list.setAttribute("aria-label", label?.textContent.trim() ?? "Choices");
    if (label) label.htmlFor = this.input.id;
    const told = select.getAttribute("aria-describedby");
    if (told) this.input.setAttribute("aria-describedby", told);
    this.box.append(this.input, this.list);
    select.before(this.box);
    hide(select);
    this.restore();
    this.listen();
  }

  listen() {
    this.box.addEventListener("input", (event) => {
      event.stopPropagation();
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.search(this.input.value), 180);
    });
    this.input.addEventListener("click", () => this.search(""));
    this.input.addEventListener("focus", () => this.input.select());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.input.addEventListener("blur", () => setTimeout(() => this.close(), 120));
    this.select.addEventListener("change", () => this.restore());
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => this.choose(event.target.closest("[role=option]")));
  }

  get options() { return [...this.list.querySelectorAll("[role=option]:not([aria-disabled])")]; }

  async search(text) {
    if ("more" in this.select.dataset) return this.ask(text);
    this.list.innerHTML = "";
    this.list.append(...found(this.select, text));
    return this.show(text);
  }

  async ask(text) {
    const asked = (this.asked = Symbol("search"));
    const url = `${this.select.closest("flow-designer").dataset.url}choices/${this.select.dataset.searched}/`;
    const empty = this.select.querySelector('option[value=""]')?.textContent;
    try {
      const answer = await fetch(`${url}?q=${encodeURIComponent(text)}`, { headers: { "HX-Request": "true" } });
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      const html = await answer.text();
      if (asked !== this.asked) return;
      this.list.innerHTML = html;
    } catch {
      if (asked !== this.asked) return;
      this.list.innerHTML = '<li role="option" aria-disabled="true" aria-selected="false">The search did not work. Type again.</li>';
    }
    if (!text && empty) {
      const none = Object.assign(document.createElement("li"), { textContent: empty });
      none.setAttribute("role", "option");
      none.dataset.value = "";
      this.list.prepend(none);
    }
    this.show(text);
  }

  show(text) {
    this.options.forEach((option, n) => {
      option.id = `${this.list.id}-${n}`;
      option.setAttribute("aria-selected", String(option.dataset.value === this.select.value));
    });
    this.list.hidden = false;
    this.input.setAttribute("aria-expanded", "true");
    this.mark(text ? 0 : this.options.findIndex((option) => option.dataset.value === this.select.value));
  }

  mark(at) {
    const options = this.options;
    this.at = options.length ? Math.max(-1, Math.min(at, options.length - 1)) : -1;
    options.forEach((option, n) => option.classList.toggle("is-marked", n === this.at));
    const marked = options[this.at];
    if (marked) {
      this.input.setAttribute("aria-activedescendant", marked.id);
      marked.scrollIntoView({ block: "nearest" });
    } else this.input.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (this.list.hidden) this.search("");
      else this.mark(this.at + step < 0 ? this.options.length - 1 : (this.at + step) % this.options.length);
    }
    if (event.key === "Enter" && !this.list.hidden) {
      event.preventDefault();
      this.choose(this.options[this.at]);
    }
    if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    }
  }

  choose(option) {
    if (!option || option.hasAttribute("aria-disabled")) return;
    const { value } = option.dataset;
    if (![...this.select.options].some((one) => one.value === value)) this.select.add(new Option(option.textContent, value));
    this.select.value = value;
    this.close();
    for (const name of ["input", "change"]) this.select.dispatchEvent(new Event(name, { bubbles: true }));
  }

  close() {
    this.asked = null;
    clearTimeout(this.timer);
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.restore();
  }

  /* The name of what is chosen; half-typed words choose nothing. */
  restore() { this.input.value = this.select.selectedOptions[0]?.textContent ?? ""; }
}

/* The options of a select that hold every word, in their groups; without regard to case, accents and underscores. */
function found(select, text) {
  const words = plain(text).split(" ").filter(Boolean);
  const holds = (option) => words.every((word) => plain(option.textContent).includes(word));
  const lines = [...select.children].map((child) => {
    if (child.localName !== "optgroup") return holds(child) && !(words.length && !child.value) ? line(child) : null;
    const inside = [...child.children].filter(holds).map(line);
    return inside.length ? group(child.label, inside) : null;
  });
  const shown = lines.filter(Boolean);
  return shown.length ? shown : [nothing()];
}

const plain = (text) => text.normalize("NFKD").replace(/[\u0300-\u036f]/g, "").replace(/[_/]/g, " ").toLowerCase().trim();

function line(option) {
  const one = Object.assign(document.createElement("li"), { textContent: option.textContent });
  one.setAttribute("role", "option");
  one.dataset.value = option.value;
  return one;
}

function group(label, inside) {
  const [one, name, list] = ["li", "span", "ul"].map((tag) => document.createElement(tag));
  one.setAttribute("role", "group");
  one.setAttribute("aria-label", label);
  name.textContent = label;
  name.setAttribute("aria-hidden", "true");
  list.setAttribute("role", "presentation");
  list.append(...inside);
  one.append(name, list);
  return one;
}

function nothing() {
  const one = Object.assign(document.createElement("li"), { textContent: "Nothing is called that." });
  one.setAttribute("role", "option");
  one.setAttribute("aria-disabled", "true");
  one.setAttribute("aria-selected", "false");
  return one;
}
