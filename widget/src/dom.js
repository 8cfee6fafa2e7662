// The little that all forms need to make elements.
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export function button(label, action, className = "", icon = undefined) {
  const made = element("button", { type: "button", className, part: "button" });
  if (icon) made.append(icon);
  made.append(label);
  made.addEventListener("click", () => action());
  return made;
}

// A button that shows a picture only; its name is for ears and for the mouse that rests on it.
export function iconButton(label, action, icon, className = "") {
  const made = button("", action, `icon ${className}`, icon);
  made.ariaLabel = label;
  made.title = label;
  return made;
}

// Words in place of what `node` held, and maybe a button that offers a way on. The server's words may be in another
// language than the page.
export function remark(node, words, label, action, icon) {
  node.replaceChildren(element("p", { textContent: words, dir: "auto" }), ...(action ? [button(label, action, "", icon)] : []));
}

// A button that can't be pressed now but keeps the focus.
export function inert(made, isInert) {
  made.ariaDisabled = String(isInert);
}

export function isInert(made) {
  return made.ariaDisabled === "true";
}

let count = 0;

// An id of its own, for what refers to another element.
export function uniqueId() {
  count += 1;
  return `ai-${count}`;
}

// Make the children of `parent` equal to `nodes`, leaving alone what is equal already: what people select stays so.
export function patch(parent, nodes) {
  const old = [...parent.childNodes];
  nodes.forEach((node, place) => {
    if (!old[place]) parent.append(node);
    else if (!old[place].isEqualNode(node)) old[place].replaceWith(node);
  });
  for (const rest of old.slice(nodes.length)) rest.remove();
}

// Resolves after a time, and rejects at once when `signal` says that nobody waits any more.
export function pause(time, signal) {
  return new Promise((resolve, reject) => {
    const give = () => reject(signal.reason);
    if (signal.aborted) return void give();
    setTimeout(() => {
      signal.removeEventListener("abort", give);
      resolve();
    }, time);
    signal.addEventListener("abort", give, { once: true });
  });
}
