// Runs a workflow without leaving the page. The answer appears as it arrives, and can be stopped.
"use strict";

{
  const byId = (name) => document.getElementById(`aiext-${name}`);

  const start = (form) => {
    const words = form.dataset;
    const button = form.querySelector("[name=try]");
    const stop = byId("stop");
    let current = null; // the request under way
    let isPlain = false; // send the form as without this script

    const setStatus = (text) => {
      byId("status").textContent = text;
    };

    const clear = () => {
      for (const name of ["notes", "answer", "tools", "structured", "figures", "sent", "error"]) {
        byId(name).replaceChildren();
      }
      byId("error").hidden = true;
      byId("outcome").hidden = false;
    };

    const fail = (message) => {
      const error = byId("error");
      error.textContent = message;
      error.hidden = false;
      setStatus(words.failed.replace("{message}", message));
    };

    const show = {
      // The server has escaped the texts of users and models.
      notes: ({ html }) => { byId("notes").innerHTML = html; },
      sent: ({ html }) => { byId("sent").innerHTML = html; },
      answer: ({ html }) => { byId("structured").innerHTML = html; },
      figures: ({ html }) => { byId("figures").innerHTML = html; },
      delta: ({ text }) => {
        if (!byId("answer").hasChildNodes()) {
          setStatus(words.arriving);
        }
        byId("answer").append(text);
      },
      tool: ({ name, state }) => {
        const line = document.createElement("li");
        line.textContent = words.tool.replace("{name}", name).replace("{state}", state);
        byId("tools").append(line);
      },
      done: () => setStatus(words.done),
      error: ({ code, message }) => fail(`${message} (${code})`),
    };

    const run = async () => {
      const mine = new AbortController();
      current = mine;
      clear();
      setStatus(words.asking);
      stop.hidden = false;
      button.disabled = true;
      stop.focus();
      const data = new FormData(form);
      data.set("try", "1");
      let isOver = false;
      try {
        const response = await fetch(form.action || window.location.href, {
          method: "POST",
          body: data,
          signal: mine.signal,
          credentials: "same-origin",
          headers: { Accept: "text/event-stream" },
        });
        if (!(response.headers.get("Content-Type") || "").startsWith("text/event-stream")) {
          // The form is invalid and nothing ran. The page shows the errors.
          isPlain = true;
          button.disabled = false;
          form.requestSubmit(button);
          return;
        }
        for await (const [name, event] of aiextEventsOf(response.body)) {
          show[name]?.(event);
          isOver = isOver || name === "done" || name === "error";
        }
        if (!isOver) {
          fail(words.lost);
        }
      } catch (error) {
        if (error.name === "AbortError") {
          setStatus(words.stopped);
        } else {
          fail(words.lost);
        }
      } finally {
        const hadFocus = document.activeElement === stop;
        stop.hidden = true;
        button.disabled = false;
        if (hadFocus) {
          button.focus();
        }
        current = null;
      }
    };

    form.addEventListener("submit", (event) => {
      if (isPlain || event.submitter !== button) {
        return;
      }
      event.preventDefault();
      run();
    });
    stop.addEventListener("click", () => current?.abort());
  };

  document.addEventListener("DOMContentLoaded", () => {
    const form = byId("try");
    if (form && window.TextDecoderStream) {
      start(form);
    }
  });
}
