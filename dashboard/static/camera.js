// The browser's camera: opened, looked through one frame at a time, closed; clear words when it can't be had.
import { filled, words } from "./words.js";

const WIDTH = 1280;

let stream = null;

/** Show the camera in `video`. Returns "" or why it can't be had; `lost` is called when it is taken away later. */
export async function openCamera(video, lost) {
  if (!navigator.mediaDevices?.getUserMedia) return words.insecure;
  closeCamera(video);
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: WIDTH }, facingMode: "user" }, audio: false });
    stream.getVideoTracks()[0].addEventListener("ended", () => lost(words.unplugged));
    video.srcObject = stream;
    await video.play();
    return "";
  } catch (error) {
    closeCamera(video);
    return words[error.name] ?? filled(words.unusable, { error: error.name });
  }
}

export function closeCamera(video) {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
}

/** What the camera shows now, as a canvas; null before the first picture. */
export function frameOf(source, width = source.videoWidth, height = source.videoHeight) {
  if (!width || !height) return null;
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").drawImage(source, 0, 0, width, height);
  return canvas;
}

export function shrunk(canvas, longest) {
  const scale = Math.min(1, longest / Math.max(canvas.width, canvas.height));
  return scale === 1 ? canvas : frameOf(canvas, Math.round(canvas.width * scale), Math.round(canvas.height * scale));
}

export const asJpeg = (canvas, quality) => new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
