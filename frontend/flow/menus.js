/* What the menus of steps and branches offer, from where the step or branch is. */
import { refuseHeld } from "./held.js";
import { otherSplits } from "./transferring.js";

const item = (menu, act) => menu.querySelector(`[data-act="${act}"]`);

export function fillStepMenu(menu, step, state) {
  const steps = [...step.parentElement.children].filter((element) => element.classList.contains("flow-step"));
  item(menu, "move_up").disabled = steps[0] === step;
  item(menu, "move_down").disabled = steps.at(-1) === step;
  item(menu, "add_branch").hidden = !step.querySelector(":scope > .flow-branches");
  item(menu, "paste_branch").hidden = !("clipboardBranch" in state) || item(menu, "add_branch").hidden;
  for (const act of ["move", "cut", "remove"]) item(menu, act).disabled = false;
  refuseHeld(menu, step.querySelector(":scope > .flow-card").dataset.held, ["move_up", "move_down", "move", "cut", "remove"]);
}

/* The menu of a plus: what would be pasted is named. */
export function fillSlotMenu(menu, state) {
  const paste = item(menu, "paste");
  paste.disabled = !state.clipboard;
  paste.querySelector("span").textContent = state.clipboard ? `Paste ${state.clipboard}` : "Paste";
}

export function fillBranchMenu(menu, branch) {
  const isElse = branch.classList.contains("flow-branch--else");
  const exits = branch.classList.contains("flow-branch--exits");
  const next = branch.nextElementSibling;
  item(menu, "branch_left").disabled = isElse || !branch.previousElementSibling;
  item(menu, "branch_right").disabled = isElse || next.classList.contains("flow-branch--else");
  for (const act of ["copy", "copy_branch"]) item(menu, act).disabled = isElse;
  item(menu, "fold").querySelector("span").textContent = "folded" in branch.dataset ? "Unfold" : "Fold";
  item(menu, "remove_branch").disabled = isElse || branch.parentElement.children.length < 3;
  item(menu, "transfer").disabled = isElse;
  item(menu, "transfer").hidden = !otherSplits(branch).length;
  refuseHeld(menu, branch.dataset.held, ["remove_branch", "transfer"]);
  item(menu, "branch_exits").hidden = exits;
  item(menu, "branch_joins").hidden = !exits;
}
