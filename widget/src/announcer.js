// What only ears get. A status is said when it changes; an answer is said once it is complete, in pieces that can be
// listened to, and not every word as it streams in.
import { element } from "./dom.js";

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

  // `node` is the answer as it is shown.
  read(node, who = "") {
    this.status.textContent = "";
    const pieces = piecesOf(node);
    this.log.replaceChildren(...pieces.map((words, place) =>
      element("p", { textContent: place === 0 && who ? `${who}: ${words}` : words })));
  }

  quiet() {
    this.status.textContent = "";
    this.log.replaceChildren();
  }
}

// A paragraph or a list each, and sentences of what is very long.
function piecesOf(node) {
  const blocks = node.children.length ? [...node.children] : [node];
  return blocks.map((block) => block.innerText || block.textContent).filter((text) => text.trim())
    .flatMap((text) => (text.length > LONG ? text.match(/[^.!?。؟]+[.!?。؟]*\s*/g) ?? [text] : [text]))
    .reduce((pieces, text) => {
      const last = pieces.at(-1);
      if (last && last.length + text.length < LONG / 2) pieces.splice(-1, 1, `${last} ${text}`);
      else pieces.push(text.trim());
      return pieces;
    }, []);
}
