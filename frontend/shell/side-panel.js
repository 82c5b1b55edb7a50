/* The side panel (#panel): [data-panel-close] or Escape empties it and gives the focus back. */
let opener = null;

const panel = () => document.getElementById("panel");

document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target === panel() && !panel().contains(event.detail.elt)) opener = event.detail.elt;
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target === panel()) panel().querySelector("h2, [autofocus]")?.focus?.();
});

function close() {
  const place = panel();
  place.dispatchEvent(new CustomEvent("panel:close", { bubbles: true }));
  place.replaceChildren();
  opener?.focus?.();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-panel-close]")) close();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], :popover-open")) return;
  if (panel()?.querySelector("[data-panel-close]")) close();
});
