/* Dialogs: [data-dialog="id"] opens <dialog id>; [data-dialog-close] closes the one around it. A dialog that htmx
   puts into the page with data-open opens by itself and goes when closed. */
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog]");
  if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
  event.target.closest("[data-dialog-close]")?.closest("dialog")?.close();
  if (event.target.matches("dialog[open]")) event.target.close("no");
});

function openNew(root) {
  for (const dialog of root.querySelectorAll("dialog[data-open]:not([open])")) {
    dialog.addEventListener("close", () => dialog.remove(), { once: true });
    dialog.showModal();
  }
}

document.addEventListener("htmx:load", (event) => openNew(event.detail.elt.parentElement ?? document));
document.addEventListener("DOMContentLoaded", () => openNew(document));
document.addEventListener("dialog:close", () => document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close()));
