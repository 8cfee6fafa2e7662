// How tall this slot was when it was last seen, so that the page does not move when it comes again.
import { element } from "./dom.js";

const USUAL = 78; // px, of a form that is not open

export class Seen {
  constructor({ place }) {
    this.key = `openedx-ai-widget:${innerWidth < 600 ? "narrow" : "wide"}:${place.uiSlotSelectorId}:${place.locationId}`;
  }

  // The room that is kept free while the server is asked: none where there was nothing.
  placeholder() {
    const height = this.recall();
    if (height === 0) return [];
    const made = element("div", { className: "placeholder", ariaHidden: "true" });
    made.style.blockSize = `${height}px`;
    return [made];
  }

  // A browser may forbid to store anything.
  remember(host) {
    try {
      sessionStorage.setItem(this.key, Math.round(host.getBoundingClientRect().height));
    } catch {
      // Then the usual height has to do.
    }
  }

  recall() {
    try {
      const stored = sessionStorage.getItem(this.key);
      return stored === null ? USUAL : Number(stored);
    } catch {
      return USUAL;
    }
  }
}
