// The form of a trial is sent without leaving the page, so that the chosen file stays chosen.
const form = document.querySelector("#trial");
const result = document.querySelector("#result");
const mapping = document.querySelector("#mapping");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const saves = event.submitter && event.submitter.hasAttribute("formaction");
  const sent = new FormData(form);
  if (saves) sent.delete("file");
  result.setAttribute("aria-busy", "true");
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => { button.disabled = true; });
  try {
    const address = saves ? event.submitter.formAction : form.action;
    const answer = await fetch(address, { method: "POST", body: sent, headers: { Accept: "text/html" } });
    if (answer.redirected && new URL(answer.url).pathname === "/login") {
      location.assign(answer.url);
      return;
    }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page.querySelector("#result") || page.querySelector("main");
    result.replaceChildren(...document.importNode(found, true).childNodes);
    const suggested = page.querySelector("#mapping");
    if (suggested && !mapping.value.trim()) mapping.value = suggested.value;
    result.focus();
  } catch {
    result.textContent = form.dataset.failed;
  } finally {
    result.removeAttribute("aria-busy");
    buttons.forEach((button) => { button.disabled = false; });
  }
});
