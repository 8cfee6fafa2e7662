// Functions to create and update DOM nodes.
export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export function button(label, onClick, className = "", icon = undefined) {
  const node = element("button", { type: "button", className, part: "button" });
  if (icon) node.append(icon);
  node.append(label);
  node.addEventListener("click", () => onClick());
  return node;
}

// A button that shows only an icon. The label is its accessible name and its tooltip.
export function iconButton(label, onClick, icon, className = "") {
  const node = button("", onClick, `icon-button ${className}`, icon);
  node.ariaLabel = label;
  node.title = label;
  return node;
}

// Ignore the second click of a double click: it was meant for the button that this one has just replaced.
export function ignoreSecondClick(node) {
  node.addEventListener("click", (event) => {
    if (event.detail < 2) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true });
  return node;
}

// Replace the content of `node` by a message and, where `onClick` is given, a button. The direction is found from the
// text: messages from the server may be in another language than the page.
export function showMessage(node, message, label, onClick, icon) {
  node.replaceChildren(element("p", { textContent: message, dir: "auto" }),
    ...(onClick ? [button(label, onClick, "", icon)] : []));
}

// Unlike `disabled`, `aria-disabled` leaves the keyboard focus on a button. Its click handler checks isAriaDisabled().
export function setAriaDisabled(node, isDisabled) {
  node.ariaDisabled = String(isDisabled);
}

export function isAriaDisabled(node) {
  return node.ariaDisabled === "true";
}

const idPrefix = Math.random().toString(36).slice(2); // modules that are loaded later have their own copy of this file
let idCount = 0;

// An id for ARIA attributes that refer to another element, and for slots.
export function uniqueId() {
  idCount += 1;
  return `ai-${idPrefix}-${idCount}`;
}

const markups = new WeakMap(); // of nodes before `finish` has changed them

// Replace the children of `parent` by `nodes`, after `finish(node)`. Children that were made of equal nodes stay, which
// preserves a selection.
export function reconcileChildren(parent, nodes, finish) {
  const old = [...parent.childNodes];
  nodes.forEach((node, index) => {
    const markup = node.outerHTML ?? node.data;
    if (old[index] && markups.get(old[index]) === markup) return;
    markups.set(node, markup);
    finish(node);
    if (old[index]) old[index].replaceWith(node);
    else parent.append(node);
  });
  for (const surplus of old.slice(nodes.length)) surplus.remove();
}

// Resolves after `ms` milliseconds; rejects as soon as `signal` is aborted.
export function delay(ms, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return void abort();
    setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}
