// Line numbers beside the patch, and buttons that lead from a problem to its position. Without this script, the patch is
// a plain field.
"use strict";

{
  // One number for each line. The text does not wrap, so the numbers are beside their lines.
  const numberLines = (editor, gutter) => {
    const lines = editor.value.split("\n").length;
    if (gutter.childElementCount !== lines) {
      gutter.replaceChildren(
        ...Array.from({ length: lines }, (_unused, index) => {
          const number = document.createElement("span");
          number.textContent = String(index + 1);
          return number;
        }),
      );
    }
    gutter.scrollTop = editor.scrollTop;
  };

  const addGutter = (editor) => {
    const frame = document.createElement("div");
    const gutter = document.createElement("div");
    frame.className = "aiext-editor";
    // The patch is left-to-right in every language. The numbers are hidden from screen readers: messages contain them.
    frame.dir = "ltr";
    gutter.className = "aiext-gutter";
    gutter.setAttribute("aria-hidden", "true");
    editor.before(frame);
    frame.append(gutter, editor);
    editor.wrap = "off";
    const update = () => numberLines(editor, gutter);
    editor.addEventListener("input", update);
    editor.addEventListener("scroll", update);
    update();
  };

  const offsetOf = (text, line, column) => {
    const before = text.split("\n").slice(0, line - 1);
    return before.reduce((sum, each) => sum + each.length + 1, 0) + column - 1;
  };

  const goTo = (editor, line, column) => {
    const start = Math.min(offsetOf(editor.value, line, column), editor.value.length);
    const lineEnd = editor.value.indexOf("\n", start);
    const height = Number.parseFloat(getComputedStyle(editor).lineHeight) || 16;
    editor.focus();
    editor.setSelectionRange(start, lineEnd < 0 ? editor.value.length : lineEnd);
    editor.scrollTop = Math.max(0, (line - 4) * height);
    editor.scrollIntoView({ block: "nearest" });
  };

  // Positions become buttons.
  const linkPlaces = (editor, root) => {
    for (const place of root.querySelectorAll("span[data-line]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "aiext-place";
      button.textContent = place.textContent;
      button.addEventListener("click", () => goTo(editor, Number(place.dataset.line), Number(place.dataset.column)));
      place.replaceWith(button);
    }
  };

  document.addEventListener("DOMContentLoaded", () => {
    const editor = document.querySelector("textarea[name=content_patch]");
    const findings = document.getElementById("aiext-findings");
    if (!editor || !findings) {
      return;
    }
    addGutter(editor);
    linkPlaces(editor, findings);
    new MutationObserver(() => linkPlaces(editor, findings)).observe(findings, { childList: true });
  });
}
