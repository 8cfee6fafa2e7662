// What only ears get. A status is said when it changes; an answer is said once it is complete, in pieces that can be
// listened to, and not every word as it streams in.
import { element } from "./dom.js";
import { markdown } from "./markdown.js";

const LONG = 400; // characters

export class Announcer {
  constructor() {
    this.status = element("p", { className: "unseen", role: "status" });
    this.log = element("div", { className: "unseen", role: "log", ariaLive: "polite" });
    this.nodes = [this.status, this.log];
  }

  say(words) {
    this.status.textContent = words;
  }

  // Say what a run is doing now. The same words are not said twice in a row: a model may begin to think again.
  working(words) {
    if (this.status.textContent !== words) this.say(words);
  }

  // Say an answer, and after it how it ended, if that is to be said.
  read(text, who, ending = "") {
    this.status.textContent = "";
    const pieces = piecesOf([...markdown(text).map((node) => node.textContent), ending]);
    this.log.replaceChildren(...pieces.map((words, place) =>
      element("p", { textContent: place === 0 ? `${who}: ${words}` : words })));
  }

  quiet() {
    this.status.textContent = "";
    this.log.replaceChildren();
  }
}

// A paragraph or a list each, and sentences of what is very long.
function piecesOf(texts) {
  return texts.filter((text) => text.trim())
    .flatMap((text) => (text.length > LONG ? text.match(/[^.!?。؟]+[.!?。؟]*\s*/g) ?? [text] : [text]))
    .reduce((pieces, text) => {
      const last = pieces.at(-1);
      if (last && last.length + text.length < LONG / 2) pieces.splice(-1, 1, `${last} ${text}`);
      else pieces.push(text.trim());
      return pieces;
    }, []);
}
