// Follows a change of the model: asks every two seconds how far it is. The page works by reloading without this script.
const EVERY_MS = 2000;
const panel = document.getElementById("stands");

async function follow() {
  try {
    const response = await fetch(panel.dataset.progress, { headers: { Accept: "application/json" } });
    if (response.status === 401) window.location.reload();
    if (response.ok) {
      const now = await response.json();
      if (now.key !== panel.dataset.key) window.location.reload();
      const bar = document.getElementById("stands-bar");
      bar.max = Math.max(1, now.of);
      bar.value = now.done;
      document.getElementById("stands-words").textContent = now.words;
    }
  } catch {
    // away for a moment: the next look tells
  }
  setTimeout(follow, EVERY_MS);
}

if (panel && panel.dataset.phase === "running") follow();
