/* Rows that are links as a whole: <tr data-row> with one <a data-row-main>. Right-click opens the row's ⋮ menu. */
const busy = "a, button, input, select, textarea, label, summary, action-menu, [popover]";

document.addEventListener("click", (event) => {
  const row = event.target.closest("[data-row]");
  if (!row || event.defaultPrevented || event.target.closest(busy) || String(getSelection())) return;
  const link = row.querySelector("a[data-row-main]");
  if (!link) return;
  if (event.ctrlKey || event.metaKey) window.open(link.href, "_blank", "noopener");
  else link.click();
});

document.addEventListener("contextmenu", (event) => {
  const menu = event.target.closest("[data-row], .tile")?.querySelector("action-menu");
  if (!menu?.open || event.target.closest("input, textarea") || String(getSelection())) return;
  event.preventDefault();
  menu.open(new DOMRect(event.clientX, event.clientY, 0, 0));
});
