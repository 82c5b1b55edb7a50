/* One menu for all buttons of a kind: a popover beside its button; arrows walk, Escape closes and gives focus back. */
const EDGE = 8;

export class Menu {
  constructor(element) {
    this.element = element;
    element.addEventListener("toggle", (event) => this.toggled(event));
    element.addEventListener("keydown", (event) => this.walk(event));
  }

  open(button) {
    this.button = button;
    button.setAttribute("aria-expanded", "true");
    this.element.showPopover();
    this.place();
    this.items()[0]?.focus({ preventScroll: true });
  }

  close() {
    if (this.element.matches(":popover-open")) this.element.hidePopover();
  }

  toggled(event) {
    if (event.newState === "open") return;
    this.button?.setAttribute("aria-expanded", "false");
    if (!document.activeElement || document.activeElement === document.body || this.element.contains(document.activeElement)) {
      this.button?.focus({ preventScroll: true });
    }
  }

  items() {
    return [...this.element.querySelectorAll('[role="menuitem"]')].filter((item) => !item.disabled && !item.hidden);
  }

  walk(event) {
    const items = this.items();
    const at = items.indexOf(document.activeElement);
    const go = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (go === undefined) return;
    event.preventDefault();
    items[(go + items.length) % items.length]?.focus();
  }

  place() {
    const at = this.button.getBoundingClientRect();
    const box = this.element.getBoundingClientRect();
    const below = at.bottom + 6;
    const left = Math.min(Math.max(EDGE, at.left), innerWidth - box.width - EDGE);
    const top = below + box.height > innerHeight - EDGE ? Math.max(EDGE, innerHeight - box.height - EDGE) : below;
    this.element.style.setProperty("left", `${left}px`);
    this.element.style.setProperty("top", `${top}px`);
  }
}
