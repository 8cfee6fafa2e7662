// A button that copies an answer, where the browser has a clipboard API.
import { iconButton } from "./dom.js";
import { icon } from "./icons.js";

const CONFIRMATION_MS = 2000; // for how long the check mark shows

export function copyButton({ i18n, announcer }, getText, label = i18n.t("copy")) {
  const node = iconButton(label, async () => {
    try {
      await navigator.clipboard.writeText(getText());
    } catch {
      // The page's policy forbids it. The text can still be selected.
      node.hidden = true;
      return;
    }
    announcer.announce(i18n.t("copied"));
    node.replaceChildren(icon("check"));
    setTimeout(() => node.replaceChildren(icon("copy")), CONFIRMATION_MS);
  }, icon("copy"), "tertiary");
  node.hidden = !navigator.clipboard;
  return node;
}
