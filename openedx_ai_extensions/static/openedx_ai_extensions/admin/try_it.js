// Tries a workflow without leaving the page: the answer appears as it arrives, and can be stopped.
"use strict";

{
  const byId = (name) => document.getElementById(`aiext-${name}`);

  const begin = (form) => {
    const words = form.dataset;
    const button = form.querySelector("[name=try]");
    const stop = byId("stop");
    let asked = null;
    let isPlain = false; // the form goes to the server as it would without this script

    const say = (text) => {
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
      say(words.failed.replace("{message}", message));
    };

    const show = {
      // The server escapes what people and models wrote.
      notes: ({ html }) => { byId("notes").innerHTML = html; },
      sent: ({ html }) => { byId("sent").innerHTML = html; },
      answer: ({ html }) => { byId("structured").innerHTML = html; },
      figures: ({ html }) => { byId("figures").innerHTML = html; },
      delta: ({ text }) => {
        if (!byId("answer").hasChildNodes()) {
          say(words.arriving);
        }
        byId("answer").append(text);
      },
      tool: ({ name, state }) => {
        const line = document.createElement("li");
        line.textContent = words.tool.replace("{name}", name).replace("{state}", state);
        byId("tools").append(line);
      },
      done: () => say(words.done),
      error: ({ code, message }) => fail(`${message} (${code})`),
    };

    const run = async () => {
      const mine = new AbortController();
      asked = mine;
      clear();
      say(words.asking);
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
          // Something in the form is wrong: nothing ran, and the page says what it is.
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
          say(words.stopped);
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
        asked = null;
      }
    };

    form.addEventListener("submit", (event) => {
      if (isPlain || event.submitter !== button) {
        return;
      }
      event.preventDefault();
      run();
    });
    stop.addEventListener("click", () => asked?.abort());
  };

  document.addEventListener("DOMContentLoaded", () => {
    const form = byId("try");
    if (form && window.TextDecoderStream) {
      begin(form);
    }
  });
}
