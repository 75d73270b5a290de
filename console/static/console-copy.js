/* Copies the text of the <pre> that follows a button, or stands beside it. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll(".hub-copy")) {
        const text = button.nextElementSibling ?? button.parentElement.nextElementSibling;
        button.hidden = !navigator.clipboard;
        button.addEventListener("click", async () => {
            await navigator.clipboard.writeText(text.textContent);
            button.textContent = "Copied";
            setTimeout(() => { button.textContent = "Copy"; }, 2000);
        });
    }
});
