// Enhancements only: every page works without this file.
"use strict";
for (const form of document.querySelectorAll("form.filters")) {
  form.addEventListener("change", () => form.requestSubmit());
}
for (const table of document.querySelectorAll("table.sortable")) {
  const head = table.tHead && table.tHead.rows[0];
  const body = table.tBodies[0];
  if (!head || !body) continue;
  [...head.cells].forEach((cell, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = cell.textContent;
    cell.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = cell.getAttribute("aria-sort") !== "ascending";
      for (const other of head.cells) other.removeAttribute("aria-sort");
      cell.setAttribute("aria-sort", down ? "ascending" : "descending");
      const value = (row) => row.cells[column].textContent.trim();
      // Centres are A, B, .. Z, AA.
      const centre = (text) => (/^Centre [A-Z]+$/.test(text) ? text.length : NaN);
      const number = (text) => (/^-?[\d.,]+/.test(text) ? parseFloat(text.replace(",", "")) : NaN);
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        const lettered = centre(x) - centre(y);
        const [m, n] = lettered ? [centre(x), centre(y)] : [number(x), number(y)];
        const order = !Number.isNaN(m) && !Number.isNaN(n) ? m - n : x.localeCompare(y, "en", { numeric: true });
        return down ? order : -order;
      });
      body.append(...rows);
    });
  });
}
// What scrolls sideways can be scrolled by the keyboard, in browsers that do not see to it themselves too.
const scrolls = (box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight;
const watch = new ResizeObserver((changes) => {
  for (const { target } of changes) {
    if (!scrolls(target) || target.hasAttribute("tabindex")) continue;
    const heading = target.closest("details")?.querySelector("summary") ?? target.closest("section, main")?.querySelector("h2, h1");
    target.tabIndex = 0;
    target.setAttribute("role", "group");
    target.setAttribute("aria-label", heading ? heading.textContent.trim() : document.title);
  }
});
for (const box of document.querySelectorAll(".scroll, pre, figure")) watch.observe(box);
