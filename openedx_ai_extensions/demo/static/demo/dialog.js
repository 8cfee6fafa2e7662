// A question before something is lost.
import { element, texts } from "./api.js";

let count = 0;

// Ask within `parent`; resolves to whether the answer was yes. The focus goes back to where it was.
export function confirmed(parent, words, yes, no = texts.keepThem) {
  count += 1;
  const question = element("p", { textContent: words, id: `ai-confirm-${count}` });
  const dialog = element("dialog", {}, element("form", { method: "dialog" }, question,
    element("div", { className: "ai-row" },
      element("button", { value: "", className: "plain", textContent: no, autofocus: true }),
      element("button", { value: "yes", textContent: yes }))));
  dialog.setAttribute("aria-labelledby", question.id);
  parent.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
