// Enrolment on a person's page: the upload form, and the guided camera. The form works without this script too.
import { enrol, problem } from "./verdicts.js";
import { filled, words } from "./words.js";

const MAX_AT_ONCE = 5;
const panel = document.getElementById("enrol");

function checked(files) {
  if (files.length > MAX_AT_ONCE) return filled(words.too_many, { count: files.length, most: MAX_AT_ONCE });
  const most = Number(panel.dataset.maxMb) * 1024 * 1024;
  const large = files.find((file) => file.size > most);
  return large ? filled(words.too_large, { name: large.name, most: panel.dataset.maxMb }) : "";
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
