// What a person reads in an element: formulas in ⟨…⟩ or, set apart, in ⟪…⟫, with ✗ where they are not typeset.
(root) => {
  const BLOCKS = "p, div, li, h3, h4, h5, h6, blockquote, ul, ol, table";
  const oneLine = (text) => text.replace(/\s+/g, " ");
  function read(node) {
    const isAfterBreak = node.previousSibling?.nodeName === "BR";
    if (node.nodeType === Node.TEXT_NODE) return oneLine(isAfterBreak ? node.data.trimStart() : node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches(".code-header, .katex-html")) return "";
    if (node.matches(".formula")) {
      const source = oneLine(node.dataset.source ?? node.textContent);
      if (!node.querySelector(".katex math, slot")) return `✗${source}`;
      return node.matches(".display") ? `⟪${source}⟫` : `⟨${source}⟩`;
    }
    if (node.matches("pre")) {
      const code = node.querySelector("code");
      return `\n\`\`\`${code.dataset.language ?? ""}\n${code.textContent.trimEnd()}\n\`\`\`\n`;
    }
    if (node.matches("br")) return "\n";
    if (node.matches("tr")) return `\n${[...node.children].map(read).join(" | ")}\n`;
    const inner = [...node.childNodes].map(read).join("");
    if (node.matches("code")) return `\`${inner}\``;
    if (node.matches("strong")) return `<b>${inner}</b>`;
    if (node.matches("em")) return `<i>${inner}</i>`;
    if (node.matches("li")) return `\n- ${inner.trim()}\n`;
    return node.matches(BLOCKS) ? `\n${inner}\n` : inner;
  }
  return read(root).split("\n").map((line) => line.trimEnd()).filter((line) => line.trim()).join("\n");
}
