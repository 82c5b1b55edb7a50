/* <action-menu><button>…</button><div class="menu" popover>…</div></action-menu>
   A button that opens a menu in the top layer beside it; arrows, Home and End move, Escape closes. */
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
    if (event.target.matches("input, select, textarea")) return;
    const items = this.items();
    const here = items.indexOf(document.activeElement);
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    items.at(to % items.length)?.focus();
  }
}

customElements.define("action-menu", ActionMenu);
