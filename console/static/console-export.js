/* Shows how far a file is that a form asked for. The file itself goes from the hub to the disk: no script
   ever holds it, and without one it comes all the same. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const every = 700;
    const patience = 30;
    for (const form of document.querySelectorAll("form[data-progress]")) {
        const bar = form.querySelector("progress");
        const words = bar.previousElementSibling;
        const over = form.querySelector("[role=status]");
        const button = form.querySelector("button[type=submit]");
        const end = (sentence) => {
            over.textContent = sentence;
            bar.closest("p").hidden = true;
            button.disabled = false;
        };
        const ask = async (address, silent) => {
            let told = {};
            try {
                told = await (await fetch(address, {
                    credentials: "same-origin", headers: { "X-Console-Refresh": "1" },
                })).json();
            } catch { /* The next answer may come. */ }
            if (told.is_over) return end(told.words);
            if (silent > patience) return end("How far it is cannot be told. The browser shows whether the file comes.");
            if (told.words) {
                words.textContent = told.words;
                bar.value = told.share;
            }
            setTimeout(ask, every, address, told.words ? 0 : silent + 1);
        };
        form.addEventListener("submit", () => {
            const bytes = crypto.getRandomValues(new Uint8Array(16));
            const name = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
            form.elements.job.value = name;
            over.textContent = "";
            bar.value = 0;
            bar.closest("p").hidden = false;
            setTimeout(() => { button.disabled = true; });
            setTimeout(ask, every, `${form.dataset.progress}?job=${name}`, 0);
        });
    }
});
