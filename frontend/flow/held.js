/* People in a step or branch keep it where it is: the menu says why beside the acts that it refuses. Called after the
   menu's own rules: it only takes away. */
export function refuseHeld(menu, held, acts) {
  let why = menu.querySelector(".flow-menu__why");
  if (!why) {
    why = Object.assign(document.createElement("p"), { className: "flow-menu__why", id: `${menu.id}-why` });
    menu.append(why);
  }
  why.textContent = held ?? "";
  why.hidden = !held;
  for (const name of acts) {
    const act = menu.querySelector(`[data-act="${name}"]`);
    if (held) {
      act.disabled = true;
      act.setAttribute("aria-describedby", why.id);
    } else act.removeAttribute("aria-describedby");
  }
}
