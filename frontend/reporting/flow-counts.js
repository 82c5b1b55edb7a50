/* <flow-counts data-url data-part-url> around a read-only canvas: asks for the numbers now and then and changes the
   badges only; a click on a card or branch opens it in the side panel. Rests while the page is hidden. */
const EVERY = 5_000;
const words = new Intl.NumberFormat("en");

class FlowCounts extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => this.open(event));
    this.shown = () => { if (!document.hidden) this.ask(); };
    document.addEventListener("visibilitychange", this.shown);
    this.timer = setInterval(this.shown, EVERY);
    this.ask();
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    document.removeEventListener("visibilitychange", this.shown);
  }

  async ask() {
    const answer = await fetch(this.dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
    if (answer?.ok && !answer.redirected) this.show(await answer.json());
  }

  show({ steps, flow }) {
    for (const card of this.querySelectorAll("[data-step]")) {
      const numbers = steps[card.dataset.step] ?? { here: 0, went_on: 0, left: 0, branches: {} };
      this.badge(card, numbers.here, "here now");
      this.line(card, numbers);
      this.shares(card, numbers);
    }
    this.badge(document.getElementById("card-start"), flow.enrolled, "enrolled");
    this.badge(document.getElementById("card-finish"), flow.completed, "completed");
  }

  badge(card, number, what) {
    const badge = card?.querySelector(":scope > [data-count]");
    if (!badge) return;
    const text = words.format(number);
    if (badge.firstChild.textContent.trim() !== text) badge.firstChild.textContent = text;
    badge.querySelector(".visually-hidden").textContent = ` ${what}`;
  }

  line(card, numbers) {
    let line = card.querySelector(":scope > .flow-card__numbers");
    if (!line) {
      line = document.createElement("span");
      line.className = "flow-card__numbers";
      card.append(line);
    }
    const text = `${words.format(numbers.went_on)} went on · ${words.format(numbers.left)} left`;
    if (line.textContent !== text) line.textContent = text;
  }

  shares(card, { went_on, left, branches }) {
    const total = went_on + left;
    const list = card.parentElement.querySelector(":scope > .flow-branches");
    for (const branch of list?.children ?? []) {
      const name = branch.querySelector(".flow-branch__name");
      let share = name.querySelector(".flow-branch__share");
      if (!share) {
        share = document.createElement("em");
        share.className = "flow-branch__share";
        name.append(share);
      }
      share.textContent = total ? ` ${Math.round((100 * (branches[branch.dataset.branch] ?? 0)) / total)}%` : "";
    }
  }

  open(event) {
    const part = event.target.closest("[data-open]")?.dataset.open;
    if (!part) return;
    this.querySelectorAll(".is-selected").forEach((card) => card.classList.remove("is-selected"));
    this.querySelector(`[data-part="${part}"]`)?.classList.add("is-selected");
    const url = `${this.dataset.partUrl}?part=${encodeURIComponent(part)}`;
    window.htmx.ajax("GET", url, { target: "#panel", source: event.target.closest("[data-open]") });
  }
}

customElements.define("flow-counts", FlowCounts);
