// The answer appears as it arrives, and can be stopped. Without this script the form is sent as any other.
"use strict";

{
  const byId = (name) => document.getElementById(name);

  const enhance = (form) => {
    const words = form.dataset;
    const ask = byId("ask");
    const stop = byId("stop");
    let asked = null;

    const say = (text) => {
      byId("status").textContent = text;
    };

    const fail = (message) => {
      byId("error").textContent = message;
      byId("error").hidden = false;
      say("");
    };

    const clear = () => {
      for (const name of ["error", "tools", "answer", "usage"]) {
        byId(name).replaceChildren();
      }
      byId("error").hidden = true;
      byId("outcome").hidden = false;
      say(words.asking);
    };

    const show = {
      delta: ({ text }) => {
        if (text && !byId("answer").hasChildNodes()) {
          say(words.arriving);
        }
        byId("answer").append(text);
      },
      tool: ({ name }) => {
        const line = document.createElement("li");
        line.textContent = words.tool.replace("{name}", name);
        byId("tools").append(line);
      },
      usage: ({ text }) => {
        byId("usage").textContent = text;
      },
      done: () => say(words.done),
      error: ({ message }) => fail(message),
    };

    const run = async (signal) => {
      const response = await fetch(form.action, {
        method: "POST",
        body: new FormData(form),
        signal,
        credentials: "same-origin",
        headers: { Accept: "text/event-stream" },
      });
      if (!(response.headers.get("Content-Type") ?? "").startsWith("text/event-stream")) {
        form.submit(); // something in it is wrong: nothing ran, and the page says what it is
        return;
      }
      let isOver = false;
      for await (const [name, data] of aiextEventsOf(response.body)) {
        show[name]?.(data);
        isOver ||= name === "done" || name === "error";
      }
      if (!isOver) {
        fail(words.lost);
      }
    };

    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (asked) {
        return;
      }
      asked = new AbortController();
      clear();
      stop.hidden = false;
      ask.disabled = true;
      stop.focus();
      try {
        await run(asked.signal);
      } catch (error) {
        if (error.name === "AbortError") {
          say(words.stopped);
        } else {
          fail(words.lost);
        }
      } finally {
        const hadFocus = document.activeElement === stop;
        asked = null;
        stop.hidden = true;
        ask.disabled = false;
        if (hadFocus) {
          ask.focus();
        }
      }
    });
    stop.addEventListener("click", () => asked?.abort());
  };

  const form = byId("try");
  if (form && window.TextDecoderStream) {
    enhance(form);
  }
}
