// Emphasis beside Chinese, Japanese and Korean, which have no spaces between words. In 他说**你好。**然后 the second ** ends
// nothing for CommonMark, as it is between a punctuation mark and a letter.
import { attention } from "micromark-core-commonmark";
import { classifyCharacter } from "micromark-util-classify-character";

const ASTERISK = 42;
const SPACE = 1;
const PUNCTUATION = 2;
const CJK = 3;
const CJK_CHARACTER =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Bopomofo}\u3000-\u303f\uff00-\uffef]/u;

// Sequences of * that CommonMark does not let open or close, but their neighbours do.
const cjkAttention = {
  ...attention,
  tokenize(effects, ok) {
    const before = classify(this.previous);
    return attention.tokenize.call(this, effects, (code) => {
      const [, token] = this.events.at(-1);
      const after = classify(code);
      token._open ||= after !== SPACE && (after !== PUNCTUATION || before !== undefined);
      token._close ||= before !== SPACE && (before !== PUNCTUATION || after !== undefined);
      return ok(code);
    });
  },
};

function classify(code) {
  const kind = classifyCharacter(code);
  return kind !== SPACE && CJK_CHARACTER.test(String.fromCharCode(code)) ? CJK : kind;
}

export const cjkEmphasis = { text: { [ASTERISK]: cjkAttention } };
