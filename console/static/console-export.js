/* Shows how far a file is that a form asked for. The file itself goes from the hub to the disk: no script
   ever holds it, and without one it comes all the same. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const every = 700;
    const mostSilent = 30;
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
            let progress = {};
            try {
                progress = await (await fetch(address, {
                    credentials: "same-origin", headers: { "X-Console-Refresh": "1" },
                })).json();
            } catch { /* The next answer may come. */ }
            if (progress.is_over) return end(progress.words);
            if (silent > mostSilent) return end("How far it is cannot be shown. The browser shows whether the file comes.");
            if (progress.words) {
                words.textContent = progress.words;
                bar.value = progress.share;
            }
            setTimeout(ask, every, address, progress.words ? 0 : silent + 1);
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
