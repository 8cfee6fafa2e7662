// Offers a question about the text that the learner selects on the page, outside of the widgets.
import { button, element } from "./dom.js";
import { icon } from "./icons.js";
import rules from "./selection.css";

const DELAY_MS = 300; // until a selection that still changes is taken as complete
const MIN_CHARS = 8;
const MAX_CHARS = 2000; // as on the server
const GAP_PX = 6;
const styles = new CSSStyleSheet();
styles.replaceSync(rules);

// `ask` is called with the selected passage.
export function offerQuestion({ host, signal }, label, ask) {
  host.shadowRoot.adoptedStyleSheets.push(styles);
  const offer = element("div", { className: "selection-offer", popover: "manual" },
    button(label, () => {
      const passage = selectedPassage();
      hide();
      document.getSelection().removeAllRanges();
      if (passage) ask(passage);
    }, "primary", icon("chat")));
  // A press on the button must not end the selection.
  offer.addEventListener("pointerdown", (event) => event.preventDefault());
  offer.addEventListener("mousedown", (event) => event.preventDefault());
  host.shadowRoot.append(offer);
  let timer;

  function hide() {
    if (offer.matches(":popover-open")) offer.hidePopover();
  }

  function show() {
    if (!selectedPassage()) return;
    const lines = document.getSelection().getRangeAt(0).getClientRects();
    const last = lines[lines.length - 1];
    if (!last) return;
    offer.showPopover();
    const { width, height } = offer.getBoundingClientRect();
    const hasRoom = last.bottom + GAP_PX + height <= innerHeight;
    offer.style.top = `${hasRoom ? last.bottom + GAP_PX : Math.max(last.top - GAP_PX - height, 0)}px`;
    offer.style.left = `${Math.max(Math.min(last.right - width / 2, innerWidth - width - GAP_PX), GAP_PX)}px`;
  }

  const update = () => {
    clearTimeout(timer);
    hide();
    timer = setTimeout(show, DELAY_MS);
  };
  document.addEventListener("selectionchange", update, { signal });
  addEventListener("scroll", hide, { capture: true, passive: true, signal });
  addEventListener("keydown", ({ key }) => key === "Escape" && hide(), { signal });
  update();
}

// The selected text; empty if it is too short or too long, or in a field or a widget.
function selectedPassage() {
  const selection = document.getSelection();
  const passage = selection.toString().trim();
  const { anchorNode, focusNode } = selection;
  const isOnPage = [anchorNode, focusNode].every((node) => node?.nodeType === Node.TEXT_NODE
    || (node?.nodeType === Node.ELEMENT_NODE && !node.closest("openedx-ai-widget, input, textarea")));
  return isOnPage && passage.length >= MIN_CHARS && passage.length <= MAX_CHARS ? passage : "";
}
