// Icons of 24 by 24, drawn in the colour of the surrounding text.
const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  sparkle: "M11 3.5 12.9 9 18.5 11 12.9 13 11 18.5 9.1 13 3.5 11 9.1 9ZM18.5 14.5 19.5 17.5 22 18.5 "
    + "19.5 19.5 18.5 22.5 17.5 19.5 15 18.5 17.5 17.500Z",
  chat: "M4 5h16v11H9.500L5.5 19.500V16H4Z",
  close: "M6 6 18 18M18 6 6 18",
  copy: "M9 9h10v11H9ZM15 9V4H5v11h4",
  check: "M5 12.5 10 17.5 19 7",
  again: "M19.5 12a7.5 7.5 0 1 1-2.2-5.300L20 9.300M20 4v5.300h-5.3",
  send: "M12 19V5M5.5 11.5 12 5l6.5 6.5",
  stop: "M7 7h10v10H7Z",
  cards: "M4 8h12v12H4ZM8 8V4h12v12h-4",
  quiz: "M5 4h14v16H5ZM8.5 9h7M8.5 13h7M8.5 17h4",
};
const FILLED = new Set(["sparkle", "stop"]);

// `d` is for an icon of its own.
export function icon(name, d = PATHS[name]) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", d);
  svg.append(path);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", FILLED.has(name) ? "icon filled" : "icon");
  svg.setAttribute("aria-hidden", "true");
  return svg;
}
