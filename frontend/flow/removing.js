/* Removing asks and names what is lost; for a split, one branch's steps may stay in line. */
import { ids } from "./placing.js";

/* Steps in a branch, or in a step with itself: the server counts, what is folded is not on the page. */
const inBranch = (branch) => Number(branch.dataset.inside);
const inStep = (card) => 1 + Number(card.dataset.inside ?? 0);
const steps = (number) => (number === 1 ? "1 step" : `${number} steps`);

export function ask(designer, title, text, choices = [], { verb = "Remove", stay = "Keep it", label = "What happens to the steps inside", danger = true } = {}) {
  const dialog = designer.querySelector("#flow-remove");
  const yes = dialog.querySelector('[value="remove"]');
  yes.textContent = verb;
  yes.classList.toggle("is-danger", danger);
  dialog.querySelector('[value="no"]').textContent = stay;
  dialog.querySelector("[role='radiogroup']").setAttribute("aria-label", label);
  dialog.querySelector("h2").textContent = title;
  dialog.querySelector("p").textContent = text;
  const list = dialog.querySelector(".flow-choices");
  list.replaceChildren(...choices.map(([value, words], index) => choice(value, words, index === 0)));
  list.hidden = !choices.length;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const kept = list.querySelector(":checked")?.value ?? "";
      resolve(dialog.returnValue === "remove" ? { keep: kept } : null);
    }, { once: true });
  });
}

function choice(value, words, checked) {
  const label = document.createElement("label");
  const radio = Object.assign(document.createElement("input"), { type: "radio", name: "keep", value, checked });
  label.append(radio, words);
  return label;
}

/* `lost`: the elements that go. What was typed in the panel of one of them goes too; in another's it is applied first. */
function remove(designer, op, values, lost) {
  const open = designer.openPart;
  const card = open && designer.querySelector(`#flow-root [data-part="${CSS.escape(open)}"]`);
  const goes = card && lost.some((element) => element.contains(card));
  return goes ? designer.op(op, { ...values, part: "" }) : designer.change(op, { ...values, part: "" });
}

export async function askRemove(designer, card) {
  const several = designer.cardsWith(card);
  if (several.length > 1) return askRemoveSeveral(designer, several);
  const step = card.closest(".flow-step");
  const inside = inStep(card) - 1;
  const title = `Remove “${card.dataset.title}”?`;
  if (!("splits" in card.dataset)) {
    const note = card.dataset.kind === "send_email" ? "The email itself stays in the flow's content." : "You can undo this.";
    return (await ask(designer, title, note)) && remove(designer, "remove", { step: card.dataset.step }, [step]);
  }
  const branches = [...step.querySelectorAll(":scope > .flow-branches > .flow-branch")];
  const lost = `Its ${branches.length} branches go with it, and the ${steps(inside)} in them.`;
  const keep = branches.filter(inBranch)
    .map((branch) => [branch.dataset.branch, `Keep the ${steps(inBranch(branch))} of “${branch.dataset.name}” in line`]);
  const choices = keep.length ? [["", "Remove everything in it"], ...keep] : [];
  const answer = await ask(designer, title, inside ? lost : "Its branches are empty.", choices);
  return answer && remove(designer, "remove", { step: card.dataset.step, keep: answer.keep }, answer.keep ? [card] : [step]);
}

async function askRemoveSeveral(designer, cards) {
  const all = cards.reduce((sum, card) => sum + inStep(card), 0);
  const more = all > cards.length ? `The ${steps(all - cards.length)} in their branches go with them. ` : "";
  const text = `${more}${cards.map((card) => `“${card.dataset.title}”`).slice(0, 6).join(", ")}${cards.length > 6 ? " and more" : ""}.`;
  const answer = await ask(designer, `Remove ${cards.length} steps?`, text);
  return answer && remove(designer, "remove", { steps: ids(cards) }, cards.map((card) => card.closest(".flow-step")));
}

export async function askRemoveBranch(designer, branch) {
  const inside = inBranch(branch);
  const text = inside ? `The ${steps(inside)} in it go with it.` : "It is empty. You can undo this.";
  if (branch.classList.contains("flow-branch--else") || branch.dataset.held || branch.parentElement.children.length < 3) {
    return designer.say("This branch stays: a split keeps everyone else and one branch, and whoever is inside keeps theirs.");
  }
  const answer = await ask(designer, `Remove branch “${branch.dataset.name}”?`, text);
  return answer && remove(designer, "remove_branch", { branch_id: branch.dataset.branch }, [branch]);
}
