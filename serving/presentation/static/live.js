// Tells that the queue has changed, and leaves it to the reader when to load it.
(() => {
  const bar = document.getElementById("news");
  if (!bar || !window.EventSource) return;
  const after = bar.dataset.after;
  const stream = new EventSource(`/api/v1/live?after=${after}`);
  let alerts = 0;
  let others = 0;
  const title = document.title;

  function show() {
    const words = [];
    if (alerts === 1) words.push(bar.dataset.one);
    if (alerts > 1) words.push(bar.dataset.many.replace("#", alerts));
    if (others) words.push(bar.dataset.other);
    if (!words.length) return;
    const address = new URL(window.location.href);
    address.searchParams.set("since", after);
    address.searchParams.delete("nothing");
    const load = document.createElement("a");
    load.href = address.href;
    load.textContent = bar.dataset.load;
    if (alerts) document.title = `(${alerts}) ${title}`;
    bar.replaceChildren(`${words.join(" · ")} – `, load);
  }

  stream.addEventListener("list", (event) => {
    alerts += JSON.parse(event.data).alerts;
    show();
  });
  for (const topic of ["claim", "result"]) {
    stream.addEventListener(topic, (event) => {
      if (!JSON.parse(event.data).own) others += 1;
      show();
    });
  }
  window.addEventListener("pagehide", () => stream.close());
})();
