/* The public page of a form. Without scripts it works all the same; with them it brings its proof of work, and in a frame of
   another site it tells that site how high it is. */
const form = document.querySelector("form[data-proof]");

/* Find a number whose SHA-256 behind the page's token begins with so many zero bits. About a second, while one writes. */
async function prove(field, token, bits) {
  const encoder = new TextEncoder();
  for (let start = 0; ; start += 256) {
    const numbers = Array.from({ length: 256 }, (_, index) => start + index);
    const hashes = await Promise.all(numbers.map((number) => crypto.subtle.digest("SHA-256", encoder.encode(`${token}:${number}`))));
    const found = hashes.findIndex((hash) => new DataView(hash).getUint32(0) >>> (32 - bits) === 0);
    if (found >= 0) {
      field.value = String(numbers[found]);
      return;
    }
    // Nothing of the page waits for it.
    await new Promise((resolve) => { setTimeout(resolve, 0); });
  }
}

if (form && globalThis.crypto?.subtle) prove(form.elements.proof, form.elements.page.value, Number(form.dataset.proof));

/* How far people come: which field was last, which page. No answer goes along, and nobody's name. */
let reached = 0;
const told = { field: "", at: -1 };
const note = (field) => {
  if (!form?.dataset.progress || (field && field === told.field && reached === told.at)) return;
  Object.assign(told, { field, at: reached });
  const words = new FormData();
  words.set("page", form.elements.page.value);
  words.set("field", field);
  words.set("at", String(reached));
  navigator.sendBeacon(form.dataset.progress, words);
};
if (form?.dataset.progress) {
  form.addEventListener("change", ({ target }) => { if (target.name?.startsWith("f_")) note(target.name.slice(2)); });
}

if (window.parent !== window) {
  // A popup or side tab is loaded long before it is shown; the site's script says when.
  addEventListener("message", (event) => { if (event.source === window.parent && event.data?.millrace?.seen) note(""); });
  const tell = (words) => window.parent.postMessage({ millrace: words }, "*");
  const page = document.querySelector("[data-form-page]");
  const measure = () => tell({ height: Math.ceil(page.getBoundingClientRect().height) });
  new ResizeObserver(measure).observe(page);
  if (form) tell({ ready: true, closeWord: form.dataset.close });
  const onward = document.querySelector("[data-lead-to]");
  if (onward) tell({ leadTo: onward.dataset.leadTo });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") tell({ close: true }); });
}

/* Pages: one at a time. Without scripts they stand below each other. */
const pages = [...document.querySelectorAll("[data-page]")];
if (form && pages.length > 1 && !pages[0].closest("fieldset[disabled]")) {
  const send = form.querySelector(".form-actions");
  const button = (words, classes) => Object.assign(document.createElement("button"), { type: "button", textContent: words, className: classes });
  const back = button(form.dataset.back, "btn");
  const next = button(form.dataset.next, "btn btn-primary");
  send.prepend(back, next);
  const sending = [...send.children].filter((child) => child !== back && child !== next);
  let at = Math.max(pages.findIndex((page) => page.querySelector(".has-error")), 0);
  const show = (number, focus) => {
    at = number;
    if (at > reached) {
      reached = at;
      note(told.field);
    }
    pages.forEach((page, index) => { page.hidden = index !== at; });
    back.hidden = at === 0;
    next.hidden = at === pages.length - 1;
    for (const child of sending) child.hidden = at !== pages.length - 1;
    if (focus) pages[at].querySelector("input, select, textarea")?.focus();
  };
  const isRight = () => [...pages[at].querySelectorAll("input, select, textarea")].every((field) => field.reportValidity());
  back.addEventListener("click", () => show(at - 1, true));
  next.addEventListener("click", () => { if (isRight()) show(at + 1, true); });
  // Enter goes on; only the last page sends.
  form.addEventListener("submit", (event) => {
    if (at === pages.length - 1) return;
    event.preventDefault();
    next.click();
  });
  show(at, false);
}
