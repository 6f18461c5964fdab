// What scripts say, in the page's language; the page hands it over (dashboard/web/script_words.py).
export const words = JSON.parse(document.getElementById("script-words").dataset.words);

/** `text` with its {places} filled. */
export const filled = (text, values) => text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);
