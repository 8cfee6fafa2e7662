// A button that copies an answer, where the browser lets it.
import { iconButton } from "./dom.js";
import { icon } from "./icons.js";

const SHOWN = 2000; // ms

export function copyButton({ texts, announcer }, text) {
  const made = iconButton(texts.say("copy"), async () => {
    try {
      await navigator.clipboard.writeText(text());
    } catch {
      // The page's policy forbids it: the text can still be selected.
      made.hidden = true;
      return;
    }
    announcer.say(texts.say("copied"));
    made.replaceChildren(icon("check"));
    setTimeout(() => made.replaceChildren(icon("copy")), SHOWN);
  }, icon("copy"), "quiet");
  made.hidden = !navigator.clipboard;
  return made;
}
