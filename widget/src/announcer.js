// Live regions for screen readers. An answer is announced once it is complete, in pieces of a listenable length, and not
// word by word as it streams in.
import { element } from "./dom.js";
import { texOf } from "./formulas.js";
import { markdown } from "./markdown.js";

const MAX_PIECE_CHARS = 400; // about half a minute of speech; longer paragraphs are split into sentences

export class Announcer {
  constructor() {
    this.status = element("p", { className: "sr-only", role: "status" });
    this.log = element("div", { className: "sr-only", role: "log", ariaLive: "polite" });
    this.nodes = [this.status, this.log];
  }

  announce(message) {
    this.status.textContent = message;
  }

  // Announce what a run is doing, unless that was announced last: a model may start to think several times.
  announceProgress(message) {
    if (this.status.textContent !== message) this.announce(message);
  }

  // Announce an answer and, after it, the notice on how it was cut off.
  announceAnswer(text, speaker, notice = "") {
    this.status.textContent = "";
    const pieces = splitForSpeech([...markdown(text).map(spokenText), notice]);
    this.log.replaceChildren(...pieces.map((piece, index) =>
      element("p", { textContent: index === 0 ? `${speaker}: ${piece}` : piece })));
  }

  clear() {
    this.status.textContent = "";
    this.log.replaceChildren();
  }
}

// Formulas are spoken without their delimiters.
function spokenText(node) {
  for (const formula of node.querySelectorAll?.(".formula") ?? []) formula.textContent = texOf(formula.textContent);
  return node.textContent;
}

// Split long texts into sentences, and join short neighbours.
function splitForSpeech(texts) {
  return texts.filter((text) => text.trim())
    .flatMap((text) => (text.length > MAX_PIECE_CHARS ? text.match(/[^.!?。؟]+[.!?。؟]*\s*/g) ?? [text] : [text]))
    .reduce((pieces, text) => {
      const last = pieces.at(-1);
      if (last && last.length + text.length < MAX_PIECE_CHARS / 2) pieces.splice(-1, 1, `${last} ${text}`);
      else pieces.push(text.trim());
      return pieces;
    }, []);
}
