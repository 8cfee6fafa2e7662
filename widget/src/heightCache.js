// Remembers the height of each slot for the session, and reserves it while the form loads: the page then does not shift.
import { element } from "./dom.js";

const DEFAULT_HEIGHT_PX = 78; // of a closed form
const NARROW_PX = 600; // below this width, texts wrap and forms are higher

export class HeightCache {
  constructor({ uiSlotSelectorId, locationId }) {
    this.key = `openedx-ai-widget:${innerWidth < NARROW_PX ? "narrow" : "wide"}:${uiSlotSelectorId}:${locationId}`;
  }

  // An element of the remembered height; none for a slot that was empty.
  placeholder() {
    const height = this.#read();
    if (height === 0) return [];
    const node = element("div", { className: "placeholder", ariaHidden: "true" });
    node.style.blockSize = `${height}px`;
    return [node];
  }

  store(node) {
    try {
      sessionStorage.setItem(this.key, Math.round(node.getBoundingClientRect().height));
    } catch {
      // The browser forbids storage, so the default height is used.
    }
  }

  #read() {
    try {
      const stored = sessionStorage.getItem(this.key);
      return stored === null ? DEFAULT_HEIGHT_PX : Number(stored);
    } catch {
      return DEFAULT_HEIGHT_PX;
    }
  }
}
