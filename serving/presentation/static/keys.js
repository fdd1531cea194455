// Keys of the queue and of an alert. Everything they do can be done without them.
(() => {
  const rows = () => [...document.querySelectorAll("[data-row]")];
  const link = (row) => row.querySelector("a");
  const current = () => rows().findIndex((row) => row.contains(document.activeElement));

  function step(by) {
    const all = rows();
    if (!all.length) return;
    const at = current();
    const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1);
    link(all[next]).focus();
  }

  function press(key) {
    const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!target) return false;
    if (target.matches("input, textarea, select")) target.focus();
    else target.click();
    return true;
  }

  function take() {
    const row = rows()[current()];
    const form = row && row.querySelector("form[data-claim]");
    if (form) form.requestSubmit();
    return Boolean(form);
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    const help = document.getElementById("keys");
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === "?" && help) help.showModal();
    else if (event.key === "c" && take()) event.preventDefault();
    else if (!(event.key.length === 1 && press(event.key))) return;
    event.preventDefault();
  });
})();
