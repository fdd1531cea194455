// The page without its words: everything that axe's serious rules go by. Ids, and what refers to
// them, are numbered by their first place, so that one that is missing or used twice still shows.
() => {
  const WORDS = new Set(["alt", "aria-label", "datetime", "hreflang", "label", "placeholder", "src",
    "title", "value"]);
  const PLACES = new Set(["action", "formaction", "href"]);
  const IDS = new Set(["for", "id", "aria-controls", "aria-describedby", "aria-labelledby", "headers",
    "list"]);
  const SMALL = 24;  // pixels: what is smaller must have as much room around it, says WCAG 2.2
  const places = new Map();
  for (const element of document.querySelectorAll("[id]"))
    if (!places.has(element.id)) places.set(element.id, places.size);
  const numbered = ids => ids.split(/\s+/).map(id => places.get(id) ?? "none").join(" ");

  const said = ({ name, value }, element) => {
    if (IDS.has(name)) return numbered(value);
    if (PLACES.has(name)) return value.startsWith("#") ? numbered(value.slice(1)) : value !== "";
    if (WORDS.has(name) || name.startsWith("data-")) return value.trim() !== "";
    if (name === "lang" && element === document.documentElement) return "";  // the test reads it
    return value;
  };
  const targets = new Map();
  for (const element of document.querySelectorAll(
    "a, button, input, select, summary, textarea, [tabindex]")) {
    const box = element.getBoundingClientRect();
    if (box.width > 0) targets.set(element, { box, small: Math.min(box.width, box.height) < SMALL,
      x: box.x + box.width / 2, y: box.y + box.height / 2 });
  }
  const near = (one, other) => Math.hypot(
    Math.max(other.box.left - one.x, 0, one.x - other.box.right),
    Math.max(other.box.top - one.y, 0, one.y - other.box.bottom)) < SMALL / 2
    || other.small && Math.hypot(one.x - other.x, one.y - other.y) < SMALL;
  const seen = element => {
    const { width, height } = element.getBoundingClientRect();
    const overflows = element.scrollWidth > element.clientWidth
      || element.scrollHeight > element.clientHeight;
    const target = targets.get(element);
    const crowded = target?.small
      && [...targets.values()].some(other => other !== target && near(target, other));
    return [width > 0 && height > 0, overflows, target?.small, crowded];
  };
  const structure = node => node.nodeType === Node.TEXT_NODE
    ? node.data.trim() !== ""
    : [node.tagName, seen(node), [...node.attributes].map(one => [one.name, said(one, node)]),
       [...node.childNodes].filter(child => child instanceof Element
         || child instanceof Text && child.data.trim() !== "").map(structure)];
  return JSON.stringify(structure(document.documentElement));
}
