/* A branch goes into another split without being dragged: from its menu, by keyboard and finger. */
import { ask } from "./removing.js";

/* The splits that a branch may go into: not its own, and none inside it. */
export function otherSplits(branch) {
  const own = branch.closest(".flow-step");
  const cards = [...branch.closest("#flow-root").querySelectorAll(".flow-card[data-splits]")];
  return cards.filter((card) => card.closest(".flow-step") !== own && !branch.contains(card));
}

export async function askTransfer(designer, branch) {
  const choices = otherSplits(branch).map((card) => [card.dataset.step, card.dataset.title]);
  const words = { verb: "Move", stay: "Cancel", label: "Into which split", danger: false };
  const text = "It goes there with its steps, right before everyone else.";
  const answer = await ask(designer, `Move branch “${branch.dataset.name}” to another split`, text, choices, words);
  if (!answer) return undefined;
  const branches = designer.card(answer.keep).closest(".flow-step").querySelectorAll(":scope > .flow-branches > .flow-branch");
  return designer.change("place_branch", { branch_id: branch.dataset.branch, step: answer.keep, position: branches.length - 1 });
}
