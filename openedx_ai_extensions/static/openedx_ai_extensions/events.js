// Events of a stream (WHATWG HTML, section 9.2), as ours is written: one name, one line of JSON.
"use strict";

globalThis.aiextEventsOf = async function* (body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const found = /^event: (\w+)\ndata: (.*)$/.exec(block);
      if (found) {
        yield [found[1], JSON.parse(found[2])];
      }
    }
  }
};
