/* .list-options (filters, columns of a list) are <details> that lie over the list: Escape and a click elsewhere close
   them, and Escape gives the focus back. */
const opened = () => document.querySelector("details.list-options[open]");

document.addEventListener("keydown", (event) => {
  const open = opened();
  if (event.key !== "Escape" || event.defaultPrevented || !open) return;
  // What lies above it closes first.
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  event.preventDefault();
  open.open = false;
  open.querySelector("summary").focus();
});

document.addEventListener("click", (event) => {
  const open = opened();
  if (open && !open.contains(event.target)) open.open = false;
});
