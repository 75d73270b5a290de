/* Selecting whole rows and columns of the matrix; without it each box is ticked by itself. */
"use strict";

const table = document.querySelector(".agreements");
if (table) {
    const pairs = () => [...table.querySelectorAll('input[name="pair"]')];
    const status = document.querySelector("[data-selected]");
    const showCount = () => {
        const number = pairs().filter((box) => box.checked).length;
        if (status) status.textContent = number === 1 ? "1 selected pair:" : `${number} selected pairs:`;
    };
    for (const head of table.querySelectorAll("th input")) {
        head.hidden = false;
        head.addEventListener("change", () => {
            const theirs = "row" in head.dataset
                ? head.closest("tr").querySelectorAll('input[name="pair"]')
                : table.querySelectorAll(`td[data-column="${head.dataset.column}"] input`);
            for (const box of theirs) box.checked = head.checked;
            showCount();
        });
    }
    table.addEventListener("change", showCount);
    showCount();
}
