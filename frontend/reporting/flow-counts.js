/* <flow-counts data-url data-part-url> around a read-only canvas: asks for the numbers now and then and changes the
   badges only; a click on a card or branch opens it in the side panel. Rests while the page is hidden. Without
   data-url (one participant's path) there are no numbers. */
const EVERY = 5_000;
const words = new Intl.NumberFormat("en");

class FlowCounts extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => this.open(event));
    this.found = (event) => this.goTo(event.target.closest("#panel [data-goto]")?.dataset.goto);
    document.addEventListener("click", this.found);
    if (!this.dataset.url) return;
    this.shown = () => { if (!document.hidden) this.ask(); };
    document.addEventListener("visibilitychange", this.shown);
    this.timer = setInterval(this.shown, EVERY);
    this.toggle();
    this.ask();
    // A notification leads to what was written at a step.
    if (this.dataset.opens) addEventListener("load", () => this.load(this.dataset.opens), { once: true });
  }

  disconnectedCallback() {
    document.removeEventListener("click", this.found);
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.shown);
  }

  async ask() {
    const answer = await fetch(this.dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok && !answer.redirected) this.show(await answer.json());
  }

  show({ steps, flow, comments }) {
    document.dispatchEvent(new CustomEvent("flow:commented", { detail: { open: comments } }));
    for (const card of this.querySelectorAll("[data-step]")) {
      const numbers = steps[card.dataset.step] ?? { here: 0, went_on: 0, left: 0, branches: {} };
      this.badge(card, numbers.here, "here now", `status=active&step=${card.dataset.step}`);
      this.line(card, numbers);
      this.shares(card, numbers);
    }
    this.badge(document.getElementById("card-start"), flow.enrolled, "enrolled", "");
    this.badge(document.getElementById("card-finish"), flow.completed, "completed", "status=completed");
  }

  /* The server draws a plain number; it becomes a link to the people here. */
  badge(card, number, what, query) {
    let badge = card?.querySelector(":scope > [data-count]");
    if (!badge) return;
    if (badge.localName !== "a") {
      const link = Object.assign(document.createElement("a"), { className: badge.className, href: `${this.dataset.peopleUrl}?${query}` });
      link.dataset.count = "";
      link.append(...badge.childNodes);
      badge.replaceWith(link);
      badge = link;
    }
    const text = words.format(number);
    if (badge.firstChild.textContent.trim() !== text) badge.firstChild.textContent = text;
    badge.querySelector(".visually-hidden").textContent = ` ${what}`;
  }

  /* Drawn anew only where a number moved, so that an open list of reasons stays open. */
  line(card, numbers) {
    let line = card.querySelector(":scope > .flow-card__numbers");
    if (!line) {
      line = document.createElement("div");
      line.className = "flow-card__numbers";
      card.append(line);
    }
    const drawn = JSON.stringify(numbers);
    if (line.dataset.drawn === drawn) return;
    line.dataset.drawn = drawn;
    const step = card.dataset.step;
    const wasOpen = line.querySelector("details")?.open ?? false;
    const went = this.link(`${words.format(numbers.went_on)} went on`, `visited=${step}&went=went_on`);
    line.replaceChildren(went, " · ", this.left(step, numbers, wasOpen));
    if (numbers.messages) line.append(this.fare(step, numbers.messages));
  }

  link(text, query) {
    return Object.assign(document.createElement("a"), { textContent: text, href: `${this.dataset.peopleUrl}?${query}` });
  }

  left(step, { left, leaving = [] }, open) {
    if (!leaving.length) return `${words.format(left)} left`;
    const details = Object.assign(document.createElement("details"), { open });
    const summary = Object.assign(document.createElement("summary"), { textContent: `${words.format(left)} left` });
    const list = document.createElement("ul");
    for (const [label, number, query] of leaving) {
      const item = document.createElement("li");
      item.append(this.link(`${label}: ${words.format(number)}`, `visited=${step}&went=left&${query}`));
      list.append(item);
    }
    details.append(summary, list);
    return details;
  }

  fare(step, { sent, opened, clicked }) {
    const of = (number) => (sent ? `${Math.round((100 * number) / sent)}%` : "0%");
    const line = document.createElement("div");
    line.append(
      this.link(`${words.format(sent)} sent`, `got=sent&of=${step}`), " · ",
      this.link(`${of(opened)} opened`, `got=opened&of=${step}`), " · ",
      this.link(`${of(clicked)} clicked`, `got=clicked&of=${step}`),
    );
    return line;
  }

  /* Shown or hidden, as this browser was last told. */
  toggle(shown = localStorage.getItem("flow-numbers") !== "hidden") {
    localStorage.setItem("flow-numbers", shown ? "shown" : "hidden");
    this.classList.toggle("hides-numbers", !shown);
    this.querySelector("[data-toggle-numbers]")?.setAttribute("aria-pressed", String(shown));
  }

  shares(card, { went_on, left, branches }) {
    const total = went_on + left;
    const list = card.parentElement.querySelector(":scope > .flow-branches");
    for (const branch of list?.children ?? []) {
      const label = branch.querySelector(":scope > .flow-branch__label");
      let share = label.querySelector(".flow-branch__share");
      if (!total) {
        share?.remove();
        continue;
      }
      if (!share) {
        share = this.link("", `branch=${branch.dataset.branch}`);
        share.className = "flow-branch__share";
        label.append(share);
      }
      const number = branches[branch.dataset.branch] ?? 0;
      share.textContent = `${Math.round((100 * number) / total)}%`;
      share.setAttribute("aria-label", `${share.textContent} took ${branch.dataset.name}: ${words.format(number)}`);
    }
  }

  /* A step that was found: it comes into sight and tells about itself at the side. */
  goTo(part) {
    if (part?.startsWith("comments")) return this.load(part);
    const card = part && this.querySelector(`[data-part="${CSS.escape(part)}"]`);
    if (!card) return undefined;
    card.scrollIntoView({ block: "center", inline: "center" });
    return card.querySelector("[data-open]")?.click();
  }

  open(event) {
    if (event.target.closest("[data-toggle-numbers]")) return this.toggle(this.classList.contains("hides-numbers"));
    if (event.target.closest(".flow-card__numbers, [data-count], .flow-branch__share")) return undefined;
    const part = event.target.closest("[data-open]")?.dataset.open;
    if (!part) return undefined;
    return this.load(part, event.target.closest("[data-open]"));
  }

  load(part, source = this) {
    const card = part.replace("comments:start", "start").replace(/^comments:/u, "step:");
    this.querySelectorAll(".is-selected").forEach((old) => old.classList.remove("is-selected"));
    this.querySelector(`[data-part="${CSS.escape(card)}"]`)?.classList.add("is-selected");
    const url = `${this.dataset.partUrl}?part=${encodeURIComponent(part)}`;
    return window.htmx.ajax("GET", url, { target: "#panel", source });
  }
}

customElements.define("flow-counts", FlowCounts);
