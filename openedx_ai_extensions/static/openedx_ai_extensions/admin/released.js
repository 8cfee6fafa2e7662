// A button that moves between press and release loses the click: whoever changes the page by itself awaits this before.
"use strict";

{
  let isPressed = false;
  const resolvers = [];

  window.addEventListener("pointerdown", () => (isPressed = true), true);
  for (const name of ["pointerup", "pointercancel"]) {
    window.addEventListener(
      name,
      () => {
        isPressed = false;
        // The click comes after the release.
        window.setTimeout(() => resolvers.splice(0).forEach((resolve) => resolve()));
      },
      true,
    );
  }

  window.aiextReleased = () =>
    isPressed ? new Promise((resolve) => resolvers.push(resolve)) : Promise.resolve();
}
