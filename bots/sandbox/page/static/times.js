// Times as people read them.

const clock = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const exact = new Intl.DateTimeFormat(undefined, {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
  hourCycle: "h23",
});
const whole = new Intl.DateTimeFormat(undefined, {
  dateStyle: "full",
  timeStyle: "medium",
});

export const toClock = (ms) => clock.format(ms);
export const toExact = (ms) => exact.format(ms);
export const toWhole = (ms) => whole.format(ms);

export const slackTime = (ts) =>
  Math.floor(Number(ts.split(".")[0]) * 1000 + Number(ts.split(".")[1] ?? 0) / 1000);
