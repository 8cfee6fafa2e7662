// When a card comes again: SM-2 with four grades.
const DAY = 86_400_000; // ms
const HARDEST = 1.3;
const LONGEST = 36_500; // days

export const GRADES = ["again", "hard", "good", "easy"];
// What a grade does to the ease of a card, and to the days until it comes again.
const EASE = { again: -0.2, hard: -0.15, good: 0, easy: 0.15 };
const STEPS = { hard: [1, 3], good: [1, 6], easy: [4, 9] };
const FACTOR = { hard: () => 1.2, good: (ease) => ease, easy: (ease) => ease * 1.3 };

export function isDue(card, now = Date.now()) {
  return card.next_review_time <= now;
}

// The card after it was reviewed. One that was not known comes again at once.
export function reviewed(card, grade, now = Date.now()) {
  const ease = Math.max(HARDEST, card.ease_factor + EASE[grade]);
  const seen = { ...card, ease_factor: ease, last_reviewed_at: now };
  if (grade === "again") return { ...seen, repetitions: 0, interval: 1, next_review_time: now };
  const days = STEPS[grade][card.repetitions] ?? Math.round(card.interval * FACTOR[grade](card.ease_factor));
  const interval = Math.min(Math.max(days, 1), LONGEST);
  return { ...seen, repetitions: card.repetitions + 1, interval, next_review_time: now + interval * DAY };
}
