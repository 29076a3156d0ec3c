// Partial dates: 2026, 2026-03 or 2026-03-07 as text, and the days they stand for.

const DAY = 86_400_000;

/** What a person typed, as an ISO date where it can only mean one; otherwise as typed. */
export function normalised(text) {
  const typed = text.trim().replace(/[/.]/g, "-");
  const compact = typed.match(/^(\d{4})(\d{2})(\d{2})$/);
  const parts = compact ? compact.slice(1) : typed.match(/^(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?$/)?.slice(1);
  if (!parts) return text.trim();
  return parts.filter(Boolean).map((part, i) => (i ? part.padStart(2, "0") : part)).join("-");
}

/** First and last day (in days since 1970) of a date or partial date; null when it is none. */
export function days(text) {
  const match = typeof text === "string" && text.match(/^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?$/);
  if (!match) return null;
  const [year, month, day] = match.slice(1).map((part) => part && Number(part));
  const at = (y, m, d) => Math.round(Date.UTC(y, m - 1, d) / DAY);
  if (!month) return [at(year, 1, 1), at(year, 12, 31)];
  if (month < 1 || month > 12) return null;
  const last = new Date(Date.UTC(year, month, 0)).getUTCDate();
  if (!day) return [at(year, month, 1), at(year, month, last)];
  return day <= last && day >= 1 ? [at(year, month, day), at(year, month, day)] : null;
}

/** What is wrong with a date as typed, in words; empty when nothing is. */
export function fault(text, partial) {
  const found = days(text);
  if (!found) return partial ? "Not a date: write 2026-03-07, 2026-03 or 2026." : "Not a date: write 2026-03-07.";
  return !partial && text.length < 10 ? "The exact day is needed here: 2026-03-07." : "";
}

/** Today, by this computer's calendar. */
export function today() {
  const now = new Date();
  return Math.round(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate()) / DAY);
}
