// Enhancements only: every page works without this file.
"use strict";
// A choice made with a pointer is shown at once. Whoever goes through a list by keyboard passes choices that are not meant: they press Show.
let pointed = false;
addEventListener("pointerdown", () => (pointed = true), true);
addEventListener("keydown", () => (pointed = false), true);
const FOCUS = "focus-after-filter";
document.querySelectorAll("form.filters").forEach((form, which) => {
  form.addEventListener("change", (event) => {
    if (pointed && event.target.matches("select, [type=checkbox], [type=radio]")) form.requestSubmit();
  });
  // The reader goes on where they were.
  form.addEventListener("submit", () => {
    const at = [...form.elements].indexOf(document.activeElement);
    sessionStorage.setItem(FOCUS, JSON.stringify([location.pathname, which, at]));
  });
});
const [path, which, at] = JSON.parse(sessionStorage.getItem(FOCUS) ?? "[]");
sessionStorage.removeItem(FOCUS);
if (path && path === location.pathname) document.querySelectorAll("form.filters")[which]?.elements[at]?.focus({ preventScroll: true });
// The menu of a narrow screen closes when the focus leaves it, and when there is room for all of it.
const menu = document.querySelector("#menu[popover]");
if (menu?.hidePopover) {
  const close = () => menu.matches(":popover-open") && menu.hidePopover();
  menu.addEventListener("focusout", ({ relatedTarget: to }) => to && !menu.parentNode.contains(to) && close());
  matchMedia("(max-width: 40rem)").addEventListener("change", close);
}
// Long pages are folded on a narrow screen, but for what the address leads to, and whole on paper.
const folds = [...document.querySelectorAll("details.fold")];
const led = () => {
  const target = document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (const one of folds) if (one.contains(target) || one.parentNode === target) one.open = true;
  target.scrollIntoView();
};
if (folds.length) {
  if (matchMedia("(max-width: 40rem)").matches) for (const one of folds) one.open = false;
  led();
  addEventListener("hashchange", led);
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = folds.filter((one) => !one.open);
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
}
// What takes long says so, and is not sent twice.
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => {
    if (form.getAttribute("aria-busy") === "true") {
      event.preventDefault();
      return;
    }
    form.setAttribute("aria-busy", "true");
    const said = document.createElement("p");
    said.setAttribute("role", "status");
    said.className = "quiet";
    said.append(`${form.dataset.busy} \u2026`, document.createElement("br"), document.createElement("progress"));
    said.querySelector("progress").setAttribute("aria-label", form.dataset.busy);
    form.append(said);
  });
}
// A page that comes back as it was left is not under way any more.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll("form[aria-busy]")) {
    form.removeAttribute("aria-busy");
    form.querySelector("[role=status]")?.remove();
  }
});
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
// A chart as PNG, twice as fine as on the page, drawn by the browser from the file beside it.
for (const link of document.querySelectorAll("a.picture")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "png";
  button.textContent = "PNG";
  link.after(" ", button);
  button.addEventListener("click", () => {
    const picture = new Image();
    picture.addEventListener("load", () => {
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [picture.naturalWidth * 2, picture.naturalHeight * 2];
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((blob) => {
        const file = document.createElement("a");
        const { pathname, searchParams } = new URL(link.href);
        const parts = [pathname.split("/").pop().replace(/\.svg$/, ""), ...searchParams.values()];
        file.download = `${parts.join("-")}.png`;
        file.href = URL.createObjectURL(blob);
        file.click();
        URL.revokeObjectURL(file.href);
      }, "image/png");
    });
    picture.src = link.href;
  });
}
// The search of a page narrows its table while it is typed; the address is asked when it is done.
for (const search of document.querySelectorAll("input[data-filters]")) {
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const group of document.querySelectorAll(`.${search.dataset.filters} tbody`)) {
      const rows = [...group.querySelectorAll("tr:not(.group, .registered)")];
      // What the statement says and the title does not is found by the server alone.
      for (const row of rows) row.classList.toggle("maybe", !words.every((word) => row.cells[0].textContent.toLowerCase().includes(word)));
    }
  });
}
// What is under way is looked at again until it has ended; whoever would rather read in peace stops that. The page itself stays: somebody may
// be filling in one of its forms.
const AGAIN = 3000;
for (const box of document.querySelectorAll("[data-under-way]")) {
  const line = box.querySelector(".again");
  const button = document.createElement("button");
  button.type = "button";
  line.append(button);
  let timer = 0;
  const end = (words) => {
    timer = 0;
    button.remove();
    // What was under way says so no more, nor how far it had come.
    box.removeAttribute("aria-labelledby");
    for (const said of box.querySelectorAll("h2, .as-it-stands")) said.remove();
    line.prepend(words);
  };
  const look = async () => {
    const read = (answer) => (answer.ok ? answer.text() : "");
    // Nothing while the service is away for a moment.
    const text = await fetch(location.href, { headers: { accept: "text/html" } }).then(read).catch(() => null);
    if (!timer) return;
    if (text === "") {
      end("It is not shown any more.");
      return;
    }
    if (text !== null) {
      const now = new DOMParser().parseFromString(text, "text/html").querySelector("[data-under-way] .as-it-stands");
      if (!now) {
        end("It has ended.");
        return;
      }
      box.querySelector(".as-it-stands").replaceWith(now);
    }
    timer = setTimeout(look, AGAIN);
  };
  const set = (going) => {
    clearTimeout(timer);
    timer = going ? setTimeout(look, AGAIN) : 0;
    button.textContent = going ? "Stop updating" : "Go on updating";
  };
  button.addEventListener("click", () => set(!timer));
  set(true);
}
// A table by centre that is wider than a sheet is printed in parts, each with the columns that say what a row is.
const ON_A_SHEET = 12;
addEventListener("beforeprint", () => {
  for (const whole of document.querySelectorAll("table[data-lead]:not(.split)")) {
    const lead = Number(whole.dataset.lead);
    const columns = whole.tHead.rows[0].cells.length;
    const parts = Math.ceil((columns - lead) / ON_A_SHEET);
    if (parts < 2) continue;
    const size = Math.ceil((columns - lead) / parts);
    for (let from = lead; from < columns; from += size) {
      const part = whole.cloneNode(true);
      part.classList.add("split");
      for (const row of part.rows) {
        // The name of a group goes over all columns.
        if (row.cells.length === 1) row.cells[0].colSpan = lead + size;
        else [...row.cells].forEach((cell, at) => at >= lead && (at < from || at >= from + size) && cell.remove());
      }
      whole.parentNode.append(part);
    }
    whole.hidden = true;
  }
});
addEventListener("afterprint", () => {
  for (const part of document.querySelectorAll("table.split")) part.remove();
  for (const whole of document.querySelectorAll("table[data-lead]")) whole.hidden = false;
});
