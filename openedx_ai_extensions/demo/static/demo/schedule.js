// When a card comes again: SM-2, with "known" for its good grades and "again" for its bad ones.
const DAY = 86_400_000; // ms
const HARDEST = 1.3;

export function isDue(card, now = Date.now()) {
  return card.next_review_time <= now;
}

// The card after it was reviewed.
export function reviewed(card, isKnown, now = Date.now()) {
  const seen = { ...card, last_reviewed_at: now };
  if (!isKnown) {
    const ease = Math.max(HARDEST, card.ease_factor - 0.2);
    return { ...seen, repetitions: 0, interval: 1, ease_factor: ease, next_review_time: now };
  }
  const days = [1, 6][card.repetitions] ?? Math.min(Math.round(card.interval * card.ease_factor), 36_500);
  return { ...seen, repetitions: card.repetitions + 1, interval: days, next_review_time: now + days * DAY };
}
