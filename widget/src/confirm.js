// A question before something is lost.
import { element, uniqueId } from "./dom.js";

// Ask within `parent`; resolves to whether the answer was yes. The focus goes back to where it was.
export function confirmed(parent, question, { yes, no }) {
  const words = element("p", { textContent: question, id: uniqueId() });
  const dialog = element("dialog", { className: "question" }, element("form", { method: "dialog" }, words,
    element("div", { className: "row end" },
      element("button", { value: "", textContent: no, autofocus: true }),
      element("button", { value: "yes", className: "main", textContent: yes }))));
  dialog.setAttribute("aria-labelledby", words.id);
  return answered(parent, dialog);
}

// Show a dialog until it is closed; resolves to whether with a yes.
export function answered(parent, dialog) {
  parent.append(dialog);
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
