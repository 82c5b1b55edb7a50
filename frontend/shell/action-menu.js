/* <action-menu><button>…</button><div class="menu" popover>…</div></action-menu>
   A button that opens a menu in the top layer beside it; arrows move, Escape closes. */
let last = 0;

class ActionMenu extends HTMLElement {
  connectedCallback() {
    this.button = this.querySelector(":scope > button");
    this.menu = this.querySelector(":scope > [popover]");
    if (!this.button || !this.menu || this.button.hasAttribute("aria-haspopup")) return;
    this.menu.id ||= `menu-${++last}`;
    this.button.setAttribute("aria-haspopup", "true");
    this.button.setAttribute("aria-expanded", "false");
    this.button.setAttribute("popovertarget", this.menu.id);
    this.menu.addEventListener("toggle", (event) => this.toggled(event.newState === "open"));
    this.menu.addEventListener("keydown", (event) => this.move(event));
    this.menu.addEventListener("click", (event) => {
      if (event.target.closest("a, button:not([aria-pressed])")) this.menu.hidePopover();
    });
  }

  open(at) {
    this.at = at;
    this.menu.showPopover();
  }

  toggled(open) {
    this.button.setAttribute("aria-expanded", String(open));
    if (!open) {
      this.at = null;
      return;
    }
    this.place();
    this.items()[0]?.focus({ preventScroll: true });
  }

  place() {
    const room = 8;
    const anchor = this.at ?? this.button.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.menu;
    const below = anchor.bottom + 4 + height < innerHeight - room;
    const top = below ? anchor.bottom + 4 : Math.max(room, anchor.top - height - 4);
    const startAligned = anchor.left + width < innerWidth - room;
    const left = startAligned ? anchor.left : Math.max(room, anchor.right - width);
    this.menu.style.setProperty("top", `${top}px`);
    this.menu.style.setProperty("left", `${left}px`);
  }

  items() {
    const all = [...this.menu.querySelectorAll("a[href], button:not(:disabled), input:not([type=hidden]), select")];
    return all.filter((item) => item.checkVisibility());
  }

  move(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.target.matches("input, select, textarea")) return;
    event.preventDefault();
    const items = this.items();
    const next = items[(items.indexOf(document.activeElement) + step + items.length) % items.length];
    next?.focus();
  }
}

customElements.define("action-menu", ActionMenu);
