/* Asks before what cannot be taken back. On a form, a submit button or an htmx element:
   data-confirm="End flow?" data-confirm-detail="1,204 active participants become cancelled."
   data-confirm-verb="End flow" data-confirm-danger */
const attributes = "[data-confirm]";

export function ask({ title, detail = "", verb = "Go on", danger = false }) {
  const dialog = document.getElementById("confirm");
  const yes = dialog.querySelector("[data-yes]");
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("p").textContent = detail;
  yes.textContent = verb;
  yes.classList.toggle("is-danger", danger);
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

const question = (element) => ({
  title: element.dataset.confirm,
  detail: element.dataset.confirmDetail,
  verb: element.dataset.confirmVerb,
  danger: "confirmDanger" in element.dataset,
});

const asksByHtmx = (element) => ["hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete"].some((name) => element.hasAttribute(name));

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const asker = event.submitter?.closest(attributes) ?? (form.matches(attributes) ? form : null);
  if (!asker || asksByHtmx(form) || asksByHtmx(asker)) return;
  if (form.dataset.confirmed) {
    delete form.dataset.confirmed;
    return;
  }
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!(await ask(question(asker)))) return;
  form.dataset.confirmed = "yes";
  form.requestSubmit(event.submitter);
}, true);

document.addEventListener("htmx:confirm", async (event) => {
  const submitter = event.detail.triggeringEvent?.submitter;
  const asker = submitter?.matches(attributes) ? submitter : event.detail.elt.matches(attributes) ? event.detail.elt : null;
  if (!asker) return;
  event.preventDefault();
  if (await ask(question(asker))) event.detail.issueRequest(true);
});
