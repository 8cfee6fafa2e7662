// Tries the location pattern while it is typed. Without this script the button opens the same answer as a page.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const trial = document.getElementById("aiext-trial");
  const pattern = document.getElementById("id_location_regex");
  const course = document.getElementById("id_course_id");
  if (!trial || !pattern || !course) {
    return;
  }
  const summary = document.getElementById("aiext-trial-summary");
  const result = document.getElementById("aiext-trial-result");
  const button = trial.querySelector("button");
  let timer = 0;
  let asked = null;

  const list = (title, places, isOpen) => {
    const details = document.createElement("details");
    details.open = isOpen;
    const head = document.createElement("summary");
    head.textContent = `${title} (${places.length})`;
    const items = document.createElement("ul");
    items.className = "aiext-places";
    items.tabIndex = 0;
    items.setAttribute("aria-label", title);
    for (const place of places) {
      const item = document.createElement("li");
      const name = document.createElement("b");
      name.textContent = place.name;
      const key = document.createElement("code");
      key.textContent = place.key;
      item.append(`${place.category}: `, name, " ", key);
      items.append(item);
    }
    details.append(head, items);
    return details;
  };

  const show = async () => {
    // The answer to what was typed before is of no use any more.
    asked?.abort();
    const mine = (asked = new AbortController());
    const query = new URLSearchParams({format: "json", course_id: course.value, location_regex: pattern.value});
    summary.textContent = trial.dataset.trying;
    try {
      const response = await fetch(`${trial.dataset.url}?${query}`, {signal: mine.signal, credentials: "same-origin"});
      if (!response.ok) {
        throw new Error(String(response.status));
      }
      const answer = await response.json();
      await window.aiextReleased();
      if (asked !== mine) {
        return;
      }
      summary.textContent = answer.summary;
      result.replaceChildren(
        ...(answer.error
          ? []
          : [list(trial.dataset.matching, answer.matching, true), list(trial.dataset.others, answer.others, false)]),
      );
    } catch (error) {
      if (error.name !== "AbortError") {
        summary.textContent = trial.dataset.failed;
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
