/* What the menus of steps and branches offer, from where the step or branch is. */
import { refuseHeld } from "./held.js";

const item = (menu, act) => menu.querySelector(`[data-act="${act}"]`);

export function fillStepMenu(menu, step) {
  const steps = [...step.parentElement.children].filter((element) => element.classList.contains("flow-step"));
  item(menu, "move_up").disabled = steps[0] === step;
  item(menu, "move_down").disabled = steps.at(-1) === step;
  item(menu, "add_branch").hidden = !step.querySelector(":scope > .flow-branches");
  for (const act of ["move", "cut", "remove"]) item(menu, act).disabled = false;
  refuseHeld(menu, step.querySelector(":scope > .flow-card").dataset.held, ["move_up", "move_down", "move", "cut", "remove"]);
}

export function fillBranchMenu(menu, branch) {
  const isElse = branch.classList.contains("flow-branch--else");
  const exits = branch.classList.contains("flow-branch--exits");
  const next = branch.nextElementSibling;
  item(menu, "branch_left").disabled = isElse || !branch.previousElementSibling;
  item(menu, "branch_right").disabled = isElse || next.classList.contains("flow-branch--else");
  item(menu, "copy_branch").disabled = isElse;
  item(menu, "remove_branch").disabled = isElse || branch.parentElement.children.length < 3;
  refuseHeld(menu, branch.dataset.held, ["remove_branch"]);
  item(menu, "branch_exits").hidden = exits;
  item(menu, "branch_joins").hidden = !exits;
}
