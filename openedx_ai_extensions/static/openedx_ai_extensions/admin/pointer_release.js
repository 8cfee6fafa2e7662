// A button that moves between press and release gets no click. Scripts await the release before they change the page.
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
        // After the click, which follows the release.
        window.setTimeout(() => resolvers.splice(0).forEach((resolve) => resolve()));
      },
      true,
    );
  }

  window.aiextPointerReleased = () =>
    isPressed ? new Promise((resolve) => resolvers.push(resolve)) : Promise.resolve();
}
