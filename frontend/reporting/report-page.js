/* The Reports tab: a choice of the period shows it at once, and the page prints. Without script there is a button. */
for (const field of document.querySelectorAll("[data-submits]")) {
  field.addEventListener("change", () => {
    if (field.value === "custom") {
      document.querySelector(".report-days input")?.focus();
      return;
    }
    field.form.requestSubmit();
  });
}
for (const field of document.querySelectorAll(".report-days input")) {
  field.addEventListener("change", () => { field.form.elements.period.value = "custom"; });
}
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
