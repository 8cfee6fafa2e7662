// Typesets the formulas in the elements of a page that have the attribute data-formulas: "text" for texts of models and
// people, "course" for course content, where only what the LMS typesets is a formula.
for (const kind of ["text", "course"]) {
  const elements = [...document.querySelectorAll(`[data-formulas="${kind}"]`)];
  if (elements.some((each) => /[\\$]|\[mathjax/.test(each.textContent))) {
    const { typesetPage } = await import("./widget-formulas.js");
    await typesetPage(elements, { isCourse: kind === "course" });
  }
}
