// Docks a panel at the side of the page: the page gets narrower, so that the panel covers nothing of it. A handle changes
// the width. Width and whether the panel is open are remembered in this browser.
import { element } from "./dom.js";

const MIN_PX = 300;
const MIN_PAGE_PX = 360;
const STEP_PX = 20; // of the arrow keys
const WIDTH_KEY = "openedx-ai-drawer-width";
const OPEN_KEY = "openedx-ai-drawer:";
const page = document.documentElement.style;

export class Dock {
  // `place` identifies the panel. `signal` undocks it.
  constructor(panel, label, place, signal) {
    Object.assign(this, { panel, openKey: OPEN_KEY + place });
    this.handle = element("div", { className: "handle", role: "separator", tabIndex: 0, ariaOrientation: "vertical",
      ariaLabel: label, ariaValueMin: MIN_PX });
    this.handle.addEventListener("pointerdown", ({ pointerId }) => this.handle.setPointerCapture(pointerId));
    this.handle.addEventListener("pointermove", ({ pointerId, clientX }) => {
      if (!this.handle.hasPointerCapture(pointerId)) return;
      this.#resize(this.#isLeft ? clientX : document.documentElement.clientWidth - clientX);
    });
    this.handle.addEventListener("keydown", (event) => {
      const outwards = this.#isLeft ? -STEP_PX : STEP_PX;
      const width = { ArrowLeft: this.width + outwards, ArrowRight: this.width - outwards, Home: MIN_PX,
        End: this.#max }[event.key];
      if (width === undefined) return;
      event.preventDefault();
      this.#resize(width);
    });
    addEventListener("resize", () => this.isDocked && this.#apply(), { signal });
    signal.addEventListener("abort", () => this.undock());
  }

  // Whether the panel was open when this place was left.
  get wasOpen() {
    return read(this.openKey) !== null;
  }

  remember(isOpen) {
    write(this.openKey, isOpen ? "1" : null);
  }

  dock() {
    this.isDocked = true;
    this.#holdPage(this.#isLeft ? "marginLeft" : "marginRight");
    this.width = Number(read(WIDTH_KEY)) || this.panel.offsetWidth;
    this.#apply();
  }

  // For a panel that covers the page: what is behind it does not scroll.
  cover() {
    this.#holdPage("overflow");
    page.overflow = "hidden";
  }

  // The page is as before `dock` or `cover`.
  undock() {
    if (!this.held) return;
    this.isDocked = false;
    this.panel.style.inlineSize = "";
    page[this.held] = this.before;
    this.held = "";
  }

  // Keep the page's own value of a style, for `undock`.
  #holdPage(property) {
    this.held = property;
    this.before = page[property];
  }

  get #isLeft() {
    return getComputedStyle(this.panel).direction === "rtl";
  }

  get #max() {
    return Math.max(MIN_PX, innerWidth - MIN_PAGE_PX);
  }

  #resize(width) {
    this.width = width;
    this.#apply();
    write(WIDTH_KEY, this.width);
  }

  #apply() {
    this.width = Math.round(Math.min(Math.max(this.width, MIN_PX), this.#max));
    this.handle.ariaValueNow = this.width;
    this.handle.ariaValueMax = this.#max;
    this.panel.style.inlineSize = `${this.width}px`;
    // None under 700 px, at once: the event that undocks there may come later.
    page[this.held] = `clamp(0px, (100vw - 699px) * 999, ${this.width}px)`;
  }
}

function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // the browser forbids storage
  }
}

function write(key, value) {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // The browser forbids storage, so nothing is remembered.
  }
}
