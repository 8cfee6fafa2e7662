// Holds requests back while the page unloads. The unload may be a sign-out: a response that still arrives would be an
// authentication error, which the browser logs to the console.

// After this time a page that still exists stays: the link was a download, or the person cancelled.
const STAYS_AFTER_MS = 5000;

const pendingReads = new Set();
let untilStays; // while the page unloads: a promise that resolves if it stays after all

addEventListener("beforeunload", () => {
  untilStays ??= new Promise((resolve) => setTimeout(resolve, STAYS_AFTER_MS)).then(() => {
    untilStays = undefined;
  });
  for (const controller of pendingReads) controller.abort();
});

// fetch(), but nothing is sent while the page unloads. A read-only request under way is aborted when the unload starts,
// and repeated if the page stays.
export async function fetchUnlessUnloading(url, options, isReadOnly) {
  for (;;) {
    await untilStays;
    const controller = new AbortController();
    if (isReadOnly) pendingReads.add(controller);
    try {
      return await fetch(url, { ...options, signal: AbortSignal.any([options.signal, controller.signal]) });
    } catch (error) {
      if (!controller.signal.aborted || options.signal.aborted) throw error;
    } finally {
      pendingReads.delete(controller);
    }
  }
}
