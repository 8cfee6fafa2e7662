// Modal dialogs that are answered with yes or no.
import { element, uniqueId } from "./dom.js";

// Ask a question; resolves to whether the answer was yes. `labels`: {yes, no}. The dialog returns the focus.
export function confirmInDialog(parent, question, labels) {
  const text = element("p", { textContent: question, id: uniqueId() });
  const dialog = element("dialog", { className: "modal" }, element("form", { method: "dialog" }, text,
    element("div", { className: "row end" },
      element("button", { value: "", textContent: labels.no, autofocus: true }),
      element("button", { value: "yes", className: "primary", textContent: labels.yes }))));
  dialog.setAttribute("aria-labelledby", text.id);
  return showUntilClosed(parent, dialog);
}

// Show a dialog; once closed, resolves to whether its button with the value "yes" was pressed.
export function showUntilClosed(parent, dialog) {
  parent.append(dialog);
  // Or the Escape key would close the chat's drawer, too.
  dialog.addEventListener("keydown", (event) => event.key === "Escape" && event.stopPropagation());
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}
