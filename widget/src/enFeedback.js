// The texts of feedback on answers in English: see en.js.
export const enFeedback = {
  feedback: {
    title: "Feedback on this answer",
    up: "Helpful",
    down: "Not helpful",
    report: "Report this answer",
    why: "What is wrong with it?",
    reason: "Reason",
    noReason: "Choose, if you like",
    reasons: {
      wrong: "It is wrong",
      not_helpful: "It does not help me",
      unclear: "It is hard to understand",
      offensive: "It is offensive or harmful",
      other: "Something else",
    },
    text: "In your own words (optional)",
    readers: "The staff of the course and of the site can read this.",
    thanks: "Thank you for your feedback.",
    reported: "The answer is reported. Thank you.",
    withdrawn: "Your rating is withdrawn.",
    reply: "A reply to your feedback",
  },
};
