// Enrolment on a person's page: the upload form, and the guided camera. The form works without this script too.
import { enrol, problem } from "./verdicts.js";

const MAX_AT_ONCE = 5;
const panel = document.getElementById("enrol");

function checked(files) {
  if (files.length > MAX_AT_ONCE) return `${files.length} pictures are chosen; send at most ${MAX_AT_ONCE} at a time.`;
  const most = Number(panel.dataset.maxMb) * 1024 * 1024;
  const large = files.find((file) => file.size > most);
  return large ? `${large.name} is over ${panel.dataset.maxMb} MB. Choose a smaller picture.` : "";
}

if (panel.dataset.url) {
  const form = document.getElementById("upload");
  const input = document.getElementById("files");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const files = Array.from(input.files);
    const wrong = checked(files);
    problem(wrong);
    if (wrong) return;
    const button = form.querySelector("button");
    button.disabled = true;
    const pictures = files.map((file) => ({ blob: file, name: file.name }));
    if (form.elements.replace?.checked) await enrol(pictures, { together: true, replace: true });
    else for (const picture of pictures) await enrol([picture]);
    button.disabled = false;
    form.reset();
  });
  import("./guided.js").then(({ startGuided }) => startGuided()); // it needs its panel, which is there with a consent only
}
