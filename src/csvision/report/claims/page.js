"use strict";

// Each cell knows its place when its column is sorted, so that no text has to be understood here.
for (const table of document.querySelectorAll("table.sortable")) {
  const headers = [...table.tHead.rows[0].cells];
  headers.forEach((header, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...header.childNodes);
    header.append(button);
    button.addEventListener("click", () => {
      const descending = header.getAttribute("aria-sort") === "ascending";
      headers.forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const place = (row) => Number(row.cells[column].dataset.rank);
      const sign = descending ? -1 : 1;
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort((one, two) => sign * (place(one) - place(two))));
    });
  });
}

// Paper has nothing to click.
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((details) => (details.open = true));
});
