// The shortcodes that a visitor is likely to type; others stay as they are.

const KNOWN = {
  "+1": "👍",
  thumbsup: "👍",
  "-1": "👎",
  thumbsdown: "👎",
  wave: "👋",
  smile: "😄",
  smiley: "😃",
  grinning: "😀",
  joy: "😂",
  laughing: "😆",
  open_mouth: "😮",
  slightly_frowning_face: "🙁",
  angry: "😠",
  wink: "😉",
  heart: "❤️",
  tada: "🎉",
  rocket: "🚀",
  eyes: "👀",
  fire: "🔥",
  pray: "🙏",
  clap: "👏",
  ok_hand: "👌",
  raised_hands: "🙌",
  thinking_face: "🤔",
  white_check_mark: "✅",
  heavy_check_mark: "✔️",
  x: "❌",
  warning: "⚠️",
  bulb: "💡",
  hourglass: "⌛",
  lock: "🔒",
  link: "🔗",
  bell: "🔔",
  memo: "📝",
  paperclip: "📎",
  coffee: "☕",
  cry: "😢",
  sob: "😭",
  slightly_smiling_face: "🙂",
  sunglasses: "😎",
  point_right: "👉",
  sparkles: "✨",
  100: "💯",
  muscle: "💪",
  star: "⭐",
  calendar: "📅",
  rotating_light: "🚨",
  large_green_circle: "🟢",
  red_circle: "🔴",
  large_yellow_circle: "🟡",
  large_blue_circle: "🔵",
  no_entry: "⛔",
};

const TEAMS = {
  like: "👍",
  heart: "❤️",
  laugh: "😆",
  surprised: "😮",
  sad: "🙁",
  angry: "😠",
  launch: "🚀",
  party: "🥳",
  think: "🤔",
};

/** An emoji by its Slack name, or the name between colons. */
export function emoji(name, unicode = "") {
  if (unicode) {
    return String.fromCodePoint(
      ...unicode.split("-").map((hex) => Number.parseInt(hex, 16)),
    );
  }
  const [bare, tone] = name.split("::skin-tone-");
  const found = KNOWN[bare];
  if (!found) return `:${name}:`;
  return tone ? found + String.fromCodePoint(0x1f3f9 + Number(tone)) : found;
}

/** A Teams reaction: a word of the first six, or `1f44b_wavinghand`. */
export function reaction(type) {
  if (TEAMS[type]) return TEAMS[type];
  const hex = /^([0-9a-f]{4,5}(?:-[0-9a-f]{4,5})*)_/.exec(type);
  return hex ? emoji("", hex[1]) : type;
}
