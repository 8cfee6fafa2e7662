// Validates the profile on the server while it is typed, and shows the result. A save validates again.
"use strict";

{
  const PAUSE_MS = 500; // without a key press

  const start = (form, panel) => {
    const byId = (name) => document.getElementById(`aiext-${name}`);
    const summary = byId("summary");
    let timer = 0;
    let current = null; // the request under way

    // Only if it differs, because screen readers announce each change.
    const setText = (element, text) => {
      if (element && element.textContent !== text) {
        element.textContent = text;
      }
    };

    // The server has escaped the texts of users.
    const show = (name, html) => {
      const element = byId(name);
      if (element && html !== undefined && element.dataset.shown !== html) {
        const wasOpen = element.querySelector("details")?.open;
        element.innerHTML = html;
        element.dataset.shown = html;
        const details = element.querySelector("details");
        if (details && wasOpen) {
          details.open = true;
        }
      }
    };

    const validate = async () => {
      current?.abort();
      const mine = new AbortController();
      current = mine;
      panel.setAttribute("aria-busy", "true");
      try {
        const response = await fetch(panel.dataset.url, {
          method: "POST",
          body: new FormData(form),
          signal: mine.signal,
          credentials: "same-origin",
          headers: { Accept: "application/json" },
        });
        if (!response.ok) {
          throw new Error(String(response.status));
        }
        const answer = await response.json();
        await window.aiextPointerReleased();
        if (current !== mine) {
          return;
        }
        for (const name of ["findings", "difference", "template"]) {
          show(name, answer[name]);
        }
        setText(summary, answer.summary);
        setText(byId("change"), answer.change ?? "");
      } catch (error) {
        if (error.name === "AbortError") {
          return;
        }
        setText(summary, panel.dataset.failed);
      }
      if (current === mine) {
        panel.removeAttribute("aria-busy");
      }
    };

    const soon = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(validate, PAUSE_MS);
    };

    for (const name of ["slug", "base_filepath", "content_patch"]) {
      form.elements.namedItem(name)?.addEventListener("input", soon);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const panel = document.getElementById("aiext-validation");
    const form = document.querySelector("textarea[name=content_patch]")?.form;
    if (panel && form) {
      start(form, panel);
    }
  });
}
