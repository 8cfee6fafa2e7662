// Requests and a page that is being left. The browser may be on its way to sign the person out: an answer that comes
// before the page has gone would be a refusal, and the browser writes it into the console.
const LONG = 5000; // ms after which a page that is still here stays: the link was a download, or the person changed their mind

const reading = new Set();
let stays; // while the page is being left: resolves when it stays after all

addEventListener("beforeunload", () => {
  stays ??= new Promise((resolve) => setTimeout(resolve, LONG)).then(() => {
    stays = undefined;
  });
  for (const request of reading) request.abort();
});

// Like fetch(), but nothing is sent while the page is being left. A request that only reads (`isRead`) is given up then,
// and sent again if the page stays.
export async function send(address, options, isRead) {
  for (;;) {
    await stays;
    const request = new AbortController();
    if (isRead) reading.add(request);
    try {
      return await fetch(address, { ...options, signal: AbortSignal.any([options.signal, request.signal]) });
    } catch (error) {
      if (!request.signal.aborted || options.signal.aborted) throw error;
    } finally {
      reading.delete(request);
    }
  }
}
