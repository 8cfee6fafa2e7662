// KaTeX with its style sheet and its fonts.
import katex from "katex";
import "katex/contrib/mhchem";
import css from "katex/dist/katex.min.css";

const FONT_FACE = /@font-face\{[^}]*\}/g;
const fonts = new CSSStyleSheet();
fonts.replaceSync(css.match(FONT_FACE).join("").replace(/url\(/g, `url(${new URL("./", import.meta.url)}`));
// A shadow tree cannot declare fonts.
document.adoptedStyleSheets.push(fonts);

export const styles = new CSSStyleSheet();
styles.replaceSync(css.replace(FONT_FACE, ""));

export { katex };
