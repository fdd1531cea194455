// The button of a printed list. Without JavaScript the browser's own command prints it.
const button = document.getElementById("print");
if (button) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
