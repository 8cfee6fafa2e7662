// Whether the widget is light or dark: as the page around it, which need not be what the person prefers. The widget
// inherits the page's `color-scheme`; a background of the page that says otherwise counts more.
const MIN_ALPHA = 0.5; // what is more transparent is not a background
const MAX_DARK_LIGHTNESS = 0.5;

// Follow the page until `signal` is aborted. `styleSheet` is one of the element's shadow root, for this rule alone.
export function followColourScheme(host, styleSheet, signal) {
  let rule;
  const update = () => {
    const scheme = schemeBehind(host);
    const next = scheme ? `:host { color-scheme: ${scheme}; }` : "";
    if (next !== rule) styleSheet.replaceSync(rule = next);
  };
  update();
  // Pages change their theme by an attribute of the root or the body, or with the person's preference. Style sheets may
  // arrive late, and colours may change gradually.
  const observer = new MutationObserver(update);
  for (const node of [document.documentElement, document.body]) observer.observe(node, { attributes: true });
  signal.addEventListener("abort", () => observer.disconnect());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update, { signal });
  addEventListener("load", update, { signal });
  document.addEventListener("transitionend", ({ propertyName, target }) => {
    if (propertyName === "background-color" && target.contains(host)) update();
  }, { signal });
}

// "light" or "dark" by the nearest background, undefined without one.
function schemeBehind(host) {
  for (let node = host; node; node = node.assignedSlot ?? node.parentElement ?? node.getRootNode().host) {
    const [lightness, alpha] = lightnessOf(getComputedStyle(node).backgroundColor);
    if (alpha > MIN_ALPHA) return lightness < MAX_DARK_LIGHTNESS ? "dark" : "light";
  }
  return undefined;
}

// Lightness and alpha of a computed colour, both from 0 to 1: rgb(), color(), lab(), lch(), oklab() or oklch().
function lightnessOf(colour) {
  const [one, two, three, alpha = 1] = colour.match(/(?<![\w.])[\d.]+(?:e-\d+)?/g)?.map(Number) ?? [0, 0, 0, 0];
  if (/^(lab|lch)/.test(colour)) return [one / 100, alpha];
  if (colour.startsWith("ok")) return [one, alpha];
  return [(0.2126 * one + 0.7152 * two + 0.0722 * three) / (colour.startsWith("rgb") ? 255 : 1), alpha];
}
