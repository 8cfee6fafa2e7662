// Tests the location pattern while it is typed. Without this script, the button opens the result as a page.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const panel = document.getElementById("aiext-pattern");
  const pattern = document.getElementById("id_location_regex");
  const course = document.getElementById("id_course_id");
  if (!panel || !pattern || !course) {
    return;
  }
  const summary = document.getElementById("aiext-pattern-summary");
  const result = document.getElementById("aiext-pattern-result");
  const button = panel.querySelector("button");
  let timer = 0;
  let current = null; // the request under way

  const list = (title, locations, isOpen) => {
    const details = document.createElement("details");
    details.open = isOpen;
    const head = document.createElement("summary");
    head.textContent = `${title} (${locations.length})`;
    const items = document.createElement("ul");
    items.className = "aiext-locations";
    items.tabIndex = 0;
    items.setAttribute("aria-label", title);
    for (const location of locations) {
      const item = document.createElement("li");
      const name = document.createElement("b");
      name.textContent = location.name;
      const key = document.createElement("code");
      key.textContent = location.key;
      item.append(`${location.category}: `, name, " ", key);
      items.append(item);
    }
    details.append(head, items);
    return details;
  };

  const show = async () => {
    current?.abort();
    const mine = (current = new AbortController());
    const query = new URLSearchParams({format: "json", course_id: course.value, location_regex: pattern.value});
    summary.textContent = panel.dataset.testing;
    try {
      const response = await fetch(`${panel.dataset.url}?${query}`, {signal: mine.signal, credentials: "same-origin"});
      if (!response.ok) {
        throw new Error(String(response.status));
      }
      const answer = await response.json();
      await window.aiextPointerReleased();
      if (current !== mine) {
        return;
      }
      summary.textContent = answer.summary;
      result.replaceChildren(
        ...(answer.error
          ? []
          : [list(panel.dataset.matching, answer.matching, true), list(panel.dataset.others, answer.others, false)]),
      );
    } catch (error) {
      if (error.name !== "AbortError") {
        summary.textContent = panel.dataset.failed;
        result.replaceChildren();
      }
    }
  };

  const later = () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(show, 400);
  };
  pattern.addEventListener("input", later);
  course.addEventListener("input", later);
  button.addEventListener("click", (event) => {
    event.preventDefault();
    show();
  });
});
