/* Asks again and again for the part of a page that changes by itself, until it is complete. What the
   reader opened stays open, and the focus stays where it is. */
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const every = 2500;
    for (const part of document.querySelectorAll("[data-refresh]")) {
        const summary = document.querySelector("[data-refresh-summary]");
        let last = "";
        const show = (html) => {
            const open = [...part.querySelectorAll("details[open]")].map((each) => each.id);
            const focus = part.contains(document.activeElement) ? document.activeElement.id : "";
            part.innerHTML = html;
            for (const id of open) document.getElementById(id)?.setAttribute("open", "");
            if (focus) document.getElementById(focus)?.focus();
            const words = part.querySelector("[data-summary]")?.dataset.summary ?? "";
            if (summary && summary.textContent !== words) summary.textContent = words;
        };
        const again = async () => {
            if (!document.hidden) {
                try {
                    const answer = await fetch(part.dataset.refresh, {
                        credentials: "same-origin", headers: { "X-Console-Refresh": "1" },
                    });
                    if (!answer.ok || answer.redirected) throw new Error();
                    const html = await answer.text();
                    if (html !== last) show(html);
                    last = html;
                } catch {
                    if (summary) summary.textContent = "This list could not be brought up to date: look again.";
                }
            }
            if (!part.querySelector("[data-complete]")) setTimeout(again, every);
        };
        if (!part.querySelector("[data-complete]")) setTimeout(again, every);
    }
});
