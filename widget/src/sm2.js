// Spaced repetition of flashcards: the SM-2 algorithm with four grades.

const DAY_MS = 86_400_000;
const MIN_EASE = 1.3; // as in SM-2; with less, a card would come back too often
const MAX_INTERVAL_DAYS = 36_500; // 100 years, far below the greatest that the server accepts

export const GRADES = ["again", "hard", "good", "easy"];
// What a grade adds to the ease factor of a card.
const EASE_CHANGE = { again: -0.2, hard: -0.15, good: 0, easy: 0.15 };
// The first two intervals, in days. Later ones multiply the one before.
const FIRST_INTERVALS = { hard: [1, 3], good: [2, 6], easy: [4, 9] };
const INTERVAL_FACTOR = { hard: () => 1.2, good: (ease) => ease, easy: (ease) => ease * 1.3 };

export function isDue(card, now = Date.now()) {
  return card.next_review_time <= now;
}

// The card after a review. With the grade "again" it is due at once.
export function reviewed(card, grade, now = Date.now()) {
  const ease = Math.max(MIN_EASE, card.ease_factor + EASE_CHANGE[grade]);
  const updated = { ...card, ease_factor: ease, last_reviewed_at: now };
  if (grade === "again") return { ...updated, repetitions: 0, interval: 1, next_review_time: now };
  const interval = Math.min(intervalDays(card, grade), MAX_INTERVAL_DAYS);
  return { ...updated, repetitions: card.repetitions + 1, interval, next_review_time: now + interval * DAY_MS };
}

// In days: longer, the better the card was known.
function intervalDays(card, grade) {
  const days = FIRST_INTERVALS[grade][card.repetitions]
    ?? Math.round(card.interval * INTERVAL_FACTOR[grade](card.ease_factor));
  const worse = GRADES[GRADES.indexOf(grade) - 1];
  return Math.max(days, worse === "again" ? 1 : intervalDays(card, worse) + 1);
}
