/* Two people at one flow. <flow-presence data-url>: says now and then that this window is open and what it is at, shows
   who else is, that the draft moved on, and what there is to paste. Rests while the page is hidden. Together takes the
   newest draft. */
import { showComments } from "./comments.js";

const EVERY = 10_000;
const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

class FlowPresence extends HTMLElement {
  connectedCallback() {
    this.window = crypto.randomUUID?.() ?? String(Math.random()).slice(2).padEnd(8, "0");
    this.designer = this.closest("flow-designer");
    this.shown = () => { if (!document.hidden) this.ask(); };
    this.leave = () => this.tell({ gone: "1" }, true);
    document.addEventListener("visibilitychange", this.shown);
    addEventListener("pagehide", this.leave);
    this.designer.addEventListener("htmx:afterSettle", () => this.soon());
    this.going = new Set();
    this.designer.addEventListener("htmx:beforeRequest", ({ detail }) => { if (detail.requestConfig.verb === "post") this.going.add(detail.xhr); });
    this.designer.addEventListener("htmx:afterRequest", ({ detail }) => this.going.delete(detail.xhr));
    this.timer = setInterval(this.shown, EVERY);
    this.soon();
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    clearTimeout(this.next);
    document.removeEventListener("visibilitychange", this.shown);
    removeEventListener("pagehide", this.leave);
  }

  /* Another part was opened, or something was done: the others see it without waiting. */
  soon() {
    this.mark();
    clearTimeout(this.next);
    this.next = setTimeout(this.shown, 400);
  }

  tell(more = {}, keepalive = false) {
    const { state, openPart, editable } = this.designer;
    const body = new URLSearchParams({ window: this.window, part: openPart, base_version: state.version, ...more });
    if (editable) body.set("editable", "1");
    return fetch(this.dataset.url, { method: "POST", headers: { "X-CSRFToken": token() }, body, keepalive }).catch(() => null);
  }

  async ask() {
    const seen = this.designer.state.version;
    const answer = await this.tell();
    if (!answer?.ok || answer.redirected) return;
    // Of a change of one's own that is on its way or was answered meanwhile: asked again once that is drawn.
    if (this.going.size || seen !== this.designer.state.version) {
      this.soon();
      return;
    }
    const box = document.createElement("template");
    box.innerHTML = await answer.text();
    const talk = box.content.querySelector("[data-comments]");
    showComments(this.designer, JSON.parse(talk.dataset.comments));
    this.keepCopied(talk.dataset);
    talk.remove();
    const html = box.innerHTML.trim();
    if (this.drawn !== html) this.innerHTML = this.drawn = html;
    this.mark();
  }

  /* What was copied in another window can be pasted here, as the menus say it. */
  keepCopied({ words, isBranch }) {
    const { state } = this.designer;
    for (const [name, value] of [["clipboard", words || undefined], ["clipboardBranch", isBranch]]) {
      if (value === undefined) delete state[name];
      else state[name] = value;
    }
  }

  /* A card that somebody else has open says so. */
  mark() {
    for (const old of this.designer.querySelectorAll(".flow-card__other")) old.remove();
    for (const person of this.querySelectorAll(".flow-person")) {
      const { at, name } = person.dataset;
      const card = at ? this.designer.querySelector(`#flow-root .flow-card[data-part="${CSS.escape(at)}"]`) : null;
      card?.append(Object.assign(document.createElement("span"), { className: "flow-card__other", textContent: `${name} is here` }));
    }
  }
}

/* Draw the newest draft: "theirs" drops what was typed; "keep" leaves it in the panel, to be applied onto the newest;
   without a choice it stays, and applying it says first what was changed meanwhile. */
export async function takeNewest(designer, choice) {
  const part = encodeURIComponent(designer.openPart);
  const keeps = choice === "keep" || (choice !== "theirs" && Boolean(designer.dirty));
  const url = `${designer.dataset.url}newest/?part=${part}${keeps ? "&keep=1" : ""}`;
  designer.dirty = keeps;
  await htmx.ajax("GET", url, { source: designer, target: "#flow-root", swap: "morph:outerHTML" });
  if (choice !== "keep") return;
  const form = designer.panel.querySelector("form");
  if (!form) return;
  form.querySelector('[name="base_version"]').value = designer.state.version;
  form.querySelector('[name="seen"]').value = designer.state.print;
  form.querySelector("#panel-conflict")?.replaceChildren();
  const hint = designer.panel.querySelector(".flow-panel__hint");
  if (hint) hint.textContent = "Not applied yet, on the newest now";
  designer.panel.querySelector("#panel-apply")?.focus();
}

customElements.define("flow-presence", FlowPresence);
