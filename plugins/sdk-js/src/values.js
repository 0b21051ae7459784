// Dates, times and amounts: how data files and back ends write them.

const MINUTES_PER_DAY = 24 * 60;

/** Reads "2026-05-05"; undefined unless it is a day of the calendar. */
export function parseDate(text) {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (parts === null) return undefined;
  const [year, month, day] = parts.slice(1).map(Number);
  return day >= 1 && day <= daysIn(month, year) ? { year, month, day } : undefined;
}

/** Reads "08:30". */
export function parseTime(text) {
  const parts = /^(\d{2}):(\d{2})$/.exec(text);
  if (parts === null) return undefined;
  const [hour, minute] = parts.slice(1).map(Number);
  return hour < 24 && minute < 60 ? { hour, minute } : undefined;
}

/** So many minutes since midnight. */
export const minutesOf = (time) => time.hour * 60 + time.minute;

/** From 0 for Monday to 6 for Sunday. */
export function weekday(date) {
  return (((dayNumber(date) + 1) % 7) + 7) % 7;
}

/** Days from one to another; below zero where the other lies before. */
export const daysBetween = (from, to) => dayNumber(to) - dayNumber(from);

/** The day after. */
export function nextDay({ year, month, day }) {
  if (day < daysIn(month, year)) return { year, month, day: day + 1 };
  return month === 12 ? { year: year + 1, month: 1, day: 1 } : { year, month: month + 1, day: 1 };
}

/** So many minutes later, by the same offset from UTC. */
export function inMinutes(moment, minutes) {
  const total = minutesOf(moment.time) + minutes;
  let { date } = moment;
  for (let days = Math.floor(total / MINUTES_PER_DAY); days > 0; days -= 1) date = nextDay(date);
  const ofDay = total % MINUTES_PER_DAY;
  return { ...moment, date, time: { hour: Math.floor(ofDay / 60), minute: ofDay % 60 } };
}

/** So many kopecks. */
export const kopecks = (minorUnits) => ({ minorUnits, currency: "RUB" });

/** An amount of rubles as lists write it: "1234", "1234.5", "1 234,56". */
export function parseRubles(text) {
  const parts = /^(\d+)(?:[.,](\d{0,2}))?$/.exec(text.replace(/\s/gu, ""));
  if (parts === null) return undefined;
  const minorUnits = Number(parts[1]) * 100 + Number((parts[2] ?? "").padEnd(2, "0"));
  return Number.isSafeInteger(minorUnits) ? kopecks(minorUnits) : undefined;
}

/** A whole number as lists write it: "12", "1 200", "-3". */
export function parseWhole(text) {
  const packed = text.replace(/\s/gu, "");
  const value = Number(packed);
  return /^-?\d+$/.test(packed) && Number.isSafeInteger(value) ? value : undefined;
}

// Counted through the calendar, in years that begin with March: then the leap day is the last of its year.
function dayNumber({ year, month, day }) {
  const [y, m] = month <= 2 ? [year - 1, month + 9] : [year, month - 3];
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) + Math.floor((m * 153 + 2) / 5) + day;
}

function daysIn(month, year) {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  if (month < 1 || month > 12) return 0;
  return [4, 6, 9, 11].includes(month) ? 30 : 31;
}
