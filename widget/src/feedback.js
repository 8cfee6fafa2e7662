// Offers feedback on answers, where the template asks for it. What it takes is loaded with the first finished answer.
import { lazy } from "./typeset.js";

const withFeedback = lazy(() => import("./widget-feedback.js"));

// Let the person rate the answer of a run, with buttons in `row`, in place of those for an earlier answer. `given`: what
// the person has said about it before. Without a run, such as for a greeting, there is nothing to rate.
export function offerFeedback(context, row, runId, given) {
  row.querySelectorAll(".feedback").forEach((node) => node.remove());
  if (context.asksFeedback && runId) withFeedback(({ Feedback }) => new Feedback(context, row, runId, given));
}

// Show the notes of the staff that the person has not read yet at the end of `node`.
export function showNotes(context, node, notes) {
  withFeedback(({ Note }) => notes.forEach((note) => node.append(new Note(context, note).node)));
}
