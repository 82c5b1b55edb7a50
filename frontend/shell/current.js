/* Rows of links that scroll sideways on a phone begin where the reader is. */
const ROWS = ".rail-nav, .settings-nav, .tabs";

for (const current of document.querySelectorAll(`:is(${ROWS}) [aria-current]`)) {
  const row = current.closest(ROWS);
  const [here, all] = [current.getBoundingClientRect(), row.getBoundingClientRect()];
  if (here.left < all.left || here.right > all.right) row.scrollLeft += here.left - all.left - (all.width - here.width) / 2;
}
