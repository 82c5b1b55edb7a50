/* The session may end while somebody types. Then the page stays as it is: <dialog id="signed-out"> asks to sign in in
   another tab; back here the forms' tokens are renewed, and what was typed can be sent once more. */
import { toast } from "./toast-stack.js";

const LONG_MS = 5 * 60 * 1000;
let contact = Date.now();
let told = false;
const dialog = () => document.getElementById("signed-out");

/* Ask who is signed in: "same" as whom the page was drawn for (then its tokens are renewed), "other", "nobody", or ""
   where the server does not answer. */
export async function session() {
  const answer = await fetch(dialog().dataset.url, { headers: { Accept: "application/json" } }).catch(() => null);
  if (!answer?.ok) return "";
  const { user, token } = await answer.json();
  if (user === null) return "nobody";
  if (String(user) !== dialog().dataset.user) return "other";
  document.querySelector('meta[name="csrf-token"]').content = token;
  for (const field of document.querySelectorAll('[name="csrfmiddlewaretoken"]')) field.value = token;
  contact = Date.now();
  return "same";
}

function warn(words) {
  const line = dialog().querySelector("[role='status']");
  line.querySelector("span").textContent = words;
  line.hidden = !words;
}

/* What asks by itself, again and again, says it once. */
function open(asked) {
  const box = dialog();
  if (!box || box.open || (told && !asked)) return;
  told = true;
  warn("");
  box.showModal();
  box.querySelector("a").focus();
}

async function back() {
  const box = dialog();
  if (!box?.open || document.hidden) return;
  const now = await session();
  if (now === "other") warn("You are signed in as somebody else now. Reload to go on as them; copy first what you typed.");
  if (now !== "same" || !box.open) return;
  told = false;
  box.close();
  toast("You are signed in again. Send it once more.", "success");
}

document.addEventListener("visibilitychange", back);
addEventListener("focus", back);
document.addEventListener("session:ended", (event) => open(event.detail?.asked));
document.addEventListener("htmx:afterRequest", ({ detail }) => { if (detail.successful) contact = Date.now(); });

/* A form that loads a page anew would be lost at the sign-in page: after a while of silence it is asked first. */
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const sends = form.method === "post" && !form.matches("[hx-post], [target='_blank']") && dialog()?.dataset.user;
  if (!sends || form.dataset.asked || Date.now() - contact < LONG_MS) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const now = await session();
  if (now === "nobody" || now === "other") {
    open(true);
    if (now === "other") warn("You are signed in as somebody else now. Reload to go on as them; copy first what you typed.");
    return;
  }
  form.dataset.asked = "yes";
  form.requestSubmit(event.submitter);
  delete form.dataset.asked;
}, true);
