"use strict";

// Each cell has its rank in data-rank, so that no text has to be parsed here.
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
      // Statements of a claim are no longer next to each other: each shows the claim's title.
      table.classList.toggle("reordered", column > 0 || descending);
      const rank = (row) => Number(row.cells[column].dataset.rank);
      const direction = descending ? -1 : 1;
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort((one, two) => direction * (rank(one) - rank(two))));
    });
  });
}

// Folded commands are printed too.
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach((details) => (details.open = true));
});
