/* <flow-faults>: what is wrong with the part that the panel shows. Marks the fields at fault; a press goes to one. */
class FlowFaults extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => {
      const fault = event.target.closest("[data-fault]");
      if (fault) goToField(this.closest(".flow-panel"), fault.dataset.fault);
    });
    const panel = this.closest(".flow-panel");
    for (const fault of this.querySelectorAll("[data-fault]")) {
      const field = panel && fieldOf(panel, fault.dataset.fault);
      field?.closest(".field, .criteria-line, .flow-line")?.classList.add("is-fault");
    }
  }
}

/* A place is a field's name, `criteria`, or a path into the settings ("lines.0"), whose first word names the field. */
function fieldOf(panel, place) {
  const [name, position] = place.split(".");
  const named = panel.querySelector(`form [name="${CSS.escape(name)}"]:not([type="hidden"]), form [data-field="${CSS.escape(name)}"]`);
  if (named?.previousElementSibling?.localName === "search-select") return named.previousElementSibling.firstElementChild;
  if (named) return named;
  const lines = [...panel.querySelectorAll(".flow-line")];
  if (lines.length) return (lines[position ?? 0] ?? lines[0]).querySelector("select, input");
  const wrong = panel.querySelector(".criteria-line.has-error select, .criteria select");
  return wrong ?? panel.querySelector(name === "criteria" ? ".criteria button" : ".flow-panel__add");
}

export function goToField(panel, place) {
  const field = panel && fieldOf(panel, place);
  if (!field) return false;
  for (let at = field.parentElement; at && at !== panel; at = at.parentElement) if (at.localName === "details") at.open = true;
  field.focus({ preventScroll: true });
  field.scrollIntoView({ block: "center" });
  return true;
}

customElements.define("flow-faults", FlowFaults);
