/* htmx: the CSRF header from the meta tag, morphing swaps (hx-ext="morph" hx-swap="morph"), errors as toasts. */
import { Idiomorph } from "idiomorph/dist/idiomorph.esm.js";
import { session } from "./signed-out.js";
import { toast } from "./toast-stack.js";

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token();
});

document.addEventListener("htmx:responseError", (event) => {
  const words = {
    403: "This page has expired. Reload it and try again.",
    404: "This no longer exists, or you may not have access to it.",
    413: "That is too large.",
    429: "Too many attempts. Wait a moment and try again.",
  };
  const { xhr, requestConfig } = event.detail;
  if (xhr.status === 401) return signedOut(requestConfig);
  if (xhr.status === 403) return renew(words[403]);
  return toast(words[xhr.status] ?? "Something went wrong; nothing was saved. Try again.", "error");
});

function signedOut({ verb, triggeringEvent }) {
  const asked = verb !== "get" || Boolean(triggeringEvent?.isTrusted);
  document.dispatchEvent(new CustomEvent("session:ended", { detail: { asked } }));
}

/* Who signed in again elsewhere has another token; the page takes it and keeps what was typed. */
async function renew(words) {
  const same = (await session()) === "same";
  toast(same ? "You signed in again since this page was opened. Send it once more." : words, same ? "info" : "error");
}

document.addEventListener("htmx:sendError", () => {
  toast("The server cannot be reached. Your input is still here; try again.", "error");
});

/* Swaps would pull the element from under a drag. */
document.addEventListener("htmx:beforeSwap", (event) => {
  if (document.body.classList.contains("dragging")) event.detail.shouldSwap = false;
});

function morphStyle(swap) {
  if (swap === "morph" || swap === "morph:outerHTML") return "outerHTML";
  return swap === "morph:innerHTML" ? "innerHTML" : null;
}

/* What <action-menu> wrote on its button and menu stays: without it they would no longer belong together. */
const MENU_OWN = ["id", "popovertarget", "aria-haspopup", "aria-expanded", "style"];

function beforeAttributeUpdated(name, element, kind) {
  return !(kind === "remove" && MENU_OWN.includes(name) && element.parentElement?.localName === "action-menu");
}

window.htmx?.defineExtension("morph", {
  isInlineSwap: (swap) => morphStyle(swap) === "outerHTML",
  handleSwap(swap, target, fragment) {
    const style = morphStyle(swap);
    if (!style) return false;
    // The field with focus keeps what is typed in it. Of a button with focus the words inside must change like any others.
    const typing = Boolean(document.activeElement?.matches("input, textarea, select, [contenteditable]"));
    const settings = { morphStyle: style, ignoreActiveValue: typing, callbacks: { beforeAttributeUpdated } };
    return Idiomorph.morph(target, fragment.children, settings);
  },
});
