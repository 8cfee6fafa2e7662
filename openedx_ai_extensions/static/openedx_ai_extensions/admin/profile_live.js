// Asks the server, while somebody types, what a save would say, and shows the answer. A save judges again.
"use strict";

{
  const PAUSE = 500; // milliseconds without a key

  const begin = (form, panel) => {
    const byId = (name) => document.getElementById(`aiext-${name}`);
    const summary = byId("summary");
    let timer = 0;
    let asked = null;

    // Said again only when it differs: a screen reader speaks at each change.
    const say = (element, text) => {
      if (element && element.textContent !== text) {
        element.textContent = text;
      }
    };

    // The server escapes what people wrote.
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

    const ask = async () => {
      asked?.abort();
      const mine = new AbortController();
      asked = mine;
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
        await window.aiextReleased();
        if (asked !== mine) {
          return;
        }
        for (const name of ["findings", "difference", "template"]) {
          show(name, answer[name]);
        }
        say(summary, answer.summary);
        say(byId("change"), answer.change ?? "");
      } catch (error) {
        if (error.name === "AbortError") {
          return;
        }
        say(summary, panel.dataset.failed);
      }
      if (asked === mine) {
        panel.removeAttribute("aria-busy");
      }
    };

    const soon = () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(ask, PAUSE);
    };

    for (const name of ["slug", "base_filepath", "content_patch"]) {
      form.elements.namedItem(name)?.addEventListener("input", soon);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const panel = document.getElementById("aiext-validation");
    const form = document.querySelector("textarea[name=content_patch]")?.form;
    if (panel && form) {
      begin(form, panel);
    }
  });
}
